/** Undo steps: the step that takes back what an action did. They hang at their action and are no part of the way forward. */
import { withBodies } from "./containers";
import { indexOf, upstreamOf } from "./indexes";
import { type GraphDocument, type GraphEdge, type GraphNode, type Specs, type StepSpec, UNDO_HANDLE } from "./types";

/** A step that does something outside: only such can be undone, and only such can undo. */
export function isAction(spec: StepSpec | undefined): boolean {
  return spec?.category === "app" && !spec.trigger;
}

export function isUndoLink(edge: Pick<GraphEdge, "sourceHandle">): boolean {
  return edge.sourceHandle === UNDO_HANDLE;
}

/** The step that undoes this one. */
export function undoStepOf(document: GraphDocument, id: string): GraphNode | undefined {
  const { byId, undoneBy } = indexOf(document);
  return byId.get(undoneBy.get(id) ?? "");
}

/** The step that this one undoes. */
export function undoneStepOf(document: GraphDocument, id: string): GraphNode | undefined {
  const { byId, undoes } = indexOf(document);
  return byId.get(undoes.get(id) ?? "");
}

/** Whether an undo link can begin here: at an action that is not an undo step itself. */
export function hasUndoPort(document: GraphDocument, specs: Specs, id: string): boolean {
  const { byId, undoes } = indexOf(document);
  return isAction(specs[byId.get(id)?.type ?? ""]) && !undoes.has(id);
}

const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether an action changes something outside, as far as its type and its method say. */
export function writesOutside(spec: StepSpec | undefined, node: GraphNode): boolean {
  if (!spec || !isAction(spec)) return false;
  if (spec.name === "http.request") return !READING.has(String(node.config["method"] ?? spec.defaults["method"] ?? "GET").toUpperCase());
  return typeof spec.effect === "string" && spec.effect !== "pure" && spec.effect !== "read";
}

export interface UndoTurn {
  action: GraphNode;
  /** What undoes it. */
  by: GraphNode | undefined;
  /** Nobody has said what undoes it, and something does need to be undone. */
  open: boolean;
}

/** What is undone of the way up to and including a step, the last action first. */
export function undoTurns(document: GraphDocument, specs: Specs, id: string): UndoTurn[] {
  const { byId, order, undoes } = indexOf(document);
  // What a container did is undone item by item, so its body counts.
  const way = withBodies(document, upstreamOf(document, id).add(id));
  return order.flatMap((at): UndoTurn[] => {
    const action = byId.get(at);
    if (!action || !way.has(at) || undoes.has(at) || action.settings.disabled || !isAction(specs[action.type])) return [];
    const by = undoStepOf(document, at);
    const writes = writesOutside(specs[action.type], action);
    return by || writes ? [{ action, by, open: !by && action.settings.undo !== "nothing" }] : [];
  }).reverse();
}
