/** What happened in a run, as the rows of a table: from its own record and from what people did in it. Pure. */
import type { Happening } from "../../api/record";
import type { GraphDocument, Run, RunStep } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { runStatusKind, type StatusKind, stepStatusKind } from "../../ui/status";
import type { RunEventKind, Shown } from "./eventFilter";

export interface RunEvent {
  id: string;
  at: number;
  kind: RunEventKind;
  status: StatusKind;
  node: string | null;
  /** Of the step. */
  name: string;
  /** A note, or what it failed of. */
  detail: string | null;
  attempt: number;
  /** A person by name, a program by its word; null where the run itself did it. */
  by: string | null;
  /** What somebody did, by its word in the audit log; or what the run's record calls it. */
  deed: string | null;
  /** The question that somebody answered. */
  about: string;
  said: Readonly<Record<string, unknown>>;
}

const ENDS: Readonly<Record<string, StatusKind>> = { completed: "done", compensated: "undone", cancelled: "cancelled", dead_lettered: "failed" };
const STEP_KINDS: Readonly<Record<string, RunEventKind>> = { succeeded: "finished", failed: "failed", waiting: "waits", retrying: "retries", cancelled: "cancelled" };
const STEP_LOOKS: Readonly<Record<string, StatusKind>> = { succeeded: "done", failed: "failed", waiting: "waiting", retrying: "retrying", cancelled: "cancelled" };
const OF_ITSELF = new Set(["accepted", "changed", "worked"]);
const OF_WORKERS = new Set(["claim", "release", "set_aside"]);

function kindOfDeed(deed: string): RunEventKind {
  if (/^(dead_letter|run)\.retried$|^retried$/.test(deed)) return "retried";
  if (deed === "run.undone" || deed === "undone") return "undone";
  if (/^tasks?\.(decided|decided_by_link|mended)$|^review\.(released|rejected)$|^decide$/.test(deed)) return "decided";
  return "person";
}

const LOOKS: Partial<Record<RunEventKind, StatusKind>> = { retried: "retrying", undone: "undoing" };

/** What is drawn of these: only what steps did, or only what people did; `node`: of one step. */
export interface Narrowed {
  only?: Shown | undefined;
  node?: string | undefined;
}

interface Known {
  run: Run;
  graph: GraphDocument;
  steps: Readonly<Record<string, RunStep>>;
}

/** The rows of what was told so far, in order of time. */
export function eventsOf(told: readonly Happening[], { run, graph, steps }: Known, { only, node }: Narrowed = {}): RunEvent[] {
  const events: RunEvent[] = [];
  const names = new Map(graph.nodes.map((one) => [one.id, one.name]));
  /** How each step of each go was last told of, and of which tries it was said that they began. */
  const stood = new Map<string, string>();
  const started = new Set<string>();
  const whole = { status: "running" as StatusKind, node: null, name: "", detail: null, attempt: 0, by: null, deed: null, about: "", said: {} };
  const add = (event: Omit<RunEvent, "id">) => events.push({ ...event, id: `${events.length}-${event.kind}` });
  for (const { at: moment, change, deed, told: elsewhere } of told) {
    const at = Date.parse(moment);
    if (deed) {
      const kind = kindOfDeed(deed.verb);
      add({ ...whole, at, kind, status: LOOKS[kind] ?? "done", node: deed.node, name: names.get(deed.node ?? "") ?? "", by: deed.actor.name || null, deed: deed.verb, about: deed.about, said: deed.detail });
      continue;
    }
    if (!change) continue;
    const { kind: what, by, before, status } = change;
    if (what === "accepted") add({ ...whole, at, kind: "accepted", status: "queued", by });
    else if (OF_WORKERS.has(what)) add({ ...whole, at, kind: "worker", by: change.worker, deed: what });
    else if (!OF_ITSELF.has(what) && !elsewhere) {
      const kind = kindOfDeed(what);
      add({ ...whole, at, kind, status: LOOKS[kind] ?? "done", by, deed: what, said: change.detail });
    }
    if (before === "accepted" && status !== "accepted" && change.generation === 1) {
      add({ ...whole, at: run.started_at === null ? at : Math.min(at, Date.parse(run.started_at)), kind: "begun" });
    }
    for (const step of change.steps) {
      const base = { ...whole, node: step.node, name: names.get(step.node) ?? step.name, attempt: step.attempt };
      const go = `${step.node} ${step.generation}`;
      const attempt = `${go} ${step.attempt}`;
      if (step.tried) {
        if (step.status === "intent" && step.attempt > 1 && !started.has(attempt)) {
          started.add(attempt);
          add({ ...base, at, kind: "started", status: "running" });
        } else if (step.status === "in_doubt") add({ ...base, at, kind: "doubt", status: "waiting" });
        continue;
      }
      const said = `${step.status} ${step.attempt}`;
      const kind = STEP_KINDS[step.status];
      if (!kind || stood.get(go) === said) continue;
      stood.set(go, said);
      if (step.began !== null && !started.has(go)) {
        started.add(go).add(attempt);
        add({ ...base, at: Math.min(at, Date.parse(step.began)), kind: "started", status: "running", attempt: 1 });
      }
      const now = steps[step.node];
      const still = now !== undefined && now.generation === step.generation && now.attempt === step.attempt && now.status === step.status;
      const detail = still ? ((now.error && failureTitle(now.error)) ?? now.note) : null;
      add({ ...base, at, kind, status: still ? stepStatusKind(now) : (STEP_LOOKS[step.status] ?? "running"), detail });
    }
    const end = status === null || status === before ? undefined : ENDS[status];
    if (end) {
      const last = run.status === status && run.generation === change.generation;
      add({ ...whole, at, kind: "ended", status: last ? runStatusKind(run) : end, detail: last && run.error ? failureTitle(run.error) : null });
    }
  }
  return events
    .filter((event) => (only === "steps" ? isOfStep(event) : only === "people" ? isOfPeople(event) : true) && (!node || event.node === node))
    .sort((left, right) => left.at - right.at || rank(left) - rank(right));
}

// At one moment what began something stands before it, and what ended it behind.
const ORDER: readonly RunEventKind[] = ["accepted", "begun", "worker", "decided", "retried", "undone", "person", "started", "waits", "retries", "doubt", "finished", "failed", "cancelled", "ended"];
const rank = (event: RunEvent): number => ORDER.indexOf(event.kind);

const STEP_EVENTS = new Set<RunEventKind>(["started", "finished", "failed", "waits", "retries", "cancelled", "doubt"]);
const isOfStep = (event: RunEvent): boolean => STEP_EVENTS.has(event.kind);
const isOfPeople = (event: RunEvent): boolean => event.kind === "accepted" || event.deed !== null && event.kind !== "worker";

/** Events as a table for other programs: times in UTC, no words of this page. */
export function eventsCsv(events: readonly RunEvent[]): string {
  // A cell that a spreadsheet would take for a formula is made a text.
  const cell = (value: string): string => {
    const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  const rows = events.map((event) => [
    new Date(event.at).toISOString(), event.kind, event.node ?? "", event.name, event.status, event.attempt ? String(event.attempt) : "",
    event.detail ?? (Object.keys(event.said).length > 0 ? JSON.stringify(event.said) : ""), event.by ?? "", event.deed ?? "", event.about,
  ]);
  return [["at", "kind", "step", "name", "status", "attempt", "detail", "by", "deed", "about"], ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
