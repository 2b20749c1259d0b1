import { renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { Run } from "../../api/types";
import { i18n } from "../../i18n";
import { useWaitingText } from "./waiting";

type Waiting = Pick<Run, "waiting" | "current_step">;

function says(waiting: object | null, step: string | null = "Fetch"): string | null {
  const { result } = renderHook(() => useWaitingText());
  return result.current({ waiting, current_step: step === null ? null : { name: step } } as unknown as Waiting);
}

describe("why a run waits", () => {
  it("has its words from the first load: the home page, too, says why, and loads no words of runs for it", () => {
    expect(says({ kind: "children" })).toBe("“Fetch” is at work: its items are under way");
    expect(says({ kind: "children", paused_item: 0 })).toBe("“Fetch” waits: its item 1 is paused");
    expect(says({ kind: "children", asking_item: 1 })).toBe("“Fetch” waits: its item 2 waits for a person");
    expect(says({ kind: "children", of: "turns", asking_item: 1 })).toBe("“Fetch” waits: its turn 2 waits for a person");
    expect(says({ kind: "children", of: "call", asking_item: 0 })).toBe("“Fetch” waits: the run of the other workflow waits for a person");
    expect(says({ kind: "children", of: "call" })).toBe("“Fetch” is at work: the run of the other workflow is under way");
    expect(says({ kind: "held", cause: "failures", failures: 3, runs: 0 })).toBe(
      "Held: the workflow failed 3 times in a row",
    );
    expect(i18n.hasResourceBundle("en", "runs")).toBe(false);
  });

  it("tells a share of failures from a row of them, and both from a pause by a person", () => {
    expect(says({ kind: "held", cause: "failures", failures: 6, runs: 9 })).toBe("Held: 6 of 9 runs of the workflow failed");
    expect(says({ kind: "held", cause: "person" })).toBe("Held: the workflow is paused");
    expect(says({ kind: "held", cause: "person", reason: "The bank is down" })).toBe("Held: the workflow is paused: The bank is down");
  });

  it("says with a pause why it was paused, where somebody said so", () => {
    expect(says({ kind: "paused", reason: "Stock-taking" })).toBe("Paused: Stock-taking");
    expect(says({ kind: "paused", reason: "" })).toBe("Paused");
  });

  it("says what the server says where it has no words of its own, and nothing while nothing waits", () => {
    expect(says({ kind: "timer", until: null, text: "Waits for its turn" }, null)).toBe("Waits for its turn");
    expect(says(null)).toBeNull();
  });
});
