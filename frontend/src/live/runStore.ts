/**
 * The state of one run as the screen shows it, keyed by node, so that a change re-renders only the cards it touches.
 * The rest of the app reads it through `useRunStep`, `useRunEdge` and `useRun`.
 */
import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";

import type { GraphDocument, GraphEdge, Run, RunChange, RunSnapshot, RunStep } from "../api/types";
import { UNDO_HANDLE } from "../graph/types";
import { applyChange } from "./applyChange";
import { drawingOf } from "./bodies";

export type EdgeState = "taken" | "not_taken" | "undecided";

export interface RunState {
  run: Run | null;
  graph: GraphDocument | null;
  steps: Readonly<Record<string, RunStep>>;
  edges: Readonly<Record<string, EdgeState>>;
  /** The steps whose undo step has done its work. */
  undone: Readonly<Record<string, true>>;
  seq: number;
}

export interface RunStore extends StoreApi<RunState> {
  /** Replaces everything by a fresh snapshot; steps that did not change keep their identity. */
  load(snapshot: RunSnapshot): void;
  /** Applies changes in order. Answers false if there is a gap or another graph, after which a fresh snapshot is needed. */
  apply(changes: readonly RunChange[]): boolean;
  /** Somebody here has put words on the run, or taken some away: no change of the run tells that. */
  tagged(run: string, tags: readonly string[]): void;
  clear(): void;
}

const NOTHING: RunState = { run: null, graph: null, steps: {}, edges: {}, undone: {}, seq: 0 };

/** Whether a run went along this edge: decided by its source step alone. */
export function edgeStateOf(edge: GraphEdge, source: RunStep | undefined): EdgeState {
  // Nothing flows along a link to an undo step.
  if (edge.sourceHandle === UNDO_HANDLE) return "undecided";
  switch (source?.status) {
    case "succeeded":
    case "failed":
      return source.ports.includes(edge.sourceHandle) ? "taken" : "not_taken";
    case "skipped":
    case "cancelled":
      return "not_taken";
    default:
      return "undecided";
  }
}

function sameStep(left: RunStep | undefined, right: RunStep): boolean {
  return left !== undefined && left.seq === right.seq && left.generation === right.generation && sameItems(left.items, right.items);
}

/** Its items may be put right, each by itself, after the step has ended. */
function sameItems(left: RunStep["items"], right: RunStep["items"]): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** The steps of the run's present go: what an earlier one did is not how it stands. Unchanged steps keep their object. */
function stepsByNode({ run, steps }: RunSnapshot, before: RunState["steps"]): Record<string, RunStep> {
  const found: Record<string, RunStep> = {};
  for (const step of steps) {
    if (step.generation !== run.generation) continue;
    const earlier = before[step.node];
    found[step.node] = earlier && sameStep(earlier, step) ? earlier : step;
  }
  return found;
}

function edgesOf(graph: GraphDocument | null, steps: RunState["steps"]): Record<string, EdgeState> {
  const found: Record<string, EdgeState> = {};
  for (const edge of graph?.edges ?? []) found[edge.id] = edgeStateOf(edge, steps[edge.source]);
  return found;
}

function undoneOf(graph: GraphDocument | null, steps: RunState["steps"]): Record<string, true> {
  const found: Record<string, true> = {};
  for (const edge of graph?.edges ?? []) {
    if (edge.sourceHandle === UNDO_HANDLE && steps[edge.target]?.status === "succeeded") found[edge.source] = true;
  }
  // What undoes the items of a container is drawn by nobody.
  for (const node of graph?.nodes ?? []) if (steps[undoOfItems(node.id)]?.status === "succeeded") found[node.id] = true;
  return found;
}

/** What is shown of a run whose steps stand like this. */
export function drawn(run: Run, graph: GraphDocument, steps: RunState["steps"], seq: number): RunState {
  return { run, graph, steps, edges: edgesOf(graph, steps), undone: undoneOf(graph, steps), seq };
}

/** The step that undoes what the runs of this one did. */
export function undoOfItems(node: string): string {
  return `${node}.undo`;
}

export function createRunStore(): RunStore {
  const store = createStore<RunState>(() => NOTHING);
  let snapshot: RunSnapshot | null = null;

  function show(next: RunSnapshot): void {
    snapshot = next;
    store.setState((before) => {
      const sameRun = before.run?.id === next.run.id;
      const steps = stepsByNode(next, sameRun ? before.steps : {});
      return drawn(next.run, drawingOf(next.graph, next.run.parent), steps, next.seq);
    });
  }

  return Object.assign(store, {
    load(next: RunSnapshot) {
      // A snapshot that was asked for before newer changes arrived must not turn the clock back.
      if (snapshot && snapshot.run.id === next.run.id && snapshot.seq > next.seq) return;
      show(next);
    },
    apply(changes: readonly RunChange[]): boolean {
      if (!snapshot) return false;
      let next = snapshot;
      for (const change of changes) {
        if (change.run !== next.run.id) continue;
        // A retry may go on with another version, which has another graph: changes do not bring it.
        const redrawn = change.state.version !== undefined && change.state.version !== next.run.version;
        if (change.after > next.seq || (redrawn && change.seq > next.seq)) {
          if (next !== snapshot) show(next);
          return false;
        }
        next = applyChange(next, change);
      }
      if (next !== snapshot) show(next);
      return true;
    },
    tagged(run: string, tags: readonly string[]) {
      if (snapshot && snapshot.run.id === run) show({ ...snapshot, run: { ...snapshot.run, tags: [...tags] } });
    },
    clear() {
      snapshot = null;
      store.setState(NOTHING, true);
    },
  });
}

const RunStoreContext = createContext<RunStore>(createRunStore());
export const RunStoreProvider = RunStoreContext.Provider;

export function useRunStore(): RunStore {
  return useContext(RunStoreContext);
}

/** The state of the step of this node, or undefined while the run has not reached it. */
export function useRunStep(nodeId: string): RunStep | undefined {
  return useStore(useRunStore(), (state) => state.steps[nodeId]);
}

/** Whether what a step did was undone in this run. */
export function useUndone(nodeId: string): boolean {
  return useStore(useRunStore(), (state) => state.undone[nodeId] ?? false);
}

export function useRunEdge(edgeId: string): EdgeState {
  return useStore(useRunStore(), (state) => state.edges[edgeId] ?? "undecided");
}

export function useRun<T>(select: (state: RunState) => T): T {
  return useStore(useRunStore(), select);
}
