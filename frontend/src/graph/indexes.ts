import { type GraphDocument, type GraphEdge, type GraphNode, UNDO_HANDLE } from "./types";

export interface GraphIndex {
  byId: Map<string, GraphNode>;
  byKey: Map<string, GraphNode>;
  /** The links of the way forward; those to undo steps are no part of it. */
  outgoing: Map<string, GraphEdge[]>;
  incoming: Map<string, GraphEdge[]>;
  /** Per step, the step that undoes it; and the other way round. */
  undoneBy: Map<string, string>;
  undoes: Map<string, string>;
  /**
   * Steps so that every link goes forward; steps on a circle come last in document order. Undo steps come after all
   * others, in the order in which they undo.
   */
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
  const undoneBy = new Map<string, string>();
  const undoes = new Map<string, string>();
  const waiting = new Map<string, number>();
  for (const node of document.nodes) {
    outgoing.set(node.id, []);
    incoming.set(node.id, []);
    waiting.set(node.id, 0);
  }
  for (const edge of document.edges) {
    if (!byId.has(edge.source) || !byId.has(edge.target)) continue;
    if (edge.sourceHandle === UNDO_HANDLE) {
      if (!undoneBy.has(edge.source)) undoneBy.set(edge.source, edge.target);
      if (!undoes.has(edge.target) && edge.source !== edge.target) undoes.set(edge.target, edge.source);
      continue;
    }
    outgoing.get(edge.source)?.push(edge);
    incoming.get(edge.target)?.push(edge);
    waiting.set(edge.target, (waiting.get(edge.target) ?? 0) + 1);
  }
  const forward: string[] = [];
  // Depth first, so that the steps of one branch stand together, as people count them.
  const ready = document.nodes.filter((node) => waiting.get(node.id) === 0).map((node) => node.id).reverse();
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    forward.push(id);
    for (const edge of [...(outgoing.get(id) ?? [])].reverse()) {
      const left = (waiting.get(edge.target) ?? 0) - 1;
      waiting.set(edge.target, left);
      if (left === 0) ready.push(edge.target);
    }
  }
  const placed = new Set(forward);
  const circular = new Set(document.nodes.filter((node) => !placed.has(node.id)).map((node) => node.id));
  forward.push(...circular);
  const step = new Map(forward.map((id, at) => [id, at]));
  const last = [...undoes].sort((a, b) => (step.get(b[1]) ?? 0) - (step.get(a[1]) ?? 0)).map(([id]) => id);
  const order = [...forward.filter((id) => !undoes.has(id)), ...last];
  return { byId, byKey, outgoing, incoming, undoneBy, undoes, order, place: new Map(order.map((id, at) => [id, at])), circular };
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

/** What comes right before a step. Before an undo step comes the one that it undoes. */
function sourcesOf({ incoming, undoes }: GraphIndex, id: string): string[] {
  const action = undoes.get(id);
  const sources = (incoming.get(id) ?? []).map((edge) => edge.source);
  return action === undefined ? sources : [action, ...sources];
}

/** All steps that can have run before this one. */
export function upstreamOf(document: GraphDocument, id: string): Set<string> {
  const index = indexOf(document);
  return reach(id, (at) => sourcesOf(index, at));
}

/** All steps that can run after this one. */
export function downstreamOf(document: GraphDocument, id: string): Set<string> {
  const { outgoing } = indexOf(document);
  return reach(id, (at) => (outgoing.get(at) ?? []).map((edge) => edge.target));
}

/** Earlier steps, nearest first (by number of links, then by place in the flow). */
export function earlierSteps(document: GraphDocument, id: string): GraphNode[] {
  const index = indexOf(document);
  const { byId, place } = index;
  const distance = new Map<string, number>([[id, 0]]);
  const queue = [id];
  for (let at = 0; at < queue.length; at += 1) {
    const current = queue[at] as string;
    for (const source of sourcesOf(index, current)) {
      if (distance.has(source)) continue;
      distance.set(source, (distance.get(current) ?? 0) + 1);
      queue.push(source);
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
