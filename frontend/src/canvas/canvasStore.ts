/** What the cards and links of one canvas read, by id, so that a change renders only what it touches. */
import { createContext, type ReactNode, useContext } from "react";
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";

import type { Annotation, Frames, GraphDocument, GraphNode, Label, Point, Problem, Severity, Specs, StepPort, StepSpec } from "../graph";
import { framesOf, indexOf, isAction, portsOf } from "../graph";
import type { LinkRequest } from "../graph/rules";

export type CanvasMode = "build" | "run";
/** How much of a card is drawn: everything, icon and title, or a block of colour. */
export type Detail = "full" | "title" | "block";
export type MotionLevel = "full" | "nodes" | "none";

export interface ClientPoint {
  clientX: number;
  clientY: number;
}

/** What the editor does when something is drawn, dropped or opened on the canvas. */
export interface BuildActions {
  connect(source: string, handle: string, target: string): Label | null;
  refusal(link: LinkRequest): Label | null;
  /** A link was dropped where no step is. */
  addFrom(source: string, handle: string, place: ClientPoint & { position?: Point }): void;
  insertInto(edge: string, place: ClientPoint): void;
  addAt(position: Point, place: ClientPoint, inside: string | null): void;
  /** At the beginning of a container's body. */
  addInside(container: string, place: ClientPoint): void;
  move(positions: ReadonlyMap<string, Point>): void;
  open(node: string): void;
  /** A card was clicked, not dragged. */
  click(node: string): void;
  menu(node: string, place: ClientPoint): void;
  changeNote(id: string, changes: Partial<Omit<Annotation, "id">>): void;
  explain(reason: Label): void;
}

export interface NodeProblems {
  severity: Severity;
  count: number;
  first: Problem;
}

export interface CardLine {
  text: string;
  generation: number;
}

export interface CanvasState {
  mode: CanvasMode;
  readOnly: boolean;
  nodes: ReadonlyMap<string, GraphNode>;
  notes: ReadonlyMap<string, Annotation>;
  specs: Specs;
  /** The ways out of each step; the same array as long as they do not change. */
  ports: ReadonlyMap<string, readonly StepPort[]>;
  numbers: ReadonlyMap<string, number>;
  connected: ReadonlySet<string>;
  /** Per step the one that undoes it; per undo step the one that it undoes. */
  undoneBy: ReadonlyMap<string, string>;
  undoes: ReadonlyMap<string, string>;
  /** Which steps are drawn as frames, and where everything stands. */
  frames: Frames;
  /** How many containers stand around each step. */
  depths: ReadonlyMap<string, number>;
  /** How many steps stand in each container. */
  inside: ReadonlyMap<string, number>;
  /** Links to undo steps: shown or hidden by a person, else (null) shown where the drawing is small enough. */
  undoLinks: boolean | null;
  /** Zoomed in so far that links to undo steps are more than specks. */
  near: boolean;
  summaries: Readonly<Record<string, string>>;
  /** Of a run: what came of a step that is done, in words, and in which go of the run. */
  told: Readonly<Record<string, CardLine>>;
  problems: Readonly<Record<string, NodeProblems>>;
  changed: ReadonlySet<string>;
  /** The step that Tab reaches. */
  active: string | null;
  detail: Detail;
  motion: MotionLevel;
  /** The link under something that is being dragged from the palette. */
  dropLink: string | null;
  /** The container into which something that is being dragged would go. */
  dropInto: string | null;
  build: BuildActions | null;
  /** What the header of a container shows of its items in a run. */
  items: ((node: GraphNode) => ReactNode) | null;
  /** What stands on the lower edge of a card in a run. */
  beside: ((node: GraphNode) => ReactNode) | null;
}

export type CanvasStore = StoreApi<CanvasState>;

export interface CanvasStart {
  mode: CanvasMode;
  graph: GraphDocument;
  specs: Specs;
  summaries?: Readonly<Record<string, string>>;
}

export function createCanvasStore({ mode, graph, specs, summaries }: CanvasStart): CanvasStore {
  return createStore<CanvasState>(() => ({
    ...tablesOf(graph, specs, new Map()),
    mode,
    readOnly: false,
    specs,
    summaries: summaries ?? {},
    told: {},
    problems: {},
    changed: new Set(),
    active: graph.nodes[0]?.id ?? null,
    detail: "full",
    motion: "none",
    undoLinks: null,
    near: true,
    dropLink: null,
    dropInto: null,
    build: null,
    items: null,
    beside: null,
  }));
}

const CanvasContext = createContext<CanvasStore | null>(null);
export const CanvasProvider = CanvasContext.Provider;

export function useCanvasStore(): CanvasStore {
  const store = useContext(CanvasContext);
  if (!store) throw new Error("a canvas part outside of FlowCanvas");
  return store;
}

export function useCanvas<T>(select: (state: CanvasState) => T): T {
  return useStore(useCanvasStore(), select);
}

export function useStepNode(id: string): { node: GraphNode | undefined; spec: StepSpec | undefined } {
  const node = useCanvas((state) => state.nodes.get(id));
  const spec = useCanvas((state) => (node ? state.specs[node.type] : undefined));
  return { node, spec };
}

const RANK: Record<Severity, number> = { error: 2, warning: 1, hint: 0 };

export function problemsByNode(problems: readonly Problem[]): Record<string, NodeProblems> {
  const found: Record<string, NodeProblems> = {};
  for (const problem of problems) {
    if (problem.node === null || problem.severity === "hint") continue;
    const known = found[problem.node];
    if (!known) found[problem.node] = { severity: problem.severity, count: 1, first: problem };
    else {
      known.count += 1;
      if (RANK[problem.severity] > RANK[known.severity]) {
        known.severity = problem.severity;
        known.first = problem;
      }
    }
  }
  return found;
}

const NO_PORTS: readonly StepPort[] = [];

/** The tables of a document as the canvas reads them; parts that did not change keep their identity. */
export function tablesOf(document: GraphDocument, specs: Specs, before: CanvasState["ports"]): Pick<CanvasState, "nodes" | "notes" | "ports" | "numbers" | "connected" | "undoneBy" | "undoes" | "frames" | "depths" | "inside"> {
  const { children, order, undoneBy, undoes } = indexOf(document);
  const ports = new Map<string, readonly StepPort[]>();
  for (const node of document.nodes) {
    // Nothing follows an undo step.
    const next = undoes.has(node.id) && isAction(specs[node.type]) ? NO_PORTS : portsOf(specs[node.type], node.config);
    const known = before.get(node.id);
    ports.set(node.id, known && samePorts(known, next) ? known : next);
  }
  return {
    nodes: new Map(document.nodes.map((node) => [node.id, node])),
    notes: new Map(document.annotations.map((note) => [note.id, note])),
    ports,
    numbers: new Map(order.map((id, at) => [id, at + 1])),
    connected: new Set(document.edges.map((edge) => `${edge.source}:${edge.sourceHandle}`)),
    undoneBy,
    undoes,
    frames: framesOf(document, specs),
    depths: depthsOf(document),
    inside: new Map([...children].map(([id, body]) => [id, body.length])),
  };
}

function depthsOf(document: GraphDocument): ReadonlyMap<string, number> {
  const { bodies } = indexOf(document);
  const depths = new Map<string, number>();
  const visit = (ids: readonly string[], depth: number): void => {
    for (const id of ids) {
      depths.set(id, depth);
      visit(bodies.get(id) ?? [], depth + 1);
    }
  };
  visit(bodies.get(null) ?? [], 0);
  return depths;
}

const SMALL = 60;

/** Whether links to undo steps are shown of all steps, not only of the selected one. */
export function showsUndoLinks({ undoLinks, nodes }: Pick<CanvasState, "undoLinks" | "nodes">): boolean {
  return undoLinks ?? nodes.size <= SMALL;
}

function samePorts(a: readonly StepPort[], b: readonly StepPort[]): boolean {
  return a.length === b.length && a.every((port, at) => port.id === b[at]?.id && port.label === b[at]?.label);
}
