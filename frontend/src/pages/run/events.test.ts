import { describe, expect, it, test } from "vitest";

import type { Happening } from "../../api/record";
import type { GraphDocument, Run, RunStep } from "../../api/types";
import { eventsCsv, eventsOf, type RunEvent } from "./events";

const START = Date.parse("2026-11-20T09:00:00.000Z");
const at = (ms: number) => new Date(START + ms).toISOString();
const graph = { nodes: [{ id: "pay", name: "Take payment" }, { id: "ask", name: "Ask finance" }] } as unknown as GraphDocument;
const run = { id: "r", status: "completed", generation: 2, started_at: at(1), error: null, failed_items: 0, failed_calls: 0 } as unknown as Run;

type Change = NonNullable<Happening["change"]>;
type Step = Change["steps"][number];

const step = (node: string, status: string, more: Partial<Step> = {}): Step => ({ node, name: node, generation: 1, attempt: 1, status, tried: false, began: null, ...more });
const change = (ms: number, kind: string, more: Partial<Change> = {}, told = false): Happening => ({
  at: at(ms), deed: null, told,
  change: { at: at(ms), kind, by: null, worker: null, token: 1, seq: 1, generation: 1, before: null, status: null, outcome: null, steps: [], detail: {}, ...more },
});
const deed = (ms: number, verb: string, more: Partial<NonNullable<Happening["deed"]>> = {}): Happening => ({
  at: at(ms), change: null, told: false,
  deed: { sequence: ms, verb, actor: { kind: "member", id: "1", name: "Alice" }, about: "", node: null, detail: {}, ...more },
});

const told = [
  change(0, "accepted", { by: "webhook", status: "accepted" }),
  change(20, "changed", { before: "accepted", status: "running", steps: [step("pay", "intent", { tried: true })] }),
  change(30, "worked", { steps: [step("pay", "retrying", { began: at(5) })] }),
  change(40, "worked", { steps: [step("pay", "intent", { attempt: 2, tried: true })] }),
  change(50, "changed", { before: "running", status: "dead_lettered", steps: [step("pay", "failed", { attempt: 2, began: at(5) })] }),
  deed(60, "run.value_shown", { node: "pay", detail: { side: "output", path: ["iban"] } }),
  change(70, "retried", { by: "Alice", before: "dead_lettered", status: "running", generation: 2 }, true),
  deed(71, "run.retried", { detail: { edits: { pay: ["url"] } } }),
  change(80, "pause", { by: "Bo" }),
  change(85, "claim", { worker: "w-2" }),
  change(90, "changed", { before: "running", status: "completed", generation: 2, steps: [step("pay", "succeeded", { generation: 2, began: at(75) })] }),
];
const now = { pay: { node: "pay", generation: 2, attempt: 1, status: "succeeded", note: "201", error: null, wait: null, items: null } } as unknown as Record<string, RunStep>;
const rows = (narrowed = {}) => eventsOf(told, { run, graph, steps: now }, narrowed);
const kinds = (found: readonly RunEvent[]) => found.map((event) => event.kind);

describe("what happened in a run", () => {
  it("stands in order of time, every try of every go, and what people did between", () => {
    expect(kinds(rows())).toEqual(["accepted", "begun", "started", "retries", "started", "failed", "ended", "person", "retried", "started", "person", "worker", "finished", "ended"]);
    expect(rows().filter((event) => event.kind === "started").map((event) => [event.at - START, event.attempt])).toEqual([[5, 1], [40, 2], [75, 1]]);
    expect(rows().filter((event) => event.kind === "ended").map((event) => event.status)).toEqual(["failed", "done"]);
    expect(rows().find((event) => event.kind === "begun")?.at).toBe(START + 1);
  });

  it("says a deed once, by the audit log where that has it, else by the run's own record", () => {
    expect(rows().flatMap((event) => (event.deed === null ? [] : [[event.deed, event.by]]))).toEqual([["run.value_shown", "Alice"], ["run.retried", "Alice"], ["pause", "Bo"], ["claim", "w-2"]]);
  });

  it("is narrowed to steps, to people, and to one step", () => {
    expect(kinds(rows({ only: "steps" }))).toEqual(["started", "retries", "started", "failed", "started", "finished"]);
    expect(kinds(rows({ only: "people" }))).toEqual(["accepted", "person", "retried", "person"]);
    expect(rows({ node: "ask" })).toEqual([]);
    expect(kinds(rows({ node: "pay", only: "people" }))).toEqual(["person"]);
  });

  it("leads to steps by their names, and notes what is known of how they stand now", () => {
    const [opened] = rows({ only: "people", node: "pay" });
    expect([opened?.node, opened?.name]).toEqual(["pay", "Take payment"]);
    expect(rows().find((event) => event.kind === "finished")?.detail).toBe("201");
    expect(rows().find((event) => event.kind === "failed")?.detail).toBeNull();
  });

  it("says how a step stands once, however often it is told", () => {
    const again = [change(1, "worked", { steps: [step("ask", "waiting", { began: at(0) })] }), change(2, "worked", { steps: [step("ask", "waiting", { began: at(0) })] })];
    expect(kinds(eventsOf(again, { run, graph, steps: {} }))).toEqual(["started", "waits"]);
  });

  it("takes decisions for what they are", () => {
    const decided = [deed(1, "task.decided"), deed(2, "review.released"), deed(3, "task.taken"), deed(4, "something.new")];
    expect(kinds(eventsOf(decided, { run, graph, steps: {} }))).toEqual(["decided", "decided", "person", "person"]);
  });
});

test("events as a table keep what spreadsheets would change, and carry out no formula", () => {
  const event: RunEvent = { id: "1", at: Date.parse("2026-11-20T09:41:07.123Z"), kind: "failed", status: "failed", node: "pay", name: '=cmd("x"), now', detail: "two\nlines", attempt: 2, by: null, deed: null, about: "", said: {} };
  const person: RunEvent = { ...event, kind: "person", status: "done", node: null, name: "", detail: null, attempt: 0, by: "@Alice", deed: "run.tagged", said: { add: ["x"] } };
  expect(eventsCsv([event, person])).toBe(
    'at,kind,step,name,status,attempt,detail,by,deed,about\r\n2026-11-20T09:41:07.123Z,failed,pay,"\'=cmd(""x""), now",failed,2,"two\nlines",,,\r\n' +
      "2026-11-20T09:41:07.123Z,person,,,done,,\"{\"\"add\"\":[\"\"x\"\"]}\",'@Alice,run.tagged,\r\n",
  );
});
