import { act, renderHook } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { useLiveChoice } from "./liveChoice";

describe("the live list", () => {
  afterEach(() => localStorage.clear());

  it("moves until somebody at this computer says no, and remembers it", () => {
    const first = renderHook(() => useLiveChoice());
    expect(first.result.current[0]).toBe(true);
    act(() => first.result.current[1](false));
    expect(first.result.current[0]).toBe(false);
    const later = renderHook(() => useLiveChoice());
    expect(later.result.current[0]).toBe(false);
    act(() => later.result.current[1](true));
    expect(renderHook(() => useLiveChoice()).result.current[0]).toBe(true);
  });
});
