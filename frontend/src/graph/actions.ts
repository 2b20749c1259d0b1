/** What people do in the editor, as calls on the store: each is one undo entry with a label and an announcement. */
import { copySteps, readSteps } from "./clipboard";
import {
  BODY, boxOf, containerAt, containersAround, cornerOf, DEEPEST, framesOf, heightOf, isContainer, mayStandIn, outermost, sizeOf, withBodies,
} from "./containers";
import type { EditorStore } from "./editorStore";
import { copyOf } from "./exact";
import { newId } from "./ids";
import * as operations from "./operations";
import { refusal } from "./rules";
import { isEmpty, fieldsOf, isShown, valueOf } from "./schema";
import { CARD, DEFAULT_OUT, type GraphDocument, type GraphNode, type Label, type Point, type Specs, type StepSpec, UNDO_HANDLE } from "./types";
import { isUndoLink, undoneStepOf } from "./undo";

/** Where a new step goes. */
export type Anchor =
  /** At a place of the canvas; in the container that is named. */
  | { kind: "free"; position: Point; inside?: string | null }
  /** At the beginning of a container's body. */
  | { kind: "inside"; container: string }
  | { kind: "after"; source: string; handle?: string; position?: Point }
  | { kind: "link"; edge: string; position?: Point };

/** Adds a step of this type, connected as the anchor says, and selects it. Returns its id. */
export function addStep(store: EditorStore, spec: StepSpec, anchor: Anchor): string {
  const { document, specs } = store.getState();
  const node = operations.buildStep(document, spec, { x: 0, y: 0 });
  const plan = planFor(store, spec, anchor);
  node.position = plan.position;
  if (plan.parent !== null) node.parent = plan.parent;
  const undoes = plan.handle === UNDO_HANDLE && plan.after !== null;
  const label: Label = undoes
    ? { key: "history.addUndo", params: { name: node.name, action: plan.after ?? "" } }
    : { key: "history.add", params: { name: node.name } };
  const empty = fieldsOf(spec.config_schema).filter(
    (field, _index, all) => field.required && isShown(field, all, node.config) && isEmpty(valueOf(field, node.config)),
  ).length;
  const announce: Label = undoes
    ? { key: "announce.addedUndo", params: { name: node.name, action: plan.after ?? "", count: empty } }
    : plan.after ? { key: "announce.addedAfter", params: { name: node.name, after: plan.after, count: empty } }
    : plan.parent !== null ? { key: "announce.addedIn", params: { name: node.name, container: nameOf(document, plan.parent), count: empty } }
    : { key: "announce.added", params: { name: node.name, count: empty } };
  store.edit(
    label,
    (draft) => {
      operations.addStep(draft, node);
      if (plan.edge) operations.insertIntoLink(draft, specs, plan.edge, node.id);
      else if (plan.source) operations.addLink(draft, plan.source, plan.handle, node.id);
      operations.fitAround(draft, specs, [plan.parent]);
    },
    { select: [node.id], announce },
  );
  return node.id;
}

interface Plan {
  position: Point;
  parent: string | null;
  source: string | null;
  handle: string;
  edge: string | null;
  after: string | null;
}

/** The container that a new step of this type can stand in: this one, or one around it where it stands deep enough. */
function fitting(document: GraphDocument, spec: StepSpec, wanted: string | null): string | null {
  if (spec.trigger || wanted === null) return null;
  const height = isContainer(spec) ? 1 : 0;
  const around = [wanted, ...containersAround(document, wanted).map((node) => node.id)];
  return around.find((id) => containersAround(document, id).length + 1 + height <= DEEPEST) ?? null;
}

function planFor(store: EditorStore, spec: StepSpec, anchor: Anchor): Plan {
  const { document, specs } = store.getState();
  const alone = { source: null, handle: DEFAULT_OUT, edge: null, after: null };
  /** Unconnected, at a place of the canvas. */
  const free = (place: Point, wanted: string | null = null): Plan => {
    const parent = fitting(document, spec, wanted);
    const corner = cornerOf(document, specs, parent);
    const position = { x: place.x - corner.x, y: place.y - corner.y };
    return { ...alone, parent, position: operations.freePlace(document, { specs, parent }, position, spec) };
  };
  if (anchor.kind === "free") return free(anchor.position, anchor.inside ?? null);
  if (anchor.kind === "inside") {
    const corner = cornerOf(document, specs, anchor.container);
    return free(corner, anchor.container);
  }
  const around = (step: { parent?: string }): string | null => step.parent ?? null;
  if (anchor.kind === "link") {
    const edge = document.edges.find((other) => other.id === anchor.edge);
    const source = document.nodes.find((node) => node.id === edge?.source);
    const target = document.nodes.find((node) => node.id === edge?.target);
    if (!edge || isUndoLink(edge) || !source || !target || spec.trigger) return free(anchor.position ?? nextStart(document, specs));
    if (fitting(document, spec, around(source)) !== around(source)) return free(cornerOf(document, specs, null), null);
    const below = operations.placeAfter(document, specs, source, edge.sourceHandle, spec);
    const shift = ((boxOf(document, specs, target.id)?.width ?? CARD.width) - sizeOf(spec).width) / 2;
    // In a straight piece the new step stands where the next one stood; else above its target.
    const position = anchor.position ?? { x: target.position.x + shift, y: Math.min(below.y, target.position.y) };
    return { position: operations.snap(position), parent: around(source), source: source.id, handle: edge.sourceHandle, edge: edge.id, after: source.name };
  }
  // Nothing follows an undo step: who goes on building there means what comes after the step that it undoes.
  const source = undoneStepOf(document, anchor.source) ?? document.nodes.find((node) => node.id === anchor.source);
  if (!source || spec.trigger) return free(anchor.position ?? nextStart(document, specs));
  const level = { specs, parent: around(source) };
  if (fitting(document, spec, level.parent) !== level.parent) return free(boxOf(document, specs, source.id) ?? source.position, level.parent);
  const after = (handle: string, wanted?: Point): Plan => {
    const corner = cornerOf(document, specs, level.parent);
    const position = wanted
      ? { x: wanted.x - corner.x, y: wanted.y - corner.y }
      : operations.placeAfter(document, specs, source, handle, spec);
    return { position: operations.freePlace(document, level, position, spec), parent: level.parent, source: source.id, handle, edge: null, after: source.name };
  };
  if (anchor.handle !== undefined) return after(anchor.handle, anchor.position);
  const way = operations.wayAfter(document, specs, source);
  if (specs[source.type]?.ports.length === 0 && !specs[source.type]?.ports_from) {
    const box = boxOf(document, specs, source.id) ?? { ...source.position, ...CARD };
    return free({ x: box.x, y: box.y + box.height + CARD.rowGap }, level.parent);
  }
  if (way.edge) return planFor(store, spec, { kind: "link", edge: way.edge.id });
  return after(way.handle);
}

/** A place for a further start: right of everything, at the top. */
export function nextStart(document: GraphDocument, specs: Specs): Point {
  if (document.nodes.length === 0) return { x: 0, y: 0 };
  const { boxes } = framesOf(document, specs);
  const outer = document.nodes.flatMap((node) => (node.parent === undefined ? [boxes.get(node.id) ?? { ...node.position, ...CARD }] : []));
  const right = Math.max(...outer.map((box) => box.x + box.width));
  const top = Math.min(...outer.map((box) => box.y));
  return { x: right + CARD.columnGap * 2, y: top };
}

/** Draws a link; answers why not when it may not be drawn. */
export function connect(store: EditorStore, source: string, handle: string, target: string): Label | null {
  const { document, specs } = store.getState();
  const reason = refusal(document, specs, { source, sourceHandle: handle, target, targetHandle: "in" });
  if (reason) return reason;
  const names = { from: nameOf(document, source), to: nameOf(document, target) };
  const undo = handle === UNDO_HANDLE;
  store.edit({ key: undo ? "history.undoLink" : "history.connect", params: names }, (draft) => void operations.addLink(draft, source, handle, target), {
    announce: { key: undo ? "announce.undoLink" : "announce.connected", params: names },
  });
  return null;
}

function nameOf(document: GraphDocument, id: string): string {
  return document.nodes.find((node) => node.id === id)?.name ?? "";
}

function labelFor(key: string, document: GraphDocument, ids: readonly string[]): Label {
  const steps = document.nodes.filter((node) => ids.includes(node.id));
  if (steps.length === 1 && steps[0]) return { key: `history.${key}One`, params: { name: steps[0].name } };
  return { key: `history.${key}Many`, params: { count: steps.length || ids.length } };
}

/** Removes the selected steps, notes and links. Returns the label for the toast; null when nothing was selected. */
export function removeSelection(store: EditorStore): Label | null {
  const { document, specs, selection, selectedLinks } = store.getState();
  if (selection.length + selectedLinks.length === 0) return null;
  const ids = new Set(selection);
  const steps = document.nodes.filter((node) => ids.has(node.id));
  const label: Label = steps.length > 0
    ? labelFor("delete", document, selection)
    : { key: selection.length > 0 ? "history.deleteNote" : "history.deleteLink", params: {} };
  const before = document.edges.find((edge) => steps.length === 1 && edge.target === steps[0]?.id)?.source;
  store.edit(
    label,
    (draft) => {
      operations.removeLinks(draft, new Set(selectedLinks));
      operations.removeSteps(draft, specs, new Set(steps.map((node) => node.id)));
      operations.removeNotes(draft, ids);
    },
    { select: before ? [before] : [], announce: label },
  );
  return label;
}

export function removeLink(store: EditorStore, edge: string): void {
  store.edit({ key: "history.deleteLink", params: {} }, (draft) => operations.removeLinks(draft, new Set([edge])));
}

export function duplicateSelection(store: EditorStore): void {
  const { document, selection, specs } = store.getState();
  const chosen = new Set(document.nodes.filter((node) => selection.includes(node.id)).map((node) => node.id));
  if (chosen.size === 0) return;
  const ids = withBodies(document, chosen);
  const steps = document.nodes.filter((node) => ids.has(node.id));
  const links = document.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  const width = Math.max(...[...outermost(document, chosen)].map((id) => boxOf(document, specs, id)?.width ?? CARD.width));
  insertCopies(store, labelFor("duplicate", document, selection), steps, links, { x: width + CARD.columnGap, y: 0 }, (node) => node.parent ?? null);
}

type Copies = [nodes: GraphDocument["nodes"], edges: GraphDocument["edges"], offset: Point, into: (node: GraphNode) => string | null];

function insertCopies(store: EditorStore, label: Label, ...rest: Copies): void {
  // The ids are made once, outside the recipe, so that they can be selected.
  const { document, specs } = store.getState();
  const scratch: GraphDocument = copyOf(document);
  const made = operations.addCopies(scratch, ...rest);
  const ids = new Set(made.values());
  const nodes = scratch.nodes.filter((node) => ids.has(node.id));
  const edges = scratch.edges.filter((edge) => ids.has(edge.source));
  const outer = nodes.filter((node) => node.parent === undefined || !ids.has(node.parent));
  store.edit(label, (draft) => {
    draft.nodes.push(...nodes);
    draft.edges.push(...edges);
    operations.fitAround(draft, specs, outer.map((node) => node.parent));
  }, { select: outer.map((node) => node.id), announce: label });
}

export function copySelection(store: EditorStore): string | null {
  const { document, selection } = store.getState();
  const ids = new Set(document.nodes.filter((node) => selection.includes(node.id)).map((node) => node.id));
  return ids.size > 0 ? copySteps(document, withBodies(document, ids)) : null;
}

/** Pastes steps so that their upper left corner is at `at`, in the container `inside` where they can stand in it. False when the text holds no steps. */
export function pasteSteps(store: EditorStore, text: string, at: Point, inside: string | null = null): boolean {
  const found = readSteps(text);
  if (!found || found.nodes.length === 0) return false;
  const { document, specs } = store.getState();
  const copied: GraphDocument = { ...document, nodes: found.nodes, edges: found.edges, annotations: [] };
  const ids = new Set(found.nodes.map((node) => node.id));
  const outer = found.nodes.filter((node) => node.parent === undefined || !ids.has(node.parent));
  const height = Math.max(...outer.map((node) => heightOf(copied, specs, node.id)));
  const around = inside === null ? [] : [inside, ...containersAround(document, inside).map((node) => node.id)];
  const starts = outer.some((node) => specs[node.type]?.trigger);
  const parent = starts ? null : (around.find((id) => containersAround(document, id).length + 1 + height <= DEEPEST) ?? null);
  const corner = cornerOf(document, specs, parent);
  const left = Math.min(...outer.map((node) => node.position.x));
  const top = Math.min(...outer.map((node) => node.position.y));
  const place = operations.freePlace(document, { specs, parent }, { x: at.x - corner.x, y: at.y - corner.y }, specs[outer[0]?.type ?? ""]);
  const label: Label = { key: "history.paste", params: { count: found.nodes.length } };
  insertCopies(store, label, found.nodes, found.edges, { x: place.x - left, y: place.y - top }, () => parent);
  return true;
}

export function toggleSelection(store: EditorStore): void {
  const { document, selection } = store.getState();
  const label = labelFor("toggle", document, selection);
  store.edit(label, (draft) => operations.toggleDisabled(draft, new Set(selection)), { announce: label });
}

export function moveSelection(store: EditorStore, by: Point): void {
  const { document, selection } = store.getState();
  const chosen = outermost(document, new Set(selection));
  const moved = document.nodes.filter((node) => chosen.has(node.id));
  const positions = new Map(moved.map((node) => [node.id, { x: node.position.x + by.x, y: node.position.y + by.y }]));
  store.edit(labelFor("move", document, selection), (draft) => {
    operations.moveSteps(draft, positions);
    operations.settleBodies(draft);
  }, { group: `move:${selection.join()}` });
}

/** Sets steps and notes to these places, each reckoned in the body in which it stands. */
export function moveTo(store: EditorStore, positions: ReadonlyMap<string, Point>): void {
  const { document } = store.getState();
  store.edit(labelFor("move", document, [...positions.keys()]), (draft) => {
    operations.moveSteps(draft, positions);
    for (const note of draft.annotations) {
      const place = positions.get(note.id);
      if (place) note.position = place;
    }
    operations.settleBodies(draft);
  });
}

/**
 * Lets go of dragged steps at these places, each reckoned in the body in which it stood. What lies wholly outside of its
 * container leaves it, and what lies with its middle in another one goes into that. Says how many links that cut.
 */
export function dropSteps(store: EditorStore, positions: ReadonlyMap<string, Point>): number {
  const { document, specs } = store.getState();
  const homes = new Map<string | null, Map<string, Point>>();
  for (const id of outermost(document, new Set(positions.keys()))) {
    const point = positions.get(id);
    const node = document.nodes.find((other) => other.id === id);
    if (!node || !point) continue;
    const home = homeOf(document, specs, id, point);
    if (home === undefined || home === (node.parent ?? null)) continue;
    const from = cornerOf(document, specs, node.parent ?? null);
    const to = cornerOf(document, specs, home);
    homes.set(home, new Map([...(homes.get(home) ?? []), [id, { x: point.x + from.x - to.x, y: point.y + from.y - to.y }]]));
  }
  if (homes.size === 0) {
    moveTo(store, positions);
    return 0;
  }
  const [first] = homes;
  const [home, moved] = first as [string | null, Map<string, Point>];
  const before = document.edges.length;
  store.edit(moveLabel(document, [...moved.keys()], home), (draft) => {
    const staying = new Map([...positions].filter(([id]) => ![...homes.values()].some((places) => places.has(id))));
    operations.moveSteps(draft, staying);
    for (const note of draft.annotations) note.position = staying.get(note.id) ?? note.position;
    for (const [parent, places] of homes) operations.moveInto(draft, specs, new Set(places.keys()), parent, places);
  }, { announce: moveLabel(document, [...moved.keys()], home) });
  return Math.max(0, before - store.getState().document.edges.length);
}

/** The other container that dragged steps would go into where they are now; undefined if they would not leave their own. */
export function dropHome(document: GraphDocument, specs: Specs, positions: ReadonlyMap<string, Point>): string | null | undefined {
  for (const id of outermost(document, new Set(positions.keys()))) {
    const point = positions.get(id);
    const home = point && homeOf(document, specs, id, point);
    if (home !== undefined) return home;
  }
  return undefined;
}

/** Where a step that was dropped there stands from now on; undefined: where it stood. */
function homeOf(document: GraphDocument, specs: Specs, id: string, at: Point): string | null | undefined {
  const { boxes } = framesOf(document, specs);
  const own = boxes.get(id);
  const node = document.nodes.find((other) => other.id === id);
  if (!own || !node) return undefined;
  const corner = cornerOf(document, specs, node.parent ?? null);
  const box = { ...own, x: at.x + corner.x, y: at.y + corner.y };
  const over = containerAt(document, specs, { x: box.x + box.width / 2, y: box.y + Math.min(box.height / 2, BODY.y) }, withBodies(document, new Set([id])));
  const from = node.parent ?? null;
  if (over === from) return undefined;
  const frame = from === null ? undefined : boxes.get(from);
  // A step that still touches its container widens it.
  const touches = frame && box.x < frame.x + frame.width && frame.x < box.x + box.width && box.y < frame.y + frame.height && frame.y < box.y + box.height;
  const deeper = over !== null && containersAround(document, over).some((around) => around.id === from);
  if (touches && !deeper) return undefined;
  return mayStandIn(document, specs, id, over) ? over : undefined;
}

function moveLabel(document: GraphDocument, ids: readonly string[], home: string | null): Label {
  const name = ids.length === 1 ? nameOf(document, ids[0] ?? "") : "";
  const many = ids.length === 1 ? "One" : "Many";
  if (home === null) return { key: `history.moveOut${many}`, params: { name, count: ids.length } };
  return { key: `history.moveInto${many}`, params: { name, count: ids.length, container: nameOf(document, home) } };
}

/** The containers that the selected steps can be moved into; null is the canvas itself. */
export function possibleHomes(store: EditorStore): (string | null)[] {
  const { document, specs, selection } = store.getState();
  const steps = [...outermost(document, new Set(selection))].flatMap((id) => document.nodes.find((node) => node.id === id) ?? []);
  if (steps.length === 0) return [];
  const { containers } = framesOf(document, specs);
  return [null, ...document.nodes.filter((node) => containers.has(node.id)).map((node) => node.id)].filter((home) =>
    steps.every((step) => mayStandIn(document, specs, step.id, home)) && steps.some((step) => (step.parent ?? null) !== home));
}

/** Moves the selected steps into a container, or out of all. Links that would cross its frame are cut; says how many. */
export function moveHome(store: EditorStore, home: string | null): number {
  const { document, specs, selection } = store.getState();
  const ids = [...outermost(document, new Set(selection))].filter((id) => document.nodes.some((node) => node.id === id && (node.parent ?? null) !== home));
  const places = new Map<string, Point>();
  const corner = cornerOf(document, specs, home);
  let taken = document;
  for (const id of ids) {
    const node = document.nodes.find((other) => other.id === id);
    const box = boxOf(document, specs, id);
    if (!node || !box) continue;
    // Out of a container it stands right of that; into one, beside what stands there.
    const left = boxOf(document, specs, containersAround(document, id).find((around) => (around.parent ?? null) === home)?.id ?? "");
    const wanted = left ? { x: left.x + left.width + CARD.columnGap - corner.x, y: box.y - corner.y } : { x: 0, y: 0 };
    const place = operations.freePlace(taken, { specs, parent: home }, wanted, specs[node.type], new Set(ids));
    places.set(id, place);
    const moved: GraphNode = { ...node, id: `${id}.`, position: place, ...(home === null ? {} : { parent: home }) };
    if (home === null) delete moved.parent;
    taken = { ...taken, nodes: [...taken.nodes, moved] };
  }
  const label = moveLabel(document, ids, home);
  const before = document.edges.length;
  store.edit(label, (draft) => operations.moveInto(draft, specs, new Set(ids), home, places), { announce: label });
  return Math.max(0, before - store.getState().document.edges.length);
}

export function renameStep(store: EditorStore, id: string, name: string): void {
  store.edit({ key: "history.rename", params: { name } }, (draft) => operations.renameStep(draft, id, name), { group: `name:${id}` });
}

export function arrange(store: EditorStore, positions: Record<string, Point>): void {
  store.edit({ key: "history.tidy", params: {} }, (draft) => {
    operations.moveSteps(draft, new Map(Object.entries(positions)));
    operations.settleBodies(draft);
  }, {
    announce: { key: "history.tidy", params: {} },
  });
}

export function addNote(store: EditorStore, position: Point): string {
  const id = newId("a");
  store.edit({ key: "history.addNote", params: {} }, (draft) => {
    draft.annotations.push({ id, text: "", position: operations.snap(position), size: { width: 200, height: 104 }, tint: "wait" });
  }, { select: [id] });
  return id;
}
