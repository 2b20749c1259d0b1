/** What a run shows of its workflow's drawing, and how the runs of its items are laid over it. Pure. */
import type { GraphDocument, RunParent } from "../api/types";
import { withBodies } from "../graph/containers";
import type { RunState } from "./runStore";

const bodies = new WeakMap<GraphDocument, Map<string, GraphDocument>>();

/** Of a run that is an item of a container: what stands in that. Of any other run: the whole drawing. */
export function drawingOf(graph: GraphDocument, parent: RunParent | null | undefined): GraphDocument {
  if (!parent?.is_item) return graph;
  const known = bodies.get(graph) ?? new Map<string, GraphDocument>();
  bodies.set(graph, known);
  const body = known.get(parent.node_id) ?? bodyOf(graph, parent.node_id);
  known.set(parent.node_id, body);
  return body;
}

function bodyOf(graph: GraphDocument, container: string): GraphDocument {
  const inside = withBodies(graph, new Set([container]));
  inside.delete(container);
  const nodes = graph.nodes.flatMap((node) => {
    if (!inside.has(node.id)) return [];
    if (node.parent !== container) return [node];
    const { parent: _container, ...rest } = node;
    return [rest];
  });
  const edges = graph.edges.filter((edge) => inside.has(edge.source) && inside.has(edge.target));
  return { ...graph, nodes, edges, annotations: [] };
}

/** The state of a run with those of opened items laid over it: what stands in a container shows how it stands in that item. */
export function joined(main: RunState, items: readonly RunState[]): RunState {
  if (items.length === 0) return main;
  return {
    ...main,
    steps: Object.assign({}, main.steps, ...items.map((item) => item.steps)) as RunState["steps"],
    edges: Object.assign({}, main.edges, ...items.map((item) => item.edges)) as RunState["edges"],
    undone: Object.assign({}, main.undone, ...items.map((item) => item.undone)) as RunState["undone"],
  };
}
