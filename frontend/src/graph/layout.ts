/** "Tidy up": places all steps top to bottom. Pure; runs in a worker (see layoutClient.ts). */
import { graphlib, layout as runDagre } from "@dagrejs/dagre";
import { BODY, FRAME } from "./containers";
import { CARD, ERROR_HANDLE, type Point, UNDO_HANDLE } from "./types";

export interface LayoutNode {
  id: string;
  x: number;
  y: number;
  /** As drawn; of a container with steps in it, it follows from how these are laid out. */
  width: number;
  height: number;
  parent: string | null;
  /** Handles in the order in which they stand at the card, left to right. */
  ways: string[];
}
export interface LayoutEdge {
  source: string;
  sourceHandle: string;
  target: string;
}
export interface LayoutRequest {
  nodes: LayoutNode[];
  edges: LayoutEdge[];
}

/** New top-left positions by id, each reckoned in its body: the innermost bodies first, then what stands around them. */
export function layout(request: LayoutRequest): Record<string, Point> {
  const result: Record<string, Point> = {};
  const known = new Set(request.nodes.map((node) => node.id));
  const levels = new Map<string | null, LayoutNode[]>();
  for (const node of request.nodes) {
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null;
    const level = levels.get(parent) ?? [];
    level.push(parent === node.parent ? node : { ...node, parent });
    levels.set(parent, level);
  }
  const done = new Set<string | null>();
  const run = (parent: string | null): { width: number; height: number } => {
    if (done.has(parent)) return CARD;
    done.add(parent);
    const nodes = (levels.get(parent) ?? []).map((node) => {
      if (!levels.has(node.id)) return node;
      const body = run(node.id);
      return {
        ...node,
        width: Math.max(FRAME.width, BODY.x + body.width + FRAME.rim),
        height: Math.max(FRAME.height, BODY.y + body.height + FRAME.foot),
      };
    });
    const inside = new Set(nodes.map((node) => node.id));
    const level = { nodes, edges: request.edges.filter((edge) => inside.has(edge.source) && inside.has(edge.target)) };
    const positions = layoutLevel(level);
    Object.assign(result, parent === null ? anchored(level, positions) : atCorner(positions));
    return {
      width: Math.max(0, ...nodes.map((node) => (result[node.id]?.x ?? 0) + node.width)),
      height: Math.max(0, ...nodes.map((node) => (result[node.id]?.y ?? 0) + node.height)),
    };
  };
  run(null);
  // What stands in itself, by a circle of containers, is not drawn as standing in anything.
  for (const parent of levels.keys()) run(parent);
  return result;
}

function atCorner(positions: Record<string, Point>): Record<string, Point> {
  const points = Object.values(positions);
  const x = Math.min(...points.map((point) => point.x));
  const y = Math.min(...points.map((point) => point.y));
  for (const point of points) Object.assign(point, { x: point.x - x, y: point.y - y });
  return positions;
}

/** Flows that are not connected with each other stand side by side, in their present order. */
function layoutLevel(request: LayoutRequest): Record<string, Point> {
  const result: Record<string, Point> = {};
  const beside = undoSteps(request.edges);
  const flow: LayoutRequest = {
    nodes: request.nodes.filter((node) => !beside.has(node.id)),
    edges: request.edges.filter((edge) => edge.sourceHandle !== UNDO_HANDLE),
  };
  const groups = components(flow).sort((a, b) => leftOf(a) - leftOf(b));
  let left = 0;
  for (const group of groups) {
    const placed = layoutComponent(group, flow.edges);
    placed.width = placeBeside(placed.positions, beside, placed.width);
    for (const [id, point] of Object.entries(placed.positions)) {
      result[id] = { x: snapTo(point.x + left), y: snapTo(point.y) };
    }
    left += placed.width + CARD.columnGap * 2;
  }
  return result;
}

/** Undo steps by id, each with the step that it undoes. One whose action is itself beside another stays in the flow. */
function undoSteps(edges: readonly LayoutEdge[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const edge of edges) {
    if (edge.sourceHandle === UNDO_HANDLE && edge.source !== edge.target && !found.has(edge.target)) found.set(edge.target, edge.source);
  }
  for (const [step, action] of [...found]) if (found.has(action)) found.delete(step);
  return found;
}

/** Sets undo steps right of their actions; whatever stands further right in the same row makes room. Answers the new width. */
function placeBeside(positions: Record<string, Point>, beside: ReadonlyMap<string, string>, width: number): number {
  const own = [...beside].flatMap(([step, action]) => (positions[action] ? [{ step, action: positions[action] }] : []));
  own.sort((a, b) => a.action.x - b.action.x || a.action.y - b.action.y);
  let right = width;
  for (const { action } of own) {
    const end = action.x + (CARD.width + CARD.undoGap) + CARD.width + CARD.columnGap;
    const inRow = Object.values(positions).filter((point) => point.x > action.x && Math.abs(point.y - action.y) < CARD.height);
    const shift = end - Math.min(end, ...inRow.map((point) => point.x));
    // The whole right side moves, so that what stands above one another stays so.
    if (shift > 0) for (const point of Object.values(positions)) if (point.x >= action.x + CARD.width) point.x += shift;
    right += shift;
  }
  for (const { step, action } of own) {
    const place = { x: action.x + CARD.width + CARD.undoGap, y: action.y };
    positions[step] = place;
    right = Math.max(right, place.x + CARD.width);
  }
  return right;
}

function leftOf(nodes: readonly LayoutNode[]): number {
  return Math.min(...nodes.map((node) => node.x));
}

function snapTo(value: number): number {
  return Math.round(value / CARD.grid) * CARD.grid;
}

/** Keeps the first step where it is, so that the picture does not jump away. */
function anchored(request: LayoutRequest, positions: Record<string, Point>): Record<string, Point> {
  const top = [...request.nodes].sort((a, b) => a.y - b.y || a.x - b.x)[0];
  const moved = top && positions[top.id];
  if (!top || !moved) return positions;
  const shift = { x: snapTo(top.x - moved.x), y: snapTo(top.y - moved.y) };
  for (const point of Object.values(positions)) {
    point.x += shift.x;
    point.y += shift.y;
  }
  return positions;
}

function components(request: LayoutRequest): LayoutNode[][] {
  const parent = new Map(request.nodes.map((node) => [node.id, node.id]));
  const find = (id: string): string => {
    let at = id;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    return at;
  };
  for (const edge of request.edges) {
    if (parent.has(edge.source) && parent.has(edge.target)) parent.set(find(edge.source), find(edge.target));
  }
  const groups = new Map<string, LayoutNode[]>();
  for (const node of request.nodes) {
    const root = find(node.id);
    groups.set(root, [...(groups.get(root) ?? []), node]);
  }
  return [...groups.values()];
}

function layoutComponent(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): { positions: Record<string, Point>; width: number } {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: CARD.columnGap, ranksep: CARD.rowGap, edgesep: 24, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  const members = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes) graph.setNode(node.id, { width: node.width, height: node.height });
  // Failure paths first, then the ways out from left to right: dagre keeps the order in which it meets them.
  const rank = (edge: LayoutEdge): number => {
    if (edge.sourceHandle === ERROR_HANDLE) return -1;
    return members.get(edge.source)?.ways.indexOf(edge.sourceHandle) ?? 0;
  };
  const own = edges.filter((edge) => members.has(edge.source) && members.has(edge.target));
  const sorted = [...own].sort((a, b) => rank(a) - rank(b));
  sorted.forEach((edge, index) => {
    graph.setEdge(edge.source, edge.target, { weight: edge.sourceHandle === ERROR_HANDLE ? 1 : 4, minlen: 1 }, `${edge.sourceHandle}:${index}`);
  });
  runDagre(graph);
  const positions: Record<string, Point> = {};
  let right = 0;
  for (const node of nodes) {
    const place = graph.node(node.id) as { x: number; y: number };
    positions[node.id] = { x: place.x - node.width / 2, y: place.y - node.height / 2 };
    right = Math.max(right, place.x + node.width / 2);
  }
  const bends = sorted.map((edge, index) => {
    const drawn = graph.edge(edge.source, edge.target, `${edge.sourceHandle}:${index}`) as { points: Point[] };
    return { source: edge.source, rank: rank(edge), x: drawn.points[1]?.x ?? 0 };
  });
  if (isMirrored(bends)) for (const [id, point] of Object.entries(positions)) point.x = right - (members.get(id)?.width ?? CARD.width) - point.x;
  return { positions, width: right };
}

/** Whether more ways out leave in the wrong order than in the right one; the whole picture is then turned over. */
function isMirrored(bends: readonly { source: string; rank: number; x: number }[]): boolean {
  let balance = 0;
  for (const [at, a] of bends.entries()) {
    for (const b of bends.slice(at + 1)) {
      if (a.source !== b.source || a.rank === b.rank || Math.abs(a.x - b.x) < 1) continue;
      balance += a.rank < b.rank === a.x < b.x ? 1 : -1;
    }
  }
  return balance < 0;
}
