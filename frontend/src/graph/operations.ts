/**
 * Every edit of a workflow as a function on a (draft of a) document. They are run inside `commit` of history.ts, which
 * turns what they changed into patches; none of them needs an inverse of its own.
 */
import { copyOf } from "./exact";
import { type Box, boxOf, containersAround, cornerOf, framesOf, outermost, settleBodies, sizeOf, withBodies } from "./containers";
import { newId } from "./ids";
import { downstreamOf, indexOf } from "./indexes";
import { makeKey, makeName } from "./keys";
import { portsOf } from "./ports";
import { refusal } from "./rules";
import { referencesIn, renameInValue } from "./template";
import {
  CARD, DEFAULT_IN, DEFAULT_OUT, ERROR_HANDLE, type Annotation, type GraphDocument, type GraphEdge, type GraphNode,
  type Json, type Point, type Specs, type StepSettings, type StepSpec, UNDO_HANDLE,
} from "./types";
import { isUndoLink } from "./undo";

export { settleBodies };

export function snap(point: Point): Point {
  return { x: Math.round(point.x / CARD.grid) * CARD.grid, y: Math.round(point.y / CARD.grid) * CARD.grid };
}

export function buildStep(document: GraphDocument, spec: StepSpec, position: Point): GraphNode {
  const name = makeName(spec.title, document.nodes.map((node) => node.name));
  return {
    id: newId("n"),
    key: makeKey(name, document.nodes.map((node) => node.key)),
    name,
    type: spec.type,
    config: copyOf(spec.defaults ?? {}),
    position: snap(position),
    settings: {},
  };
}

function buildEdge(source: string, sourceHandle: string, target: string): GraphEdge {
  return { id: newId("e"), source, sourceHandle, target, targetHandle: DEFAULT_IN };
}

/** What is drawn on one level: on the canvas itself (null) or in one body. */
export interface Level {
  specs: Specs;
  parent: string | null;
}

/** A copy to read while a document is being changed: what is looked up in it is not kept for later. */
function plainOf(document: GraphDocument): GraphDocument {
  return { ...document, nodes: [...document.nodes], edges: [...document.edges] };
}

/** The boxes of a level as its steps' places are reckoned. */
function boxesOn(document: GraphDocument, { specs, parent }: Level): Map<string, Box> {
  const { boxes } = framesOf(document, specs);
  const siblings = document.nodes.filter((node) => (node.parent ?? null) === parent);
  return new Map(siblings.map((node) => [node.id, { ...(boxes.get(node.id) ?? CARD), ...node.position }]));
}

/** The first place at or right of `wanted` where a step of this type covers no other one of its level. */
export function freePlace(document: GraphDocument, level: Level, wanted: Point, spec?: StepSpec, ignore: ReadonlySet<string> = new Set()): Point {
  const size = sizeOf(spec);
  const place = snap(wanted);
  const others = [...boxesOn(document, level)].filter(([id]) => !ignore.has(id)).map(([, box]) => box);
  const clash = (): Box | undefined => others.find((box) => overlaps(box, { ...size, ...place }));
  for (let guard = 0, hit = clash(); guard < 400 && hit; guard += 1, hit = clash()) place.x = Math.ceil((hit.x + hit.width + CARD.columnGap) / CARD.grid) * CARD.grid;
  return snap(place);
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width + 8 && b.x < a.x + a.width + 8 && a.y < b.y + b.height + 16 && b.y < a.y + a.height + 16;
}

const PITCH = CARD.height + CARD.rowGap;

/** Where a new step goes that follows `source` by `handle`. */
export function placeAfter(document: GraphDocument, specs: Specs, source: GraphNode, handle: string, added?: StepSpec): Point {
  const own = boxOf(document, specs, source.id) ?? { ...source.position, ...CARD };
  const size = sizeOf(added);
  const below = source.position.y + own.height + CARD.rowGap;
  if (handle === ERROR_HANDLE) return { x: source.position.x - size.width - CARD.columnGap, y: below };
  if (handle === UNDO_HANDLE) return { x: source.position.x + own.width + CARD.undoGap, y: source.position.y };
  const ports = portsOf(specs[source.type], source.config);
  const at = Math.max(0, ports.findIndex((port) => port.id === handle));
  const shift = ports.length > 1 ? (at - (ports.length - 1) / 2) * (CARD.width + CARD.columnGap) : 0;
  return { x: source.position.x + (own.width - size.width) / 2 + shift, y: below + (ports.length > 1 ? 8 : 0) };
}

/** Where to attach a step that is to follow `source`: a free way out if there is one, else into the first link. */
export function wayAfter(document: GraphDocument, specs: Specs, source: GraphNode): { handle: string; edge: GraphEdge | null } {
  const edges = indexOf(document).outgoing.get(source.id) ?? [];
  const ports = portsOf(specs[source.type], source.config);
  const free = ports.find((port) => !edges.some((edge) => edge.sourceHandle === port.id));
  if (free) return { handle: free.id, edge: null };
  const edge = edges.find((other) => other.sourceHandle !== ERROR_HANDLE) ?? null;
  return { handle: edge?.sourceHandle ?? DEFAULT_OUT, edge };
}

export function addStep(document: GraphDocument, step: GraphNode): void {
  document.nodes.push(step);
}

export function addLink(document: GraphDocument, source: string, sourceHandle: string, target: string): string {
  const edge = buildEdge(source, sourceHandle, target);
  document.edges.push(edge);
  if (sourceHandle === ERROR_HANDLE) setSettings(document, source, { on_failure: "error_port" });
  if (sourceHandle === UNDO_HANDLE) {
    setSettings(document, source, { undo: undefined });
    // What happens if it fails is not up to an undo step, and nobody undoes it.
    setSettings(document, target, { undo: undefined, on_failure: undefined, fallback: undefined });
  }
  return edge.id;
}

/** Puts an existing, unconnected step into a link: A → B becomes A → step → B. Later steps make room. */
export function insertIntoLink(document: GraphDocument, specs: Specs, edgeId: string, stepId: string): void {
  const edge = document.edges.find((other) => other.id === edgeId);
  const step = document.nodes.find((node) => node.id === stepId);
  if (!edge || !step) return;
  const target = edge.target;
  edge.target = step.id;
  const way = portsOf(specs[step.type], step.config)[0];
  if (way) document.edges.push(buildEdge(step.id, way.id, target));
  makeRoomBelow(document, specs, step.id);
}

/** Moves what follows a step down until it no longer covers it; what stands beside stays where it is. */
export function makeRoomBelow(document: GraphDocument, specs: Specs, stepId: string): void {
  const plain = plainOf(document);
  const step = document.nodes.find((node) => node.id === stepId);
  if (!step) return;
  const behind = downstreamOf(plain, stepId);
  // Undo steps stay beside what they undo.
  for (const [by, action] of indexOf(plain).undoes) if (behind.has(action)) behind.add(by);
  const followers = document.nodes.filter(
    (node) => node.parent === step.parent && behind.has(node.id) && node.position.y > step.position.y - PITCH,
  );
  const nearest = Math.min(...followers.map((node) => node.position.y));
  const height = boxOf(plain, specs, stepId)?.height ?? CARD.height;
  const shift = step.position.y + height + CARD.rowGap - nearest;
  if (!Number.isFinite(shift) || shift <= 0) return;
  for (const node of followers) node.position.y += Math.ceil(shift / CARD.grid) * CARD.grid;
}

/** After a body has changed: its frame fits again, and so does every frame around it; what follows them makes room. */
export function fitAround(document: GraphDocument, specs: Specs, parents: Iterable<string | null | undefined>): void {
  settleBodies(document);
  const grown = new Set<string>();
  for (const parent of parents) {
    if (parent === null || parent === undefined) continue;
    for (const id of [parent, ...containersAround(plainOf(document), parent).map((node) => node.id)]) {
      if (grown.has(id)) continue;
      grown.add(id);
      makeRoomBelow(document, specs, id);
    }
  }
  settleBodies(document);
}

export function removeLinks(document: GraphDocument, edgeIds: ReadonlySet<string>): void {
  const gone = document.edges.filter((edge) => edgeIds.has(edge.id));
  document.edges = document.edges.filter((edge) => !edgeIds.has(edge.id));
  for (const edge of gone) if (edge.sourceHandle === ERROR_HANDLE) forgetErrorPort(document, edge.source);
}

/** Says what is to be undone of a step: by no step any more, and nothing at all if it says so. */
export function setNothingToUndo(document: GraphDocument, id: string, nothing: boolean): void {
  document.edges = document.edges.filter((edge) => edge.source !== id || !isUndoLink(edge));
  setSettings(document, id, { undo: nothing ? "nothing" : undefined });
}

function forgetErrorPort(document: GraphDocument, nodeId: string): void {
  const node = document.nodes.find((other) => other.id === nodeId);
  if (node?.settings.on_failure === "error_port") delete node.settings.on_failure;
}

/** Removes steps, with what stands in them, and heals the chain: A → X → B becomes A → B where X had exactly one way on. */
export function removeSteps(document: GraphDocument, specs: Specs, ids: ReadonlySet<string>): void {
  const plain = plainOf(document);
  const all = withBodies(plain, ids);
  const chosen = outermost(plain, ids);
  const parents = plain.nodes.filter((node) => chosen.has(node.id)).map((node) => node.parent);
  for (const id of chosen) {
    cutOut(document, specs, id, () => {
      document.nodes = document.nodes.filter((node) => node.id !== id);
    });
  }
  document.edges = document.edges.filter((edge) => !all.has(edge.source) && !all.has(edge.target));
  document.nodes = document.nodes.filter((node) => !all.has(node.id));
  for (const note of document.annotations) if (note.attached_to && all.has(note.attached_to)) delete note.attached_to;
  fitAround(document, specs, parents);
}

/** Takes a step out of its chain by `take`; what led to it leads on where it had exactly one way on. */
function cutOut(document: GraphDocument, specs: Specs, id: string, take: () => void): void {
  const links = document.edges.filter((edge) => !isUndoLink(edge) && edge.source !== edge.target);
  const incoming = links.filter((edge) => edge.target === id);
  const onward = links.filter((edge) => edge.source === id && edge.sourceHandle !== ERROR_HANDLE);
  const targets = [...new Set(onward.map((edge) => edge.target))];
  document.edges = document.edges.filter((edge) => edge.source !== id && edge.target !== id);
  take();
  const only = targets.length === 1 ? targets[0] : undefined;
  for (const edge of incoming) {
    const healed = only !== undefined && tryLink(document, specs, edge.source, edge.sourceHandle, only);
    if (!healed && edge.sourceHandle === ERROR_HANDLE) forgetErrorPort(document, edge.source);
  }
}

/**
 * Puts steps, with what stands in them, into a container, or (null) on the canvas itself. They stay where they are unless
 * `places` says otherwise (by the place in the new body); links that would cross the frame are cut, and the chain they
 * leave is healed.
 */
export function moveInto(
  document: GraphDocument, specs: Specs, ids: ReadonlySet<string>, parent: string | null, places: ReadonlyMap<string, Point> = new Map(),
): void {
  const before = plainOf(document);
  const { byId, undoneBy } = indexOf(before);
  // What undoes a step goes where that goes.
  const along = [...ids].flatMap((id) => [id, undoneBy.get(id) ?? []].flat());
  const moved = new Set([...outermost(before, new Set(along))].filter((id) => (byId.get(id)?.parent ?? null) !== parent));
  const { boxes } = framesOf(before, specs);
  const corner = cornerOf(before, specs, parent);
  const left = [...moved].map((id) => byId.get(id)?.parent);
  const kept = document.edges.filter((edge) => moved.has(edge.source) && moved.has(edge.target));
  for (const id of moved) {
    const node = document.nodes.find((other) => other.id === id);
    const box = boxes.get(id);
    if (!node || !box) continue;
    cutOut(document, specs, id, () => {
      node.position = places.get(id) ?? { x: box.x - corner.x, y: box.y - corner.y };
      if (parent === null) delete node.parent;
      else node.parent = parent;
    });
    if (node.settings.on_failure === "error_port") delete node.settings.on_failure;
  }
  for (const edge of kept) {
    document.edges.push(edge);
    if (edge.sourceHandle === ERROR_HANDLE) setSettings(document, edge.source, { on_failure: "error_port" });
  }
  fitAround(document, specs, [...left, parent]);
}

function tryLink(document: GraphDocument, specs: Specs, source: string, sourceHandle: string, target: string): boolean {
  const plain = plainOf(document);
  if (refusal(plain, specs, { source, sourceHandle, target, targetHandle: DEFAULT_IN }) !== null) return false;
  document.edges.push(buildEdge(source, sourceHandle, target));
  return true;
}

export function moveSteps(document: GraphDocument, positions: ReadonlyMap<string, Point>): void {
  for (const node of document.nodes) {
    const next = positions.get(node.id);
    if (next && (next.x !== node.position.x || next.y !== node.position.y)) node.position = { x: next.x, y: next.y };
  }
}

/** Gives a step a new name; its key follows as long as it was made from the old name, and so do all references. */
export function renameStep(document: GraphDocument, id: string, name: string): void {
  const node = document.nodes.find((other) => other.id === id);
  if (!node || !name.trim() || node.name === name.trim()) return;
  const others = document.nodes.filter((other) => other.id !== id).map((other) => other.key);
  const madeFromName = node.key === makeKey(node.name, others);
  node.name = name.trim();
  if (madeFromName) rekeyStep(document, id, makeKey(node.name, others));
}

/** Changes the key of a step and every formula that uses it. */
export function rekeyStep(document: GraphDocument, id: string, key: string): void {
  const node = document.nodes.find((other) => other.id === id);
  if (!node || node.key === key) return;
  const old = node.key;
  node.key = key;
  rewriteReferences(document.nodes, (used) => (used === old ? key : null));
}

function rewriteReferences(nodes: GraphNode[], rename: (key: string) => string | null): void {
  for (const node of nodes) {
    const config = renameInValue(node.config, rename);
    if (config !== node.config) node.config = config;
    const fallback = node.settings.fallback;
    if (fallback !== undefined) {
      const next = renameInValue(fallback, rename);
      if (next !== fallback) node.settings.fallback = next;
    }
  }
}

/** Sets one value of the configuration; `undefined` removes it. */
export function setConfig(document: GraphDocument, specs: Specs, id: string, field: string, value: Json | undefined): void {
  const node = document.nodes.find((other) => other.id === id);
  if (!node) return;
  if (value === undefined) delete node.config[field];
  else node.config[field] = value;
  dropLostWays(document, specs, node);
}

/** A removed case takes its link along. */
function dropLostWays(document: GraphDocument, specs: Specs, node: GraphNode): void {
  const spec = specs[node.type];
  if (!spec?.ports_from) return;
  const ways = new Set(portsOf(spec, node.config).map((port) => port.id));
  document.edges = document.edges.filter(
    (edge) => edge.source !== node.id || edge.sourceHandle === ERROR_HANDLE || isUndoLink(edge) || ways.has(edge.sourceHandle),
  );
}

export function setSettings(document: GraphDocument, id: string, changes: { [K in keyof StepSettings]?: StepSettings[K] | undefined }): void {
  const node = document.nodes.find((other) => other.id === id);
  if (!node) return;
  const settings = node.settings as Record<string, unknown>;
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete settings[name];
    else settings[name] = value;
  }
}

export function setNotes(document: GraphDocument, id: string, notes: string): void {
  const node = document.nodes.find((other) => other.id === id);
  if (!node) return;
  if (notes) node.notes = notes;
  else delete node.notes;
}

export function toggleDisabled(document: GraphDocument, ids: ReadonlySet<string>): void {
  const chosen = document.nodes.filter((node) => ids.has(node.id));
  const disable = chosen.some((node) => !node.settings.disabled);
  for (const node of chosen) {
    if (disable) node.settings.disabled = true;
    else delete node.settings.disabled;
  }
}


export function changeNote(document: GraphDocument, id: string, changes: Partial<Omit<Annotation, "id">>): void {
  const note = document.annotations.find((other) => other.id === id);
  if (note) Object.assign(note, changes);
}

export function removeNotes(document: GraphDocument, ids: ReadonlySet<string>): void {
  document.annotations = document.annotations.filter((note) => !ids.has(note.id));
}

/** Steps whose configuration uses the output of any of these; asked about before deleting. */
export function usersOf(document: GraphDocument, chosen: ReadonlySet<string>): GraphNode[] {
  const ids = withBodies(document, chosen);
  const keys = new Set(document.nodes.filter((node) => ids.has(node.id)).map((node) => node.key));
  const isStart = (node: GraphNode): boolean => node.type.startsWith("trigger.");
  const starts = document.nodes.filter(isStart);
  /** What started the run is known as long as one start that leads here stays. */
  const startGoes = (id: string): boolean => {
    // An undo step hangs at its action: what starts that one starts it.
    const at = indexOf(document).undoes.get(id) ?? id;
    const leading = starts.filter((start) => downstreamOf(document, start.id).has(at));
    return leading.length > 0 && leading.every((start) => ids.has(start.id));
  };
  return document.nodes.filter((node) => {
    if (ids.has(node.id)) return false;
    let used = false;
    renameInValue([node.config, node.settings.fallback], (key) => {
      if (keys.has(key)) used = true;
      return null;
    });
    return used || (startGoes(node.id) && referencesIn([node.config, node.settings.fallback ?? null]).some((found) => found.reference.root === "trigger"));
  });
}

/**
 * Adds copies of the given steps with the links among them; returns old id → new id. What stands in a copied container
 * stands in its copy; of the others, `into` says where.
 */
export function addCopies(
  document: GraphDocument,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  offset: Point,
  into: (node: GraphNode) => string | null = () => null,
): Map<string, string> {
  const copied = new Set(nodes.map((node) => node.id));
  const ids = new Map<string, string>();
  const keys = new Map<string, string>();
  const copies: GraphNode[] = [];
  for (const node of nodes) {
    const copy = copyOf(node);
    copy.id = newId("n");
    copy.name = makeName(node.name, document.nodes.map((other) => other.name));
    copy.key = makeKey(copy.name, document.nodes.map((other) => other.key));
    if (node.parent === undefined || !copied.has(node.parent)) copy.position = snap({ x: node.position.x + offset.x, y: node.position.y + offset.y });
    ids.set(node.id, copy.id);
    keys.set(node.key, copy.key);
    document.nodes.push(copy);
    copies.push(copy);
  }
  for (const copy of copies) {
    const rename = (key: string): string | null => keys.get(key) ?? null;
    copy.config = renameInValue(copy.config, rename);
    if (copy.settings.fallback !== undefined) copy.settings.fallback = renameInValue(copy.settings.fallback, rename);
  }
  for (const [at, copy] of copies.entries()) {
    const parent = ids.get(copy.parent ?? "") ?? into(nodes[at] as GraphNode);
    if (parent === null) delete copy.parent;
    else copy.parent = parent;
  }
  for (const edge of edges) {
    const source = ids.get(edge.source);
    const target = ids.get(edge.target);
    if (source && target) document.edges.push({ ...edge, id: newId("e"), source, target });
  }
  for (const copy of copies) {
    const failing = document.edges.some((edge) => edge.source === copy.id && edge.sourceHandle === ERROR_HANDLE);
    if (copy.settings.on_failure === "error_port" && !failing) delete copy.settings.on_failure;
  }
  return ids;
}
