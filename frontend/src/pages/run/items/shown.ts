/** What the lists of a run show: the outermost steps, and the undoing of containers as steps of their own. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { RunStep } from "../../../api/runs";
import type { GraphDocument } from "../../../api/types";
import { isRepeat } from "../../../graph";
import { DEFAULT_IN, UNDO_HANDLE } from "../../../graph/types";
import { undoOfItems, useRun } from "../../../live";

export const UNDO_ITEMS = "flow.undo_items@1";

/** `undone`: the containers of which the run has such a step. `nameOf`: how it is called. */
export function shownGraph(graph: GraphDocument, undone: readonly string[], nameOf: (container: string) => string): GraphDocument {
  const known = new Set(graph.nodes.map((node) => node.id));
  const outer = graph.nodes.filter((node) => node.parent === undefined || !known.has(node.parent));
  if (undone.length === 0 && outer.length === graph.nodes.length) return graph;
  const nodes = outer.flatMap((node) => {
    if (!undone.includes(node.id)) return [node];
    const id = undoOfItems(node.id);
    return [node, { ...node, id, key: `${node.key}.undo`, name: nameOf(node.name), type: UNDO_ITEMS, config: {}, settings: {} }];
  });
  const shown = new Set(nodes.map((node) => node.id));
  const links = undone.map((source) => ({ id: `${source}.undo`, source, sourceHandle: UNDO_HANDLE, target: undoOfItems(source), targetHandle: DEFAULT_IN }));
  return { ...graph, nodes, edges: [...graph.edges, ...links].filter((edge) => shown.has(edge.source) && shown.has(edge.target)) };
}

interface Shown {
  steps: Record<string, Pick<RunStep, "items">>;
  graph: { nodes: readonly { id: string; type: string }[] } | null;
}

/** Repeat until has turns, everything else items: which word of the two texts say. */
export const unitOf = (node: { type: string } | undefined) => (isRepeat(node) ? "turn" : "item");

export const isCall = (type: string) => type.startsWith("flow.run_workflow@");

/** What the runs that a step of this type has begun are to it, where they are counted. */
export const countedAs = (type: string) => (isCall(type) ? "call" : unitOf({ type }));

/** What did not end well of what a step had done: items, at whatever depth, and workflows that it or they only started. */
function failedOf(type: string | undefined, items: RunStep["items"] | undefined): { items: number; calls: number } {
  const called = type !== undefined && isCall(type);
  const inside = items?.failed_inside ?? 0;
  return called ? { items: inside, calls: (items?.failed ?? 0) + (items?.failed_calls ?? 0) } : { items: (items?.failed ?? 0) + inside, calls: items?.failed_calls ?? 0 };
}

/** How many items of the run that is shown did not end well. Runs of other workflows are none of its items. */
export function failedItems({ steps, graph }: Shown): number {
  const types = new Map(graph?.nodes.map((node) => [node.id, node.type]));
  return Object.entries(steps).reduce((sum, [node, step]) => sum + failedOf(types.get(node), step.items).items, 0);
}

/** The steps of which items, or workflows that were only started, did not end well. Of one that failed itself its error says why. */
export function failedSteps<N extends { id: string; type: string }>(
  graph: { nodes: readonly N[] },
  steps: Record<string, Pick<RunStep, "items" | "status">>,
): { node: N; items: number; calls: number }[] {
  return graph.nodes.flatMap((node) => {
    const step = steps[node.id];
    const found = failedOf(node.type, step?.items);
    const told = isCall(node.type) && step?.status === "failed";
    return !told && found.items + found.calls > 0 ? [{ node, ...found }] : [];
  });
}

/** The shown graph of the run that is shown; null while it is not known. */
export function useShownGraph(): GraphDocument | null {
  const { t } = useTranslation("runs");
  const graph = useRun((state) => state.graph);
  const undone = useRun((state) => (state.graph?.nodes ?? []).filter((node) => state.steps[undoOfItems(node.id)]).map((node) => node.id).join(" "));
  return useMemo(
    () => graph && shownGraph(graph, undone === "" ? [] : undone.split(" "), (name) => t("undo.ofItems", { name })),
    [graph, undone, t],
  );
}
