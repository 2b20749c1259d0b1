import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { LiveState } from "../../live/socket";

const live = vi.hoisted(() => ({ status: "open", subscribed: 0, asked: 0 }));

vi.mock("../../api/queries", () => ({
  fetchSnapshot: vi.fn(async (_workspace: string, id: string) => {
    live.asked += 1;
    return { run: { id, status: "running", seq: live.asked }, graph: {}, steps: [], seq: live.asked };
  }),
}));
vi.mock("../../live", async () => ({
  createRunStore: (await import("../../live/runStore")).createRunStore,
  useLiveState: (select: (state: LiveState) => unknown) => select({ status: live.status, inStepAt: 0 } as LiveState),
  useLiveSocket: () => socket,
}));
const socket = {
  subscribeRun: () => {
    live.subscribed += 1;
    return () => {
      live.subscribed -= 1;
    };
  },
};
const { useTestRun } = await import("./testRun");

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(live, { status: "open", subscribed: 0, asked: 0 });
});

const wait = (ms: number): Promise<void> =>
  act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });

describe("watching a test", () => {
  it("asks once and then listens, as long as the socket is open", async () => {
    const { result } = renderHook(() => useTestRun("w", "f"));
    act(() => result.current.show("run-1"));
    await wait(60_000);
    expect(live).toMatchObject({ asked: 1, subscribed: 1 });
    expect(result.current.run?.id).toBe("run-1");
  });

  it("asks now and then while the socket is down", async () => {
    live.status = "paused";
    const { result } = renderHook(() => useTestRun("w", "f"));
    act(() => result.current.show("run-1"));
    await wait(12_500);
    expect(live.asked).toBe(4);
  });

  it("ends when the editor is left", async () => {
    live.status = "paused";
    const { result, unmount } = renderHook(() => useTestRun("w", "f"));
    act(() => result.current.show("run-1"));
    await wait(5000);
    unmount();
    const { asked } = live;
    await wait(600_000);
    expect(live).toMatchObject({ asked, subscribed: 0 });
  });

  it("follows the second test only", async () => {
    const { result } = renderHook(() => useTestRun("w", "f"));
    act(() => result.current.show("run-1"));
    await wait(100);
    act(() => result.current.show("run-2"));
    await wait(100);
    expect(live.subscribed).toBe(1);
    expect(result.current.run?.id).toBe("run-2");
  });
});
