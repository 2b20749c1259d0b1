import "@xyflow/react/dist/style.css";

import { Background, BackgroundVariant, ReactFlow, ReactFlowProvider } from "@xyflow/react";
import { type ReactNode, type Ref, useLayoutEffect, useRef, useState } from "react";

import type { GraphDocument, GraphNode, Problem, Specs } from "../graph";
import { ArrowMarkers } from "./ArrowMarkers";
import css from "./canvas.module.css";
import { type BuildActions, type CanvasMode, type CardLine, CanvasProvider, createCanvasStore, useCanvas } from "./canvasStore";
import { ConnectHint, NewLink } from "./ConnectHint";
import { ContainerFrame } from "./ContainerFrame";
import { LinkEdge } from "./LinkEdge";
import { CanvasMinimap } from "./Minimap";
import { MotionWatcher } from "./motion";
import { NoteCard } from "./NoteCard";
import { StepCard } from "./StepCard";
import { type CanvasHandle, useCanvasHandle } from "./useCanvasHandle";
import { isBuilding, useFlow } from "./useFlow";
import { firstView, type Insets, NO_INSETS, stillView } from "./viewport";

const nodeTypes = { step: StepCard, container: ContainerFrame, note: NoteCard };
const edgeTypes = { link: LinkEdge };
const SNAP: [number, number] = [8, 8];
const MULTI = ["Meta", "Control"];
const CULL_ABOVE = 150;
const PAN_BUTTONS = [0, 1];

export interface FlowCanvasProps {
  mode: CanvasMode;
  graph: GraphDocument;
  specs: Specs;
  /** Second line of each card in words, by step id. */
  summaries?: Readonly<Record<string, string>>;
  /** What came of the steps of a run, by step id. */
  told?: Readonly<Record<string, CardLine>>;
  problems?: readonly Problem[];
  selected?: string | readonly string[] | null;
  selectedLinks?: readonly string[];
  /** A step was chosen (null: none). */
  onSelect?: (node: string | null) => void;
  /** Everything that is selected now, steps and notes, then links. */
  onSelection?: (nodes: readonly string[], links: readonly string[]) => void;
  readOnly?: boolean;
  /** Parts of the canvas that bars or panels cover, in pixels. */
  insets?: Partial<Insets>;
  build?: BuildActions;
  /** Steps that differ from the live version. */
  changed?: ReadonlySet<string>;
  /** The step to keep in view while the user leaves the canvas alone (follow mode). */
  follow?: string | null;
  /** Accessible name of the canvas. */
  label?: string;
  minimap?: boolean;
  /** A picture to look at: all of it where that can be told apart, else what stands around the selected step. Nothing in it moves. */
  still?: boolean;
  /** In a run: what the header of a container shows of its items. */
  items?: (node: GraphNode) => ReactNode;
  /** In a run: what stands on the lower edge of a card. */
  beside?: (node: GraphNode) => ReactNode;
  /** Bars that float on the canvas, such as ZoomBar. */
  children?: ReactNode;
  /** Receives what the page can ask of the canvas. */
  handle?: Ref<CanvasHandle>;
}

/** The one picture of a workflow: in build mode it can be changed, in run mode it shows what a run does. */
export function FlowCanvas(props: FlowCanvasProps) {
  const [store] = useState(() => createCanvasStore(props));
  const wrap = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  useLayoutEffect(() => {
    const box = wrap.current?.getBoundingClientRect();
    if (box) setSize({ width: box.width, height: box.height });
  }, []);
  return (
    <CanvasProvider value={store}>
      <div ref={wrap} className={css.wrap} data-mode={props.mode} data-still={props.still || undefined}>
        {size && (
          <ReactFlowProvider>
            <Flow {...props} size={size} />
          </ReactFlowProvider>
        )}
      </div>
    </CanvasProvider>
  );
}

function Flow(props: FlowCanvasProps & { size: { width: number; height: number } }) {
  const insets: Insets = { ...NO_INSETS, ...props.insets };
  const flow = useFlow(props);
  const { still = false } = props;
  const [start] = useState(() => {
    const around = typeof props.selected === "string" ? props.selected : props.selected?.[0];
    return still ? stillView(props.graph, props.specs, props.size, around) : firstView(props.graph, props.specs, props.size, insets, props.mode === "run");
  });
  useCanvasHandle(props.handle, props, insets, props.follow ?? null);
  const building = isBuilding(props);
  // Zoomed out far, nearly everything is in view: looking for what is not would cost more than it saves.
  const close = useCanvas((state) => state.detail !== "block");
  const large = props.graph.nodes.length > CULL_ABOVE && close;
  return (
    <ReactFlow
      nodes={flow.nodes}
      edges={flow.edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      defaultViewport={start}
      minZoom={0.1}
      maxZoom={2}
      snapToGrid={building}
      snapGrid={SNAP}
      nodesDraggable={building}
      nodesConnectable={building}
      nodesFocusable={false}
      edgesFocusable={false}
      edgesReconnectable={false}
      elementsSelectable={!still}
      disableKeyboardA11y
      deleteKeyCode={null}
      selectionKeyCode={building ? "Shift" : null}
      multiSelectionKeyCode={building ? MULTI : null}
      panOnScroll={!still}
      panOnDrag={still ? false : PAN_BUTTONS}
      zoomOnPinch={!still}
      zoomOnScroll={!still}
      preventScrolling={!still}
      zoomOnDoubleClick={false}
      nodeDragThreshold={3}
      connectionRadius={28}
      elevateNodesOnSelect
      onlyRenderVisibleElements={large}
      connectionLineComponent={NewLink}
      aria-label={props.label}
      tabIndex={-1}
      {...flow.handlers}
    >
      <ArrowMarkers />
      <Background variant={BackgroundVariant.Dots} gap={20} size={2.2} color="var(--dot)" bgColor="var(--canvas)" />
      {building && <ConnectHint />}
      <MotionWatcher />
      {props.minimap && <CanvasMinimap />}
      {props.children}
    </ReactFlow>
  );
}
