import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Run } from "../../api/types";
import { useHappenings } from "./useHappenings";

const get = vi.hoisted(() => vi.fn());
vi.mock("../../api/client", async (original) => ({ ...(await original<object>()), api: { get } }));
vi.mock("../../api/session", async (original) => ({ ...(await original<object>()), useWorkspace: () => ({ id: "w" }) }));

const run = (seq: number) => ({ id: "r", seq }) as Run;
const nothing = { items: [], next_cursor: null };

describe("what happened in a run that is at work", () => {
  beforeEach(() => {
    get.mockReset();
  });

  it("is read to its end before it is asked for anew", async () => {
    const answers: ((page: typeof nothing) => void)[] = [];
    const signals: AbortSignal[] = [];
    get.mockImplementation((_path: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise((answer) => answers.push(answer));
    });
    const client = new QueryClient();
    const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
    const { rerender } = renderHook(({ seq }) => useHappenings(run(seq), {}), { wrapper, initialProps: { seq: 1 } });
    await waitFor(() => expect(get).toHaveBeenCalledTimes(1));
    rerender({ seq: 2 });
    // Longer than a timer of no time at all takes.
    await act(() => new Promise((done) => setTimeout(done, 50)));
    expect(get).toHaveBeenCalledTimes(1);
    expect(signals[0]?.aborted).toBe(false);
    act(() => answers[0]?.(nothing));
    await waitFor(() => expect(get).toHaveBeenCalledTimes(2));
  });
});
