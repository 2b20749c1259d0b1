import { renderHook } from "@testing-library/react";
import { createElement, startTransition, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { expect, it, vi } from "vitest";

import { useNews, useStillHere } from "./typed";

const router = { latestLocation: { pathname: "/workflows" } };
vi.mock("@tanstack/react-router", () => ({ useRouter: () => router }));

it("hears of what comes into the address from elsewhere, and not of what was typed", () => {
  const onNews = vi.fn();
  const { result, rerender } = renderHook(({ now }) => useNews(now, onNews), { initialProps: { now: "" } });
  result.current("a");
  result.current("ab");
  // The address follows late: more has been typed by then.
  rerender({ now: "a" });
  rerender({ now: "ab" });
  expect(onNews).not.toHaveBeenCalled();
  rerender({ now: "saved" });
  expect(onNews).toHaveBeenLastCalledWith("saved");
  rerender({ now: "a" });
  expect(onNews).toHaveBeenLastCalledWith("a");
});

it("forgets what was overtaken on its way to the address", () => {
  const onNews = vi.fn();
  const { result, rerender } = renderHook(({ now }) => useNews(now, onNews), { initialProps: { now: "" } });
  for (const one of ["a", "ab", "abc"]) result.current(one);
  rerender({ now: "abc" });
  expect(onNews).not.toHaveBeenCalled();
  rerender({ now: "ab" });
  expect(onNews).toHaveBeenCalledExactlyOnceWith("ab");
});

it("is heard of at once, so that a slow machine does not let the address follow a box of before", async () => {
  // As a browser draws it: not all at once, as tests do otherwise.
  const before = Reflect.get(globalThis, "IS_REACT_ACT_ENVIRONMENT") as unknown;
  Reflect.set(globalThis, "IS_REACT_ACT_ENVIRONMENT", false);
  const calledBack = vi.fn();
  const arrives: ((now: string) => void)[] = [];
  const Slow = (): null => {
    const until = performance.now() + 15;
    while (performance.now() < until);
    return null;
  };
  function Box(): unknown {
    const [now, setNow] = useState("");
    const [typed, setTyped] = useState("");
    useNews(now, setTyped);
    useEffect(() => void arrives.push(setNow), []);
    useEffect(() => {
      if (typed === now) return;
      const timer = setTimeout(() => calledBack(typed), 5);
      return () => clearTimeout(timer);
    });
    return [1, 2, 3, 4, 5, 6].map((key) => createElement(Slow, { key }));
  }
  const place = document.createElement("div");
  const root = createRoot(place);
  root.render(createElement(Box as () => null));
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(300);
  startTransition(() => arrives[0]?.("saved"));
  await pause(600);
  root.unmount();
  Reflect.set(globalThis, "IS_REACT_ACT_ENVIRONMENT", before);
  expect(calledBack).not.toHaveBeenCalled();
});

it("knows that somebody has gone on, though the other page is not there yet", () => {
  const { result } = renderHook(() => useStillHere());
  expect(result.current()).toBe(true);
  router.latestLocation = { pathname: "/workflows/1/build" };
  expect(result.current()).toBe(false);
});
