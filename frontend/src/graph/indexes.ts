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
  /** What stands in each container, by the container's id, in the order of the document. */
  children: Map<string, string[]>;
  /** The same in the order of the flow; under null what stands in none, or in one that is not there. */
  bodies: Map<string | null, string[]>;
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
  const flat = [...forward.filter((id) => !undoes.has(id)), ...last];
  const children = new Map<string, string[]>();
  for (const { id, parent } of document.nodes) if (parent !== undefined && byId.has(parent)) listOf(children, parent).push(id);
  const bodies = children.size > 0 ? bodiesOf(flat, byId) : new Map([[null, flat]]);
  const order = children.size > 0 ? throughBodies(bodies, undoes) : flat;
  return {
    byId, byKey, outgoing, incoming, undoneBy, undoes, order, place: new Map(order.map((id, at) => [id, at])), circular, children, bodies,
  };
}

function listOf<K>(lists: Map<K, string[]>, key: K): string[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function bodiesOf(order: readonly string[], byId: GraphIndex["byId"]): GraphIndex["bodies"] {
  const bodies: GraphIndex["bodies"] = new Map([[null, []]]);
  for (const id of order) {
    const around = new Set([id]);
    let outer = byId.get(id)?.parent;
    while (outer !== undefined && byId.has(outer) && !around.has(outer)) {
      around.add(outer);
      outer = byId.get(outer)?.parent;
    }
    // Steps that stand in one another in a circle stand in none.
    const parent = byId.get(id)?.parent;
    const key = parent !== undefined && byId.has(parent) && !(outer !== undefined && around.has(outer)) ? parent : null;
    listOf(bodies, key).push(id);
  }
  return bodies;
}

/** A container, then its body, then what follows; the undo steps of the outermost flow last. */
function throughBodies(bodies: GraphIndex["bodies"], undoes: GraphIndex["undoes"]): string[] {
  const found: string[] = [];
  const visit = (ids: readonly string[]): void => {
    for (const id of ids) {
      found.push(id);
      visit(bodies.get(id) ?? []);
    }
  };
  visit((bodies.get(null) ?? []).filter((id) => !undoes.has(id)));
  visit((bodies.get(null) ?? []).filter((id) => undoes.has(id)));
  return found;
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

/**
 * What comes right before a step. Before an undo step comes the one that it undoes; before the steps of a body also what
 * comes before its container, which itself is not over by then.
 */
function sourcesOf({ byId, incoming, undoes }: GraphIndex, id: string): string[] {
  const sources: string[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = id; at !== undefined && !seen.has(at); at = byId.get(at)?.parent) {
    seen.add(at);
    const action = undoes.get(at);
    if (action !== undefined) sources.push(action);
    for (const edge of incoming.get(at) ?? []) sources.push(edge.source);
  }
  return sources;
}

/** All steps that can have run before this one. */
export function upstreamOf(document: GraphDocument, id: string): Set<string> {
  const index = indexOf(document);
  return reach(id, (at) => sourcesOf(index, at));
}

/** All steps that can run after this one has begun: what follows it, and what stands in a container among them. */
export function downstreamOf(document: GraphDocument, id: string): Set<string> {
  const { children, outgoing } = indexOf(document);
  return reach(id, (at) => [...(outgoing.get(at) ?? []).map((edge) => edge.target), ...(children.get(at) ?? [])]);
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
  const { byId, incoming } = indexOf(document);
  const reached = upstreamOf(document, id).add(id);
  for (let at = byId.get(id)?.parent; at !== undefined && !reached.has(at); at = byId.get(at)?.parent) reached.add(at);
  return [...reached].some((at) => (incoming.get(at) ?? []).some((edge) => edge.sourceHandle === "error"));
}
