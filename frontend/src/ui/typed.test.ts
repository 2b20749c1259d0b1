import { renderHook } from "@testing-library/react";
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

it("knows that somebody has gone on, though the other page is not there yet", () => {
  const { result } = renderHook(() => useStillHere());
  expect(result.current()).toBe(true);
  router.latestLocation = { pathname: "/workflows/1/build" };
  expect(result.current()).toBe(false);
});
