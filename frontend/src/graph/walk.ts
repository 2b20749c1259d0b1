/** Where the arrow keys lead from a step. */
import { containersAround, framesOf } from "./containers";
import { indexOf } from "./indexes";
import { ERROR_HANDLE, type GraphDocument, type GraphNode, type Point, type Specs } from "./types";

export type Direction = "up" | "down" | "left" | "right";

/**
 * The next step in a direction: along links for up and down, into a container and out of it, else the nearest card that way;
 * null at the rim.
 */
export function walk(document: GraphDocument, specs: Specs, from: string, direction: Direction): string | null {
  const { bodies, byId, incoming } = indexOf(document);
  const node = byId.get(from);
  if (!node) return document.nodes[0]?.id ?? null;
  const view: View = { document, boxes: framesOf(document, specs).boxes };
  const stepsOf = (ids: readonly string[]): GraphNode[] => ids.flatMap((id) => byId.get(id) ?? []);
  if (direction === "down") {
    const body = bodies.get(from);
    if (body && body.length > 0) return body[0] ?? null;
    for (let at: GraphNode | undefined = node; at; at = byId.get(at.parent ?? "")) {
      const linked = nearest(view, node, onward(document, at.id));
      if (linked) return linked;
    }
    return beside(view, node, direction);
  }
  if (direction === "up") {
    const linked = nearest(view, node, stepsOf((incoming.get(from) ?? []).map((edge) => edge.source)));
    return linked ?? (node.parent !== undefined && byId.has(node.parent) ? node.parent : beside(view, node, direction));
  }
  return beside(view, node, direction);
}

interface View {
  document: GraphDocument;
  boxes: ReadonlyMap<string, Point>;
}

function onward(document: GraphDocument, id: string): GraphNode[] {
  const { byId, outgoing } = indexOf(document);
  const edges = outgoing.get(id) ?? [];
  const plain = edges.filter((edge) => edge.sourceHandle !== ERROR_HANDLE);
  return (plain.length > 0 ? plain : edges).flatMap((edge) => byId.get(edge.target) ?? []);
}

function nearest(view: View, from: GraphNode, others: GraphNode[]): string | null {
  const at = (node: GraphNode): Point => view.boxes.get(node.id) ?? node.position;
  const distance = (node: GraphNode): number => Math.abs(at(from).x - at(node).x) + Math.abs(at(from).y - at(node).y);
  return [...others].sort((a, b) => distance(a) - distance(b) || at(a).x - at(b).x)[0]?.id ?? null;
}

function beside({ document, boxes }: View, from: GraphNode, direction: Direction): string | null {
  const here = boxes.get(from.id) ?? from.position;
  const around = new Set(containersAround(document, from.id).map((node) => node.id));
  const scored = document.nodes.flatMap((node) => {
    const at = boxes.get(node.id) ?? node.position;
    const dx = at.x - here.x;
    const dy = at.y - here.y;
    const ahead = direction === "left" ? -dx : direction === "right" ? dx : direction === "up" ? -dy : dy;
    const aside = direction === "left" || direction === "right" ? Math.abs(dy) : Math.abs(dx);
    // Only what lies within 60 degrees of the direction counts.
    return node.id !== from.id && !around.has(node.id) && ahead > 4 && aside <= ahead * 1.75 + 40 ? [{ id: node.id, score: ahead + aside * 2 }] : [];
  });
  scored.sort((a, b) => a.score - b.score);
  return scored[0]?.id ?? null;
}
