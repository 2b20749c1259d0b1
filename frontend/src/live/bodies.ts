/** What a run shows of its workflow's drawing. Pure, and small: every screen follows runs. */
import type { GraphDocument, RunParent } from "../api/types";

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
  const parents = new Map(graph.nodes.map((node) => [node.id, node.parent]));
  const isInside = (id: string): boolean => {
    let at = parents.get(id);
    // No deeper than there are steps, should they stand in one another in a circle.
    for (let left = parents.size; at !== undefined && left > 0; left -= 1) {
      if (at === container) return true;
      at = parents.get(at);
    }
    return false;
  };
  const nodes = graph.nodes.flatMap((node) => {
    if (!isInside(node.id)) return [];
    if (node.parent !== container) return [node];
    const { parent: _container, ...rest } = node;
    return [rest];
  });
  const inside = new Set(nodes.map((node) => node.id));
  const edges = graph.edges.filter((edge) => inside.has(edge.source) && inside.has(edge.target));
  return { ...graph, nodes, edges, annotations: [] };
}
