/** What is wrong with containers and with what stands in them. The same codes as the server's. */
import type { Add } from "./checkUndo";
import { containersAround, DEEPEST, isContainer } from "./containers";
import { indexOf } from "./indexes";
import type { GraphDocument, GraphNode, Specs } from "./types";

export function checkContainers(document: GraphDocument, specs: Specs, add: Add): void {
  const { byId, children } = indexOf(document);
  for (const node of document.nodes) {
    if (isContainer(specs[node.type]) && !children.has(node.id)) {
      add(node.settings.disabled ? "warning" : "error", "container.empty", { node: node.id }, { step: node.name });
    }
    if (node.parent !== undefined) checkParent(document, node, specs, add);
  }
  for (const edge of document.edges) {
    const source = byId.get(edge.source);
    const target = byId.get(edge.target);
    if (!source || !target || (source.parent ?? null) === (target.parent ?? null)) continue;
    add("error", "edge.crosses_container", { edge: edge.id, node: source.id }, { source: source.name, target: target.name });
  }
}

function checkParent(document: GraphDocument, node: GraphNode, specs: Specs, add: Add): void {
  const { byId } = indexOf(document);
  const where = { node: node.id, field: "step.parent" };
  const parent = byId.get(node.parent ?? "");
  if (!parent) {
    add("error", "node.parent_missing", where, { step: node.name });
    return;
  }
  const names = { step: node.name, container: parent.name };
  if (specs[parent.type] && !isContainer(specs[parent.type])) {
    add("error", "node.parent_not_container", where, names);
    return;
  }
  if (specs[node.type]?.trigger) add("error", "node.trigger_inside", where, names);
  const around = containersAround(document, node.id);
  if (around.includes(node) || around.at(-1)?.parent !== undefined) {
    if (around.some((outer) => outer.parent !== undefined && !byId.has(outer.parent))) return;
    add("error", "node.parent_circle", where, { step: node.name });
  } else if (around.length > DEEPEST) add("error", "node.too_deep", where, { step: node.name, deepest: DEEPEST });
}
