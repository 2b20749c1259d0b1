/** Turns the document into React Flow's nodes and edges; what did not change keeps its identity. */
import { type Edge, type Node, Position } from "@xyflow/react";

import { BODY, type Box, CARD, DEFAULT_IN, ERROR_HANDLE, type Frames, type GraphDocument, type GraphEdge, type GraphNode, type Point, type StepPort, UNDO_HANDLE } from "../graph";
import { portOffsets, UNDO_PORT_TOP } from "../graph/ports";

export type StepRfNode = Node<Record<string, never>, "step" | "container" | "note">;
export interface LinkData extends Record<string, unknown> {
  label: string;
  failure: boolean;
  undo: boolean;
  /** One of its two steps is selected. */
  near: boolean;
  /** Of a step with three ways out, which of them this is: their names stand at the step, where they have room. */
  slot: number | null;
}
export type LinkRfEdge = Edge<LinkData, "link">;

const PORT = 11;
/** Ways out as far apart as a name is wide. Two have room on their links; names of more are shown there too. */
const WITH_ROOM = 3;
/** Half of what a card measures: the failure port of a container stands as high as that of a card. */
const FACE = CARD.height;
const NO_DATA: Record<string, never> = {};
/** React Flow names every node "node" to screen readers; the card inside has a better name. */
const QUIET = { "aria-roledescription": undefined } as unknown as NonNullable<Node["domAttributes"]>;

/** Whether a step undoes another, can be undone by another, or neither. */
export type UndoRole = "undoes" | "undoable" | "none";

type Size = Pick<Box, "width" | "height">;

const handleCache = new Map<string, NonNullable<Node["handles"]>>();

/** Where the ports of a card are, so that links can be drawn before a card has been measured or while it is out of view. */
function handlesFor(ports: readonly StepPort[], trigger: boolean, failing: boolean, undo: UndoRole, size: Size): NonNullable<Node["handles"]> {
  const key = `${size.width}|${size.height}|${trigger}|${failing}|${undo}|${ports.map((port) => port.id).join("|")}`;
  const known = handleCache.get(key);
  if (known) return known;
  const half = PORT / 2;
  const handles: NonNullable<Node["handles"]> = [];
  const side = { y: UNDO_PORT_TOP - half, width: PORT, height: PORT };
  if (undo === "undoes") handles.push({ id: DEFAULT_IN, type: "target", position: Position.Left, x: -6, ...side });
  else if (!trigger) handles.push({ id: DEFAULT_IN, type: "target", position: Position.Top, x: size.width / 2 - half, y: -6, width: PORT, height: PORT });
  const offsets = portOffsets(ports.length, size.width);
  ports.forEach((port, at) => {
    handles.push({ id: port.id, type: "source", position: Position.Bottom, x: size.width / 2 + (offsets[at] ?? 0) - half, y: size.height - half, width: PORT, height: PORT });
  });
  if (undo === "undoable") handles.push({ id: UNDO_HANDLE, type: "source", position: Position.Right, x: size.width - half, ...side });
  if (failing && undo !== "undoes") handles.push({ id: ERROR_HANDLE, type: "source", position: Position.Left, x: -6, y: FACE / 2 - half, width: PORT, height: PORT });
  handleCache.set(key, handles);
  return handles;
}

export interface NodeInput {
  document: GraphDocument;
  ports: ReadonlyMap<string, readonly StepPort[]>;
  isTrigger(type: string): boolean;
  hasErrorPort(type: string): boolean;
  undoRole(id: string): UndoRole;
  selected: ReadonlySet<string>;
  frames: Frames;
  /** How many containers stand around each step. */
  depths: ReadonlyMap<string, number>;
  numbers: ReadonlyMap<string, number>;
}

/** From the place of a step as the document reckons it to the one that React Flow does: from the corner of the frame. */
export function placeIn(node: Pick<GraphNode, "position">, inside: boolean): Point {
  return inside ? { x: node.position.x + BODY.x, y: node.position.y + BODY.y } : node.position;
}

/** Containers before what stands in them, as React Flow wants them, and that before what follows, as people read. */
function inOrder({ document, frames, numbers }: NodeInput): GraphNode[] {
  if (frames.containers.size === 0) return document.nodes;
  return [...document.nodes].sort((a, b) => (numbers.get(a.id) ?? 0) - (numbers.get(b.id) ?? 0));
}

/** The next node list. Positions come from the document, except of nodes that are being dragged right now. */
export function nextNodes(input: NodeInput, before: readonly StepRfNode[]): StepRfNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const steps = inOrder(input).map((step): StepRfNode => {
    const old = known.get(step.id);
    const selected = input.selected.has(step.id);
    const { width, height } = input.frames.boxes.get(step.id) ?? CARD;
    const type = input.frames.containers.has(step.id) ? "container" : "step";
    const parent = (input.depths.get(step.id) ?? 0) > 0 ? step.parent : undefined;
    const handles = handlesFor(input.ports.get(step.id) ?? [], input.isTrigger(step.type), input.hasErrorPort(step.type), input.undoRole(step.id), { width, height });
    const position = old?.dragging && old.parentId === parent ? old.position : placeIn(step, parent !== undefined);
    const same = old && old.selected === selected && old.handles === handles && old.position.x === position.x && old.position.y === position.y &&
      old.parentId === parent && old.type === type;
    if (same) return old;
    const { parentId: _old, ...rest } = old ?? {};
    return {
      ...rest,
      id: step.id,
      type,
      position: { x: position.x, y: position.y },
      data: NO_DATA,
      width,
      height,
      handles,
      selected,
      domAttributes: QUIET,
      ...(parent === undefined ? {} : { parentId: parent }),
    };
  });
  const notes = input.document.annotations.map((note): StepRfNode => {
    const old = known.get(note.id);
    const selected = input.selected.has(note.id);
    const position = old?.dragging ? old.position : note.position;
    const same = old && old.selected === selected && old.position.x === position.x && old.position.y === position.y &&
      old.width === note.size.width && old.height === note.size.height;
    if (same) return old;
    return {
      ...(old ?? {}),
      id: note.id,
      type: "note",
      position: { x: position.x, y: position.y },
      data: NO_DATA,
      width: note.size.width,
      height: note.size.height,
      selected,
      zIndex: -1,
      domAttributes: QUIET,
    };
  });
  return [...notes, ...steps];
}

export interface EdgeInput {
  edges: readonly GraphEdge[];
  labelOf(edge: GraphEdge): string;
  portsOf(step: string): readonly StepPort[];
  describe(edge: GraphEdge): string;
  /** The selected steps. */
  steps: ReadonlySet<string>;
  selected: ReadonlySet<string>;
}

export function nextEdges(input: EdgeInput, before: readonly LinkRfEdge[]): LinkRfEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  return input.edges.map((link): LinkRfEdge => {
    const old = known.get(link.id);
    const label = input.labelOf(link);
    const ariaLabel = input.describe(link);
    const selected = input.selected.has(link.id);
    const undo = link.sourceHandle === UNDO_HANDLE;
    const near = undo && (input.steps.has(link.source) || input.steps.has(link.target));
    const ways = input.portsOf(link.source);
    const way = ways.length === WITH_ROOM ? ways.findIndex((port) => port.id === link.sourceHandle) : -1;
    const slot = way < 0 ? null : way;
    const same = old && old.source === link.source && old.target === link.target && old.sourceHandle === link.sourceHandle &&
      old.data?.label === label && old.data.near === near && old.data.slot === slot && old.selected === selected && old.ariaLabel === ariaLabel;
    if (same) return old;
    return {
      id: link.id,
      type: "link",
      source: link.source,
      target: link.target,
      sourceHandle: link.sourceHandle,
      targetHandle: link.targetHandle,
      data: { label, failure: link.sourceHandle === ERROR_HANDLE, undo, near, slot },
      selected,
      ariaLabel,
      interactionWidth: 20,
    };
  });
}

