/** Undoing a run, as the run page shows it: the plan before it is sent, and what became of it. Pure. */
import type { GraphDocument, GraphNode, Retried, Run, RunError, RunStep, UndoLine, UndoPlan } from "../../api/types";
import { indexOf } from "../../graph/indexes";
import { UNDO_HANDLE } from "../../graph/types";

type Steps = Readonly<Record<string, RunStep>>;

// --- where it is offered ------------------------------------------------------------------------------------------

/** Whether the drawing says of any step what undoes it. */
export function hasUndoSteps(graph: GraphDocument | null): boolean {
  return graph?.edges.some((edge) => edge.sourceHandle === UNDO_HANDLE) ?? false;
}

/** Ended in a way that may have left something done that can be undone. */
export function isUndoable(run: Pick<Run, "status">, graph: GraphDocument | null): boolean {
  return ["completed", "dead_lettered", "cancelled"].includes(run.status) && hasUndoSteps(graph);
}

// --- the plan -----------------------------------------------------------------------------------------------------

function isCarriedOut(line: UndoLine): boolean {
  return line.fate === "undo" || line.fate === "again";
}

/** What is carried out, in that order, and what is left as it is. */
export function partsOf(plan: Pick<UndoPlan, "steps">): { turns: UndoLine[]; left: UndoLine[] } {
  return { turns: plan.steps.filter(isCarriedOut), left: plan.steps.filter((line) => !isCarriedOut(line)) };
}

/** The key of the words that say what becomes of something that is left as it is. */
export function wordsOfLeft(line: UndoLine): "undone" | "nothing" | "apart" | "switched_off" | "earlier_go" | "no_undo_step" {
  if (line.fate === "undone" || line.fate === "nothing" || line.fate === "apart") return line.fate;
  return line.why === "switched_off" || line.why === "earlier_go" ? line.why : "no_undo_step";
}

/** The undo step that may happen a second time, so that somebody has to agree to it. */
export function doubtOf(line: UndoLine): string | null {
  return line.fate === "again" && line.why === "in_doubt" ? line.undo_node : null;
}

/** The undo step of which nobody knows whether it did it, so that somebody who looked can say so. */
export function unknownOf(line: UndoLine): string | null {
  return line.fate === "again" && (line.why === "in_doubt" || line.why === "same_key") ? line.undo_node : null;
}

/** What somebody says of such a step: that it is sent once more, or what became of it, and then nothing is sent. */
export type UndoSaid = "send" | "undone" | "still_done";

export type UndoSayings = Readonly<Record<string, UndoSaid>>;

/** What is said of this step; under the same key nothing can happen twice, so that is where it begins. */
export function saidOf(line: UndoLine, sayings: UndoSayings): UndoSaid | null {
  const node = unknownOf(line);
  if (node === null) return null;
  return sayings[node] ?? (doubtOf(line) === null ? "send" : null);
}

/** The undo steps of which somebody has to say something first. */
export function missingIn(plan: UndoPlan, sayings: UndoSayings): Set<string> {
  return new Set(plan.steps.flatMap((line) => doubtOf(line) ?? []).filter((node) => sayings[node] === undefined));
}

export interface UndoRequest {
  plan: string;
  reason: string;
  repeats: string[];
  decisions: Record<string, "undone" | "still_done">;
}

/** What is sent: only what concerns this plan, for it may be another one than the one that was read first. */
export function requestOf(plan: UndoPlan, reason: string, sayings: UndoSayings): UndoRequest {
  const repeats = plan.steps.flatMap((line) => doubtOf(line) ?? []).filter((node) => sayings[node] === "send");
  const decisions: UndoRequest["decisions"] = {};
  for (const line of plan.steps) {
    const said = saidOf(line, sayings);
    if (said === "undone" || said === "still_done") decisions[unknownOf(line) ?? ""] = said;
  }
  return { plan: plan.id, reason: reason.trim(), repeats, decisions };
}

/** How many steps are carried out by this plan. */
export function countTurns(plan: UndoPlan, sayings: UndoSayings): number {
  return partsOf(plan).turns.filter((line) => [null, "send"].includes(saidOf(line, sayings))).length;
}

// --- what became of it --------------------------------------------------------------------------------------------

export type StepUndo =
  /** What a step did, and the step that undoes it. */
  | { role: "action"; by: GraphNode; state: "undone" | "undoing" | "failed"; step: RunStep }
  | { role: "undo"; action: GraphNode };

/** What there is to say about undoing at this step; null where there is nothing. */
export function stepUndoOf(graph: GraphDocument, steps: Steps, node: string): StepUndo | null {
  const { byId, undoes, undoneBy } = indexOf(graph);
  const action = byId.get(undoes.get(node) ?? "");
  if (action) return { role: "undo", action };
  const by = byId.get(undoneBy.get(node) ?? "");
  const step = by && steps[by.id];
  if (!step) return null;
  switch (step.status) {
    case "succeeded":
      return { role: "action", by, state: "undone", step };
    case "failed":
      return { role: "action", by, state: "failed", step };
    case "skipped":
    case "cancelled":
      return null;
    default:
      return { role: "action", by, state: "undoing", step };
  }
}

/** The steps that are part of this run: undo steps are only where something is undone, or was. */
export function stepsOfRun(graph: GraphDocument, steps: Steps): GraphNode[] {
  const { byId, order, undoes } = indexOf(graph);
  return order.flatMap((id) => {
    const status = steps[id]?.status;
    const unused = undoes.has(id) && (status === undefined || status === "skipped" || status === "cancelled");
    return unused ? [] : (byId.get(id) ?? []);
  });
}

export interface HowFar {
  standing: UndoLine[];
  unsure: UndoLine[];
  gone: UndoLine[];
}

/** Of a run that was to be undone: what is still done, what nobody knows of, and what was undone. */
export function howFarUndone(plan: Pick<UndoPlan, "steps">): HowFar {
  const found: HowFar = { standing: [], unsure: [], gone: [] };
  for (const line of plan.steps) {
    if (line.fate === "nothing" || line.fate === "apart") continue;
    if (line.fate === "undone") {
      found.gone.push(line);
      continue;
    }
    const { items } = line;
    const unsure = unknownOf(line) !== null || (items?.unknown ?? 0) > 0;
    // Of what many runs did some may stand for certain, and of others nobody knows.
    const left = items ? items.undo + items.asks + items.stays + items.open - items.unknown : 0;
    if (unsure) found.unsure.push(line);
    if (!unsure || left > 0) found.standing.push(line);
  }
  return found;
}

/** Whether all that this step's runs did has been answered since, so that nothing is left but to say so. */
export function isAnswered(line: UndoLine): boolean {
  return line.fate === "again" && line.items !== null && line.items.total > 0 && line.items.undone + line.items.nothing === line.items.total;
}

export interface Progress {
  done: number;
  total: number;
}

const DONE = new Set(["succeeded", "skipped", "failed"]);

/** How far the run is on its way forward. Undo steps are none of it. */
export function progressOf(graph: GraphDocument, steps: Steps): Progress {
  const { undoes } = indexOf(graph);
  const forward = graph.nodes.filter((node) => !undoes.has(node.id));
  return { done: forward.filter((node) => DONE.has(steps[node.id]?.status ?? "")).length, total: forward.length };
}

export type UndoCause =
  | { kind: "person"; by: string; at: string; reason: string }
  | { kind: "cancelled" }
  | { kind: "failed"; error: RunError };

/** Why a run is undone: somebody said so afterwards or on cancelling it, or it failed. */
export function causeOf(run: Pick<Run, "generation" | "cancel_requested" | "error">, retries: readonly Retried[]): UndoCause | null {
  const asked = retries.find((retry) => retry.generation === run.generation && retry.kind === "undo");
  if (asked) return { kind: "person", by: asked.by, at: asked.at, reason: asked.reason ?? "" };
  if (run.cancel_requested) return { kind: "cancelled" };
  return run.error ? { kind: "failed", error: run.error } : null;
}

// --- the goes of a run --------------------------------------------------------------------------------------------

export interface Go {
  kind: "first" | "retry" | "undo";
  /** Which of its kind. */
  number: number;
}

/** What the go of this generation is: a retry, or an undo. */
export function goOf(retries: readonly Retried[], generation: number): Go {
  if (generation === 1) return { kind: "first", number: 1 };
  const kind = retries.find((retry) => retry.generation === generation)?.kind ?? "retry";
  const others = retries.filter((retry) => retry.generation < generation && retry.kind !== kind).length;
  return { kind, number: generation - 1 - others };
}

export function timesOf(retries: readonly Retried[]): { retried: number; undone: number } {
  const undone = retries.filter((retry) => retry.kind === "undo").length;
  return { retried: retries.length - undone, undone };
}
