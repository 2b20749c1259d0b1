/** The workflow as a list that can be read aloud: steps in order, branches as groups, joins once. */
import { indexOf } from "./indexes";
import { isContainer } from "./containers";
import { portsOf } from "./ports";
import { ERROR_HANDLE, type GraphDocument, type GraphEdge, type Specs, UNDO_HANDLE } from "./types";

/** Stands in place of a way out for what is done for each item. */
export const BODY_HANDLE = "body";

export type OutlineRow =
  | { kind: "step"; id: string; node: string; number: number; children: OutlineRow[] }
  | { kind: "way"; id: string; node: string; handle: string; label: string; failure: boolean; children: OutlineRow[] }
  | { kind: "goto"; id: string; node: string; number: number };

export function outline(document: GraphDocument, specs: Specs): OutlineRow[] {
  const index = indexOf(document);
  const numbers = numberSteps(document);
  const shown = new Set<string>();

  /** The step that undoes this one, as a way of its own beside those of the flow. */
  const undoRows = (id: string): OutlineRow[] => {
    const by = index.undoneBy.get(id);
    if (by === undefined) return [];
    return [{ kind: "way", id: `${id}:${UNDO_HANDLE}`, node: id, handle: UNDO_HANDLE, label: "", failure: false, children: chain(by, new Set()) }];
  };

  /** What stands in a container, before the ways on. */
  const bodyRows = (id: string): OutlineRow[] => {
    const body = index.bodies.get(id) ?? [];
    if (body.length === 0 && !isContainer(specs[index.byId.get(id)?.type ?? ""])) return [];
    return [{ kind: "way", id: `${id}:${BODY_HANDLE}`, node: id, handle: BODY_HANDLE, label: "", failure: false, children: level(body) }];
  };

  const level = (ids: readonly string[]): OutlineRow[] => {
    const roots = ids.filter((id) => (index.incoming.get(id) ?? []).length === 0 && !index.undoes.has(id));
    const rows = roots.flatMap((id) => chain(id, new Set()));
    for (const id of ids) if (!shown.has(id)) rows.push(...chain(id, new Set()));
    return rows;
  };

  const chain = (start: string, stops: ReadonlySet<string>): OutlineRow[] => {
    const rows: OutlineRow[] = [];
    let at: string | null = start;
    while (at !== null) {
      const id: string = at;
      if (stops.has(id) || shown.has(id)) {
        if (shown.has(id)) rows.push({ kind: "goto", id: `goto-${id}-${rows.length}-${start}`, node: id, number: numbers.get(id) ?? 0 });
        break;
      }
      shown.add(id);
      const row: OutlineRow = { kind: "step", id, node: id, number: numbers.get(id) ?? 0, children: [] };
      rows.push(row);
      row.children.push(...bodyRows(id));
      const ways = waysOf(id);
      const single = ways.length === 1 && ways[0] && !ways[0].failure && ways[0].label === "" ? ways[0].edges : null;
      if (single && single.length === 1) {
        row.children.push(...undoRows(id));
        at = single[0]?.target ?? null;
        continue;
      }
      const heads = ways.flatMap((way) => way.edges.map((edge) => edge.target));
      const join = joinOf(heads);
      const inner = new Set([...stops, ...(join ? [join] : [])]);
      for (const way of ways) {
        row.children.push({
          kind: "way",
          id: `${id}:${way.handle}`,
          node: id,
          handle: way.handle,
          label: way.label,
          failure: way.failure,
          children: way.edges.flatMap((edge) => chain(edge.target, inner)),
        });
      }
      row.children.push(...undoRows(id));
      at = join;
    }
    return rows;
  };

  interface Way { handle: string; label: string; failure: boolean; edges: GraphEdge[] }
  const waysOf = (id: string): Way[] => {
    const node = index.byId.get(id);
    const edges = index.outgoing.get(id) ?? [];
    if (!node) return [];
    const ports = portsOf(specs[node.type], node.config);
    const several = ports.length > 1;
    const ways: Way[] = ports.map((port) => ({
      handle: port.id,
      label: several ? port.label || port.id : "",
      failure: false,
      edges: edges.filter((edge) => edge.sourceHandle === port.id),
    }));
    const failing = edges.filter((edge) => edge.sourceHandle === ERROR_HANDLE);
    if (failing.length > 0) ways.push({ handle: ERROR_HANDLE, label: "", failure: true, edges: failing });
    return ways.filter((way) => (several && !index.undoes.has(id)) || way.failure || way.edges.length > 0);
  };

  /** The first step where at least two of these paths meet again. */
  const joinOf = (heads: string[]): string | null => {
    if (heads.length < 2) return null;
    const counts = new Map<string, number>();
    for (const head of heads) for (const id of reachable(head)) counts.set(id, (counts.get(id) ?? 0) + 1);
    const shared = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
    shared.sort((a, b) => (index.place.get(a) ?? 0) - (index.place.get(b) ?? 0));
    return shared[0] ?? null;
  };

  const reachable = (start: string): Set<string> => {
    const seen = new Set([start]);
    const queue = [start];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (const edge of index.outgoing.get(id) ?? []) {
        if (seen.has(edge.target)) continue;
        seen.add(edge.target);
        queue.push(edge.target);
      }
    }
    return seen;
  };

  return level(index.bodies.get(null) ?? []);
}

/** Step numbers as the outline and the aria labels say them: the order of the flow, from 1. */
export function numberSteps(document: GraphDocument): Map<string, number> {
  return new Map(indexOf(document).order.map((id, at) => [id, at + 1]));
}
