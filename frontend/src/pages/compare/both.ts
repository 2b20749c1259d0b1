/** The drawings of two versions as one. Pure. */
import type { GraphDocument } from "../../api/types";

/** The first, and with it what only the second has, where that stands there. */
export function both(here: GraphDocument, there: GraphDocument): GraphDocument {
  const known = new Set(here.nodes.map((node) => node.id));
  const more = there.nodes.filter((node) => !known.has(node.id));
  if (more.length === 0) return here;
  const nodes = [...here.nodes, ...more];
  const all = new Set(nodes.map((node) => node.id));
  const drawn = new Set(here.edges.map((edge) => edge.id));
  const lines = new Set(here.edges.map((edge) => `${edge.source}|${edge.sourceHandle}|${edge.target}`));
  const edges = there.edges.filter(
    (edge) => !drawn.has(edge.id) && !lines.has(`${edge.source}|${edge.sourceHandle}|${edge.target}`) && all.has(edge.source) && all.has(edge.target),
  );
  return { ...here, nodes, edges: [...here.edges, ...edges] };
}
