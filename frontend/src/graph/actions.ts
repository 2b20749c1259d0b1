/** What people do in the editor, as calls on the store: each is one undo entry with a label and an announcement. */
import { copySteps, readSteps } from "./clipboard";
import type { EditorStore } from "./editorStore";
import { copyOf } from "./exact";
import { newId } from "./ids";
import * as operations from "./operations";
import { refusal } from "./rules";
import { isEmpty, fieldsOf, isShown, valueOf } from "./schema";
import { CARD, DEFAULT_OUT, type GraphDocument, type Label, type Point, type StepSpec, UNDO_HANDLE } from "./types";
import { isUndoLink, undoneStepOf } from "./undo";

/** Where a new step goes. */
export type Anchor =
  | { kind: "free"; position: Point }
  | { kind: "after"; source: string; handle?: string; position?: Point }
  | { kind: "link"; edge: string; position?: Point };

/** Adds a step of this type, connected as the anchor says, and selects it. Returns its id. */
export function addStep(store: EditorStore, spec: StepSpec, anchor: Anchor): string {
  const { document, specs } = store.getState();
  const node = operations.buildStep(document, spec, { x: 0, y: 0 });
  const plan = planFor(store, spec, anchor);
  node.position = plan.position;
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
    : { key: "announce.added", params: { name: node.name, count: empty } };
  store.edit(
    label,
    (draft) => {
      operations.addStep(draft, node);
      if (plan.edge) operations.insertIntoLink(draft, specs, plan.edge, node.id);
      else if (plan.source) operations.addLink(draft, plan.source, plan.handle, node.id);
    },
    { select: [node.id], announce },
  );
  return node.id;
}

interface Plan {
  position: Point;
  source: string | null;
  handle: string;
  edge: string | null;
  after: string | null;
}

function planFor(store: EditorStore, spec: StepSpec, anchor: Anchor): Plan {
  const { document, specs } = store.getState();
  const free = (position: Point): Plan => ({
    position: operations.freePlace(document, position), source: null, handle: DEFAULT_OUT, edge: null, after: null,
  });
  if (anchor.kind === "free") return free(anchor.position);
  if (anchor.kind === "link") {
    const edge = document.edges.find((other) => other.id === anchor.edge);
    const source = document.nodes.find((node) => node.id === edge?.source);
    const target = document.nodes.find((node) => node.id === edge?.target);
    if (!edge || isUndoLink(edge) || !source || !target || spec.trigger) return free(anchor.position ?? nextStart(document));
    const below = operations.placeAfter(source, specs[source.type], edge.sourceHandle);
    // In a straight piece the new step stands where the next one stood; else above its target.
    const position = anchor.position ?? { x: target.position.x, y: Math.min(below.y, target.position.y) };
    return { position: operations.snap(position), source: source.id, handle: edge.sourceHandle, edge: edge.id, after: source.name };
  }
  // Nothing follows an undo step: who goes on building there means what comes after the step that it undoes.
  const source = undoneStepOf(document, anchor.source) ?? document.nodes.find((node) => node.id === anchor.source);
  if (!source || spec.trigger) return free(anchor.position ?? nextStart(document));
  if (anchor.handle !== undefined) {
    const position = anchor.position ?? operations.placeAfter(source, specs[source.type], anchor.handle);
    return { position: operations.freePlace(document, position), source: source.id, handle: anchor.handle, edge: null, after: source.name };
  }
  const way = operations.wayAfter(document, specs, source);
  if (specs[source.type]?.ports.length === 0 && !specs[source.type]?.ports_from) {
    return free({ x: source.position.x, y: source.position.y + CARD.height + CARD.rowGap });
  }
  if (way.edge) return planFor(store, spec, { kind: "link", edge: way.edge.id });
  const position = operations.placeAfter(source, specs[source.type], way.handle);
  return { position: operations.freePlace(document, position), source: source.id, handle: way.handle, edge: null, after: source.name };
}

/** A place for a further start: right of everything, at the top. */
export function nextStart(document: GraphDocument): Point {
  if (document.nodes.length === 0) return { x: 0, y: 0 };
  const right = Math.max(...document.nodes.map((node) => node.position.x));
  const top = Math.min(...document.nodes.map((node) => node.position.y));
  return { x: right + CARD.width + CARD.columnGap * 2, y: top };
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
  const { document, selection } = store.getState();
  const steps = document.nodes.filter((node) => selection.includes(node.id));
  if (steps.length === 0) return;
  const ids = new Set(steps.map((node) => node.id));
  const links = document.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  insertCopies(store, labelFor("duplicate", document, selection), steps, links, { x: CARD.width + CARD.columnGap, y: 0 });
}

function insertCopies(store: EditorStore, label: Label, ...rest: [GraphDocument["nodes"], GraphDocument["edges"], Point]): void {
  const [steps, links, offset] = rest;
  // The ids are made once, outside the recipe, so that they can be selected.
  const scratch: GraphDocument = copyOf(store.getState().document);
  const made = operations.addCopies(scratch, steps, links, offset);
  const ids = new Set(made.values());
  const nodes = scratch.nodes.filter((node) => ids.has(node.id));
  const edges = scratch.edges.filter((edge) => ids.has(edge.source));
  store.edit(label, (draft) => {
    draft.nodes.push(...nodes);
    draft.edges.push(...edges);
  }, { select: [...ids], announce: label });
}

export function copySelection(store: EditorStore): string | null {
  const { document, selection } = store.getState();
  const ids = new Set(document.nodes.filter((node) => selection.includes(node.id)).map((node) => node.id));
  return ids.size > 0 ? copySteps(document, ids) : null;
}

/** Pastes steps so that their upper left corner is at `at`. Answers false when the text holds no steps. */
export function pasteSteps(store: EditorStore, text: string, at: Point): boolean {
  const found = readSteps(text);
  if (!found || found.nodes.length === 0) return false;
  const left = Math.min(...found.nodes.map((node) => node.position.x));
  const top = Math.min(...found.nodes.map((node) => node.position.y));
  const { document } = store.getState();
  const place = operations.freePlace(document, at);
  insertCopies(store, { key: "history.paste", params: { count: found.nodes.length } }, found.nodes, found.edges, { x: place.x - left, y: place.y - top });
  return true;
}

export function toggleSelection(store: EditorStore): void {
  const { document, selection } = store.getState();
  const label = labelFor("toggle", document, selection);
  store.edit(label, (draft) => operations.toggleDisabled(draft, new Set(selection)), { announce: label });
}

export function moveSelection(store: EditorStore, by: Point): void {
  const { document, selection } = store.getState();
  const moved = document.nodes.filter((node) => selection.includes(node.id));
  const positions = new Map(moved.map((node) => [node.id, { x: node.position.x + by.x, y: node.position.y + by.y }]));
  store.edit(labelFor("move", document, selection), (draft) => operations.moveSteps(draft, positions), { group: `move:${selection.join()}` });
}

export function moveTo(store: EditorStore, positions: ReadonlyMap<string, Point>): void {
  const { document } = store.getState();
  store.edit(labelFor("move", document, [...positions.keys()]), (draft) => {
    operations.moveSteps(draft, positions);
    for (const note of draft.annotations) {
      const place = positions.get(note.id);
      if (place) note.position = place;
    }
  });
}

export function renameStep(store: EditorStore, id: string, name: string): void {
  store.edit({ key: "history.rename", params: { name } }, (draft) => operations.renameStep(draft, id, name), { group: `name:${id}` });
}

export function arrange(store: EditorStore, positions: Record<string, Point>): void {
  store.edit({ key: "history.tidy", params: {} }, (draft) => operations.moveSteps(draft, new Map(Object.entries(positions))), {
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
