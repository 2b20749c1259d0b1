/**
 * Every edit of a workflow as a function on a (draft of a) document. They are run inside `commit` of history.ts, which
 * turns what they changed into patches; none of them needs an inverse of its own.
 */
import { copyOf } from "./exact";
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

/** The first place at or right of `wanted` where a card covers no other card. */
export function freePlace(document: GraphDocument, wanted: Point, ignore: ReadonlySet<string> = new Set()): Point {
  const place = snap(wanted);
  const others = document.nodes.filter((node) => !ignore.has(node.id));
  const clashes = (at: Point): boolean => others.some((node) => overlaps(node.position, at));
  for (let guard = 0; guard < 400 && clashes(place); guard += 1) place.x += CARD.width + CARD.columnGap;
  return snap(place);
}

function overlaps(a: Point, b: Point): boolean {
  return Math.abs(a.x - b.x) < CARD.width + 8 && Math.abs(a.y - b.y) < CARD.height + 16;
}

const PITCH = CARD.height + CARD.rowGap;

/** Where a new step goes that follows `source` by `handle`. */
export function placeAfter(source: GraphNode, spec: StepSpec | undefined, handle: string): Point {
  if (handle === ERROR_HANDLE) return { x: source.position.x - CARD.width - CARD.columnGap, y: source.position.y + PITCH };
  if (handle === UNDO_HANDLE) return { x: source.position.x + CARD.width + CARD.undoGap, y: source.position.y };
  const ports = portsOf(spec, source.config);
  const at = Math.max(0, ports.findIndex((port) => port.id === handle));
  const shift = ports.length > 1 ? (at - (ports.length - 1) / 2) * (CARD.width + CARD.columnGap) : 0;
  return { x: source.position.x + shift, y: source.position.y + PITCH + (ports.length > 1 ? 8 : 0) };
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
  makeRoomBelow(document, step.id);
}

/** Moves what follows a step down until it no longer covers it; what stands beside stays where it is. */
export function makeRoomBelow(document: GraphDocument, stepId: string): void {
  const plain: GraphDocument = { ...document, nodes: [...document.nodes], edges: [...document.edges] };
  const step = document.nodes.find((node) => node.id === stepId);
  if (!step) return;
  const behind = downstreamOf(plain, stepId);
  // Undo steps stay beside what they undo.
  for (const [by, action] of indexOf(plain).undoes) if (behind.has(action)) behind.add(by);
  const followers = document.nodes.filter((node) => behind.has(node.id) && node.position.y > step.position.y - PITCH);
  const nearest = Math.min(...followers.map((node) => node.position.y));
  const shift = step.position.y + PITCH - nearest;
  if (!Number.isFinite(shift) || shift <= 0) return;
  for (const node of followers) node.position.y += Math.ceil(shift / CARD.grid) * CARD.grid;
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

/** Removes steps and heals the chain: A → X → B becomes A → B where X had exactly one way on. */
export function removeSteps(document: GraphDocument, specs: Specs, ids: ReadonlySet<string>): void {
  for (const id of ids) {
    const links = document.edges.filter((edge) => !isUndoLink(edge) && edge.source !== edge.target);
    const incoming = links.filter((edge) => edge.target === id);
    const onward = links.filter((edge) => edge.source === id && edge.sourceHandle !== ERROR_HANDLE);
    const targets = [...new Set(onward.map((edge) => edge.target))];
    document.edges = document.edges.filter((edge) => edge.source !== id && edge.target !== id);
    document.nodes = document.nodes.filter((node) => node.id !== id);
    const only = targets.length === 1 ? targets[0] : undefined;
    for (const edge of incoming) {
      const healed = only !== undefined && tryLink(document, specs, edge.source, edge.sourceHandle, only);
      if (!healed && edge.sourceHandle === ERROR_HANDLE) forgetErrorPort(document, edge.source);
    }
  }
  for (const note of document.annotations) if (note.attached_to && ids.has(note.attached_to)) delete note.attached_to;
}

function tryLink(document: GraphDocument, specs: Specs, source: string, sourceHandle: string, target: string): boolean {
  const plain: GraphDocument = { ...document, nodes: [...document.nodes], edges: [...document.edges] };
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
export function usersOf(document: GraphDocument, ids: ReadonlySet<string>): GraphNode[] {
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

/** Adds copies of the given steps with the links among them; returns old id → new id. */
export function addCopies(
  document: GraphDocument,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  offset: Point,
): Map<string, string> {
  const ids = new Map<string, string>();
  const keys = new Map<string, string>();
  const copies: GraphNode[] = [];
  for (const node of nodes) {
    const copy = copyOf(node);
    copy.id = newId("n");
    copy.name = makeName(node.name, document.nodes.map((other) => other.name));
    copy.key = makeKey(copy.name, document.nodes.map((other) => other.key));
    copy.position = snap({ x: node.position.x + offset.x, y: node.position.y + offset.y });
    ids.set(node.id, copy.id);
    keys.set(node.key, copy.key);
    document.nodes.push(copy);
    copies.push(copy);
  }
  for (const copy of copies) {
    const rename = (key: string): string | null => keys.get(key) ?? null;
    copy.config = renameInValue(copy.config, rename);
    if (copy.settings.fallback !== undefined) copy.settings.fallback = renameInValue(copy.settings.fallback, rename);
    if (copy.parent) {
      const parent = ids.get(copy.parent);
      if (parent) copy.parent = parent;
      else delete copy.parent;
    }
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
