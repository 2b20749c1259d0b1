import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { hold, sendHeld, takeBack, useHeld } from "./held";

beforeEach(() => vi.useFakeTimers());
afterEach(async () => {
  await sendHeld();
  vi.useRealTimers();
});

const writes = () => vi.fn<() => Promise<void>>().mockResolvedValue(undefined);

it("is sent when its time is over, and only once", () => {
  const send = writes();
  hold("a", send, 8000);
  vi.advanceTimersByTime(7999);
  expect(send).not.toHaveBeenCalled();
  expect(Object.keys(useHeld.getState().held)).toEqual(["a"]);
  vi.advanceTimersByTime(10_000);
  expect(send).toHaveBeenCalledTimes(1);
  expect(useHeld.getState().held).toEqual({});
});

it("can be taken back until then", () => {
  const send = writes();
  hold("a", send, 8000);
  expect(takeBack("a")).toBe(true);
  vi.advanceTimersByTime(10_000);
  expect(send).not.toHaveBeenCalled();
  expect(takeBack("a")).toBe(false);
});

it("gives way to a later one about the same", () => {
  const [first, second] = [writes(), writes()];
  hold("a", first, 8000);
  hold("a", second, 8000);
  vi.advanceTimersByTime(10_000);
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledTimes(1);
});

it.each([
  ["the page is left", () => window.dispatchEvent(new Event("pagehide"))],
  [
    "the page is hidden",
    () => {
      vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
      document.dispatchEvent(new Event("visibilitychange"));
    },
  ],
])("is sent at once when %s", (_when, leave) => {
  const [first, second] = [writes(), writes()];
  hold("a", first, 8000);
  hold("b", second, 8000);
  leave();
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(10_000);
  expect(first).toHaveBeenCalledTimes(1);
});
