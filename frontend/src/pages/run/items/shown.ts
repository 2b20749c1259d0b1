/** What the lists of a run show: the outermost steps, and the undoing of containers as steps of their own. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { RunStep } from "../../../api/runs";
import type { GraphDocument } from "../../../api/types";
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

export const isCall = (type: string) => type.startsWith("flow.run_workflow@");

/** How many items of the run that is shown did not end well. Runs of other workflows are none of its items. */
export function failedItems({ steps, graph }: Shown): number {
  const calls = new Set(graph?.nodes.filter((node) => isCall(node.type)).map((node) => node.id));
  return Object.entries(steps).reduce((sum, [node, step]) => sum + (calls.has(node) ? 0 : (step.items?.failed ?? 0)), 0);
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
