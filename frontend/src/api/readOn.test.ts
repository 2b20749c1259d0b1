import { renderHook } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { useReadOn } from "./readOn";

describe("reading page after page", () => {
  const page = { hasNextPage: true, isFetching: false, isError: false };

  it("asks for the next page once the one before is there, and for none while it comes", () => {
    const fetchNextPage = vi.fn();
    const { rerender, result } = renderHook((more: Partial<typeof page>) => useReadOn({ ...page, fetchNextPage, ...more }, true), { initialProps: {} });
    expect(fetchNextPage).toHaveBeenCalledTimes(1);
    rerender({ isFetching: true });
    expect(fetchNextPage).toHaveBeenCalledTimes(1);
    rerender({});
    expect(fetchNextPage).toHaveBeenCalledTimes(2);
    rerender({ hasNextPage: false });
    expect(result.current).toBe(false);
    expect(fetchNextPage).toHaveBeenCalledTimes(2);
  });

  it("does not ask again and again where it is refused", () => {
    const fetchNextPage = vi.fn();
    const { rerender, result } = renderHook((more: Partial<typeof page>) => useReadOn({ ...page, fetchNextPage, ...more }, true), { initialProps: {} });
    rerender({ isFetching: true });
    rerender({ isError: true });
    expect(result.current).toBe(false);
    expect(fetchNextPage).toHaveBeenCalledTimes(1);
  });
});
