/**
 * Containers: steps whose body is a small flow of its own. A step stands in the container that its `parent` names; its place
 * is reckoned from the upper left corner of that body. How large a container is follows from what stands in it.
 */
import { indexOf } from "./indexes";
import { CARD, type GraphDocument, type GraphNode, type Point, type Specs, type StepSpec } from "./types";

/** The frame of a container: its header, the rim around its body, and what it measures while it is empty. */
export const FRAME = { rim: 24, foot: 56, width: CARD.width + 48, height: 80 + CARD.height + 56 } as const;
/** From the corner of a container to that of its body: below its head and the row of its items. */
export const BODY: Point = { x: FRAME.rim, y: 80 };
/** How deep containers may stand in one another. */
export const DEEPEST = 4;

export interface Box extends Point {
  width: number;
  height: number;
}

/** Repeat until: it has turns, where others have items. */
export const isRepeat = (node: Pick<GraphNode, "type"> | undefined) => node?.type.startsWith("flow.repeat@") === true;

export function isContainer(spec: StepSpec | undefined): boolean {
  return spec?.container === true;
}

/** The settings that are worked out for each entry of a list, so that they know `item` and `index`: of a container, and of a review. */
const ITEM_FIELDS: Readonly<Record<string, readonly string[]>> = {
  "flow.for_each": ["label", "item_key", "amount", "currency", "posted"],
  "flow.repeat": ["until"],
  "people.review": ["rules"],
};
/** The one of these that is worked out as an item ends, from what the steps inside gave. */
const ENDED_FIELD = "posted";

/** Whether this is a setting in which a container speaks of each of its items. */
export function speaksOfItems(node: Pick<GraphNode, "type">, field: string): boolean {
  return ITEM_FIELDS[node.type.split("@")[0] ?? ""]?.includes(field.split(/[.[]/)[0] ?? "") ?? false;
}

/** Whether this is a setting in which a container speaks of what the steps inside gave. */
export function speaksOfEnds(node: Pick<GraphNode, "type">, field: string): boolean {
  return field === ENDED_FIELD && speaksOfItems(node, field);
}

/** Whether formulas in this field of a step know `item` and `index`. */
export function knowsItems(node: GraphNode, field: string): boolean {
  return node.parent !== undefined || speaksOfItems(node, field);
}

export interface Frames {
  /** Where each step stands on the canvas, and how large it is. */
  boxes: ReadonlyMap<string, Box>;
  /** The steps that are drawn as a frame: containers, and whatever else has steps standing in it. */
  containers: ReadonlySet<string>;
}

const cache = new WeakMap<GraphDocument, { specs: Specs; frames: Frames }>();

/** Where everything stands; the same document gives the same tables. */
export function framesOf(document: GraphDocument, specs: Specs): Frames {
  const known = cache.get(document);
  if (known?.specs === specs) return known.frames;
  const frames = build(document, specs);
  cache.set(document, { specs, frames });
  return frames;
}

function build(document: GraphDocument, specs: Specs): Frames {
  const { byId, bodies } = indexOf(document);
  const boxes = new Map<string, Box>();
  const containers = new Set<string>();
  /** The size first, from the inside out. */
  const measure = (node: GraphNode): { width: number; height: number } => {
    const body = bodies.get(node.id) ?? [];
    if (body.length === 0 && !isContainer(specs[node.type])) return CARD;
    containers.add(node.id);
    let right = 0;
    let bottom = 0;
    for (const id of body) {
      const inner = byId.get(id);
      if (!inner) continue;
      const size = measure(inner);
      boxes.set(id, { ...inner.position, width: size.width, height: size.height });
      right = Math.max(right, inner.position.x + size.width);
      bottom = Math.max(bottom, inner.position.y + size.height);
    }
    return { width: Math.max(FRAME.width, BODY.x + right + FRAME.rim), height: Math.max(FRAME.height, BODY.y + bottom + FRAME.foot) };
  };
  /** Then the place, from the outside in. */
  const place = (id: string, corner: Point): void => {
    for (const inner of bodies.get(id) ?? []) {
      const box = boxes.get(inner);
      if (!box) continue;
      const at = { ...box, x: corner.x + BODY.x + box.x, y: corner.y + BODY.y + box.y };
      boxes.set(inner, at);
      place(inner, at);
    }
  };
  for (const id of bodies.get(null) ?? []) {
    const node = byId.get(id);
    if (!node) continue;
    const size = measure(node);
    boxes.set(id, { ...node.position, width: size.width, height: size.height });
    place(id, node.position);
  }
  return { boxes, containers };
}

export function boxOf(document: GraphDocument, specs: Specs, id: string): Box | undefined {
  return framesOf(document, specs).boxes.get(id);
}

/** How large a step of this type is drawn before anything stands in it. */
export function sizeOf(spec: StepSpec | undefined): { width: number; height: number } {
  const { width, height } = isContainer(spec) ? FRAME : CARD;
  return { width, height };
}

/** A container that waits for its first step. */
export function isEmptyContainer(document: GraphDocument, specs: Specs, id: string): boolean {
  const { byId, children } = indexOf(document);
  return isContainer(specs[byId.get(id)?.type ?? ""]) && !children.has(id);
}

/** The corner from which places in this body are reckoned; that of the canvas for null. */
export function cornerOf(document: GraphDocument, specs: Specs, parent: string | null): Point {
  const box = parent === null ? undefined : boxOf(document, specs, parent);
  return box ? { x: box.x + BODY.x, y: box.y + BODY.y } : { x: 0, y: 0 };
}

/** The containers around a step, the innermost first. */
export function containersAround(document: GraphDocument, id: string): GraphNode[] {
  const { byId } = indexOf(document);
  const found: GraphNode[] = [];
  let at = byId.get(id)?.parent;
  while (at !== undefined) {
    const node = byId.get(at);
    if (!node || found.includes(node)) break;
    found.push(node);
    at = node.parent;
  }
  return found;
}

/** These steps and everything that stands in them. */
export function withBodies(document: GraphDocument, ids: ReadonlySet<string>): Set<string> {
  const { children } = indexOf(document);
  const found = new Set(ids);
  const queue = [...ids];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const inner of children.get(id) ?? []) {
      if (found.has(inner)) continue;
      found.add(inner);
      queue.push(inner);
    }
  }
  return found;
}

/** Of these steps, those that do not stand in another one of them. */
export function outermost(document: GraphDocument, ids: ReadonlySet<string>): Set<string> {
  return new Set([...ids].filter((id) => !containersAround(document, id).some((around) => ids.has(around.id))));
}

/** How many containers stand in one another here, this step included. */
export function heightOf(document: GraphDocument, specs: Specs, id: string): number {
  const { children, byId } = indexOf(document);
  const seen = new Set<string>();
  const height = (at: string): number => {
    if (seen.has(at)) return 0;
    seen.add(at);
    const inner = children.get(at) ?? [];
    const own = inner.length > 0 || isContainer(specs[byId.get(at)?.type ?? ""]) ? 1 : 0;
    return own + Math.max(0, ...inner.map(height));
  };
  return height(id);
}

/** Whether this step, with all that stands in it, may stand in that container. */
export function mayStandIn(document: GraphDocument, specs: Specs, id: string, parent: string | null): boolean {
  const node = indexOf(document).byId.get(id);
  if (!node || parent === null) return node !== undefined;
  if (specs[node.type]?.trigger || withBodies(document, new Set([id])).has(parent)) return false;
  return containersAround(document, parent).length + 1 + heightOf(document, specs, id) <= DEEPEST;
}

/** The container whose frame holds this point of the canvas, the innermost one; null outside of all. */
export function containerAt(document: GraphDocument, specs: Specs, point: Point, ignore: ReadonlySet<string> = new Set()): string | null {
  const { boxes, containers } = framesOf(document, specs);
  let found: { id: string; size: number } | null = null;
  for (const id of containers) {
    const box = boxes.get(id);
    if (!box || ignore.has(id)) continue;
    const inside = point.x >= box.x && point.x <= box.x + box.width && point.y >= box.y && point.y <= box.y + box.height;
    const size = box.width * box.height;
    if (inside && (!found || size < found.size)) found = { id, size };
  }
  return found?.id ?? null;
}

/**
 * Brings the steps of each body to its corner and the container to meet them, so that nothing moves on the canvas and no
 * frame is larger than what stands in it.
 */
export function settleBodies(document: GraphDocument): void {
  const inside = document.nodes.filter((node) => node.parent !== undefined);
  if (inside.length === 0) return;
  const bodies = new Map<string, GraphNode[]>();
  for (const node of inside) bodies.set(node.parent ?? "", [...(bodies.get(node.parent ?? "") ?? []), node]);
  const byId = new Map(document.nodes.map((node) => [node.id, node]));
  const done = new Set<string>();
  const settle = (id: string): void => {
    if (done.has(id)) return;
    done.add(id);
    const container = byId.get(id);
    const body = bodies.get(id) ?? [];
    for (const node of body) if (bodies.has(node.id)) settle(node.id);
    const x = Math.min(...body.map((node) => node.position.x));
    const y = Math.min(...body.map((node) => node.position.y));
    if (!container || (x === 0 && y === 0)) return;
    for (const node of body) node.position = { x: node.position.x - x, y: node.position.y - y };
    container.position = { x: container.position.x + x, y: container.position.y + y };
  };
  for (const id of bodies.keys()) settle(id);
}
