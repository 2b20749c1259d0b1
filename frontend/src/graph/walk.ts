/** Where the arrow keys lead from a step. */
import { indexOf } from "./indexes";
import { ERROR_HANDLE, type GraphDocument, type GraphNode } from "./types";

export type Direction = "up" | "down" | "left" | "right";

/** The next step in a direction: along links for up and down, else the nearest card that way; null at the rim. */
export function walk(document: GraphDocument, from: string, direction: Direction): string | null {
  const { byId, incoming, outgoing } = indexOf(document);
  const node = byId.get(from);
  if (!node) return document.nodes[0]?.id ?? null;
  if (direction === "down") {
    const edges = outgoing.get(from) ?? [];
    const onward = edges.filter((edge) => edge.sourceHandle !== ERROR_HANDLE);
    const linked = nearest(node, (onward.length > 0 ? onward : edges).flatMap((edge) => byId.get(edge.target) ?? []));
    return linked ?? beside(document, node, direction);
  }
  if (direction === "up") {
    const linked = nearest(node, (incoming.get(from) ?? []).flatMap((edge) => byId.get(edge.source) ?? []));
    return linked ?? beside(document, node, direction);
  }
  return beside(document, node, direction);
}

function nearest(from: GraphNode, others: GraphNode[]): string | null {
  const sorted = [...others].sort((a, b) => distance(from, a) - distance(from, b) || a.position.x - b.position.x);
  return sorted[0]?.id ?? null;
}

function distance(a: GraphNode, b: GraphNode): number {
  return Math.abs(a.position.x - b.position.x) + Math.abs(a.position.y - b.position.y);
}

function beside(document: GraphDocument, from: GraphNode, direction: Direction): string | null {
  const scored = document.nodes.flatMap((node) => {
    const dx = node.position.x - from.position.x;
    const dy = node.position.y - from.position.y;
    const ahead = direction === "left" ? -dx : direction === "right" ? dx : direction === "up" ? -dy : dy;
    const aside = direction === "left" || direction === "right" ? Math.abs(dy) : Math.abs(dx);
    // Only what lies within 60 degrees of the direction counts.
    return node.id !== from.id && ahead > 4 && aside <= ahead * 1.75 + 40 ? [{ id: node.id, score: ahead + aside * 2 }] : [];
  });
  scored.sort((a, b) => a.score - b.score);
  return scored[0]?.id ?? null;
}
