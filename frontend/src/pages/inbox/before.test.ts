import { describe, expect, it } from "vitest";

import type { KeyEvent } from "../../api/runSearch";
import type { RunStep } from "../../api/types";
import { eventsOfOthers, stepsBefore } from "./before";

const step = (node: string, finished_at: string | null): RunStep => ({ node, finished_at }) as RunStep;
const event = (run: string, kind: string, at: string): KeyEvent => ({ run, kind, at }) as KeyEvent;

describe("what was done before a question", () => {
  it("is what has ended, the last first, and not the step that asks", () => {
    const steps = [step("a", "2026-11-01T10:00:00Z"), step("b", "2026-11-01T11:00:00Z"), step("ask", "2026-11-01T12:00:00Z"), step("c", null)];
    expect(stepsBefore(steps, "ask").map((one) => one.node)).toEqual(["b", "a"]);
  });
});

describe("what became of a key earlier", () => {
  it("is told of other runs alone, decisions first and the newest of them before the others", () => {
    const events = [
      event("r1", "decided", "2026-10-01"),
      event("r1", "completed", "2026-10-02"),
      event("r2", "decided", "2026-10-03"),
      event("mine", "decided", "2026-10-04"),
    ];
    expect(eventsOfOthers(events, "mine").map((one) => one.at)).toEqual(["2026-10-03", "2026-10-01", "2026-10-02"]);
  });

  it("is no more than fits beside the question", () => {
    const many = Array.from({ length: 20 }, (_, at) => event("r", "completed", `2026-10-${at + 1}`));
    expect(eventsOfOthers(many, "mine")).toHaveLength(6);
  });
});
