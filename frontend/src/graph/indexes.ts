import type { GraphDocument, GraphEdge, GraphNode } from "./types";

export interface GraphIndex {
  byId: Map<string, GraphNode>;
  byKey: Map<string, GraphNode>;
  outgoing: Map<string, GraphEdge[]>;
  incoming: Map<string, GraphEdge[]>;
  /** Steps so that every link goes forward; steps on a circle come last in document order. */
  order: string[];
  place: Map<string, number>;
  /** Steps that lie on or behind a circle. */
  circular: Set<string>;
}

const cache = new WeakMap<GraphDocument, GraphIndex>();

/** Look-up tables of a document; the same document gives the same tables. */
export function indexOf(document: GraphDocument): GraphIndex {
  const known = cache.get(document);
  if (known) return known;
  const index = build(document);
  cache.set(document, index);
  return index;
}

function build(document: GraphDocument): GraphIndex {
  const byId = new Map(document.nodes.map((node) => [node.id, node]));
  const byKey = new Map(document.nodes.map((node) => [node.key, node]));
  const outgoing = new Map<string, GraphEdge[]>();
  const incoming = new Map<string, GraphEdge[]>();
  const waiting = new Map<string, number>();
  for (const node of document.nodes) {
    outgoing.set(node.id, []);
    incoming.set(node.id, []);
    waiting.set(node.id, 0);
  }
  for (const edge of document.edges) {
    if (!byId.has(edge.source) || !byId.has(edge.target)) continue;
    outgoing.get(edge.source)?.push(edge);
    incoming.get(edge.target)?.push(edge);
    waiting.set(edge.target, (waiting.get(edge.target) ?? 0) + 1);
  }
  const order: string[] = [];
  // Depth first, so that the steps of one branch stand together, as people count them.
  const ready = document.nodes.filter((node) => waiting.get(node.id) === 0).map((node) => node.id).reverse();
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    order.push(id);
    for (const edge of [...(outgoing.get(id) ?? [])].reverse()) {
      const left = (waiting.get(edge.target) ?? 0) - 1;
      waiting.set(edge.target, left);
      if (left === 0) ready.push(edge.target);
    }
  }
  const placed = new Set(order);
  const circular = new Set(document.nodes.filter((node) => !placed.has(node.id)).map((node) => node.id));
  order.push(...circular);
  return { byId, byKey, outgoing, incoming, order, place: new Map(order.map((id, at) => [id, at])), circular };
}

function reach(start: string, next: (id: string) => string[]): Set<string> {
  const seen = new Set<string>();
  const queue = [start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const other of next(id)) {
      if (seen.has(other)) continue;
      seen.add(other);
      queue.push(other);
    }
  }
  return seen;
}

/** All steps that can have run before this one. */
export function upstreamOf(document: GraphDocument, id: string): Set<string> {
  const { incoming } = indexOf(document);
  return reach(id, (at) => (incoming.get(at) ?? []).map((edge) => edge.source));
}

/** All steps that can run after this one. */
export function downstreamOf(document: GraphDocument, id: string): Set<string> {
  const { outgoing } = indexOf(document);
  return reach(id, (at) => (outgoing.get(at) ?? []).map((edge) => edge.target));
}

/** Earlier steps, nearest first (by number of links, then by place in the flow). */
export function earlierSteps(document: GraphDocument, id: string): GraphNode[] {
  const { incoming, byId, place } = indexOf(document);
  const distance = new Map<string, number>([[id, 0]]);
  const queue = [id];
  for (let at = 0; at < queue.length; at += 1) {
    const current = queue[at] as string;
    for (const edge of incoming.get(current) ?? []) {
      if (distance.has(edge.source)) continue;
      distance.set(edge.source, (distance.get(current) ?? 0) + 1);
      queue.push(edge.source);
    }
  }
  return queue
    .filter((other) => other !== id)
    .sort((a, b) => (distance.get(a) ?? 0) - (distance.get(b) ?? 0) || (place.get(b) ?? 0) - (place.get(a) ?? 0))
    .flatMap((other) => byId.get(other) ?? []);
}

/** Steps reached from a step that failed: there, `error` can be used. */
export function isBehindFailure(document: GraphDocument, id: string): boolean {
  const { incoming } = indexOf(document);
  const reached = upstreamOf(document, id).add(id);
  return [...reached].some((at) => (incoming.get(at) ?? []).some((edge) => edge.sourceHandle === "error"));
}
