import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { useRunStands } from "../../api/runStands";
import type { Run } from "../../api/types";
import StandsBar from "./StandsBar";

vi.mock("../../api/runStands", () => ({ useRunStands: vi.fn(() => ({ data: undefined })), useTakeUp: vi.fn() }));
vi.mock("../../api/session", () => ({ useCan: () => true }));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("asks how a run stands once a second, however often the run changes", () => {
  const run = (seq: number) => <StandsBar run={{ id: "r", seq } as Run} />;
  const shown = render(run(1));
  for (let seq = 2; seq <= 40; seq++) {
    shown.rerender(run(seq));
    act(() => void vi.advanceTimersByTime(50));
  }
  act(() => void vi.advanceTimersByTime(1_000));
  const asked = new Set(vi.mocked(useRunStands).mock.calls.map(([, seq]) => seq));
  expect(asked.size).toBeLessThanOrEqual(4);
  expect(asked.has(40)).toBe(true);
});
