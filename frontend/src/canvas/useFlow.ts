/** Connects the document with React Flow: nodes and edges in, gestures out. */
import {
  applyEdgeChanges, applyNodeChanges, type Connection, type EdgeChange, type FinalConnectionState, type NodeChange, useReactFlow, useStoreApi,
} from "@xyflow/react";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { BODY, dropHome, ERROR_HANDLE, isAction, type Point, portLabel, UNDO_HANDLE } from "../graph";
import { problemsByNode, tablesOf, useCanvasStore } from "./canvasStore";
import type { FlowCanvasProps } from "./FlowCanvas";
import { type LinkRfEdge, nextEdges, nextNodes, type StepRfNode } from "./rfNodes";
import { useCanvasKeys } from "./useCanvasKeys";

const NONE: readonly string[] = [];

/** The same array as long as it holds the same ids, however often the page builds it anew. */
function useIds(ids: string | readonly string[] | null | undefined): readonly string[] {
  const text = typeof ids === "string" ? ids : (ids ?? NONE).join(" ");
  return useMemo(() => (text === "" ? NONE : text.split(" ")), [text]);
}

function clientOf(event: MouseEvent | TouchEvent): { clientX: number; clientY: number } {
  if ("changedTouches" in event) {
    const touch = event.changedTouches[0];
    return { clientX: touch?.clientX ?? 0, clientY: touch?.clientY ?? 0 };
  }
  return { clientX: event.clientX, clientY: event.clientY };
}

export function isBuilding(props: Pick<FlowCanvasProps, "mode" | "readOnly">): boolean {
  return props.mode === "build" && !props.readOnly;
}

export function useFlow(props: FlowCanvasProps) {
  const { mode, graph, specs } = props;
  const { t } = useTranslation("canvas");
  const store = useCanvasStore();
  const rf = useReactFlow<StepRfNode, LinkRfEdge>();
  const rfStore = useStoreApi();
  const selected = useIds(props.selected);
  const selectedLinks = useIds(props.selectedLinks);
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });

  const tables = useMemo(() => tablesOf(graph, specs, store.getState().ports), [graph, specs, store]);
  useLayoutEffect(() => {
    const { active } = store.getState();
    const first = active !== null && (tables.nodes.has(active) || tables.notes.has(active)) ? active : (graph.nodes[0]?.id ?? null);
    store.setState({ ...tables, specs, mode, active: first });
  }, [store, tables, specs, mode, graph]);
  useLayoutEffect(() => {
    store.setState({
      readOnly: props.readOnly ?? false,
      summaries: props.summaries ?? {},
      told: props.told ?? {},
      problems: problemsByNode(props.problems ?? []),
      changed: props.changed ?? new Set(),
      build: props.build ?? null,
      items: props.items ?? null,
      beside: props.beside ?? null,
    });
  }, [store, props.readOnly, props.summaries, props.told, props.problems, props.changed, props.build, props.items, props.beside]);
  useLayoutEffect(() => {
    const first = selected[0];
    if (first !== undefined && (tables.nodes.has(first) || tables.notes.has(first))) store.setState({ active: first });
  }, [store, selected, tables]);

  const buildNodes = useCallback(
    (before: readonly StepRfNode[]) =>
      nextNodes(
        {
          document: graph,
          ports: tables.ports,
          isTrigger: (type) => specs[type]?.trigger ?? false,
          hasErrorPort: (type) => specs[type]?.has_error_port ?? false,
          undoRole: (id) => (!isAction(specs[tables.nodes.get(id)?.type ?? ""]) ? "none" : tables.undoes.has(id) ? "undoes" : "undoable"),
          selected: new Set(selected),
          frames: tables.frames,
          depths: tables.depths,
          numbers: tables.numbers,
        },
        before,
      ),
    [graph, tables, specs, selected],
  );
  const buildEdges = useCallback(
    (before: readonly LinkRfEdge[]) => {
      const name = (id: string): string => tables.nodes.get(id)?.name ?? "";
      return nextEdges(
        {
          edges: graph.edges.filter((edge) => tables.nodes.has(edge.source) && tables.nodes.has(edge.target)),
          labelOf: (edge) => {
            const source = tables.nodes.get(edge.source);
            return source ? portLabel(specs[source.type], source, edge.sourceHandle) : "";
          },
          portsOf: (step) => tables.ports.get(step) ?? [],
          describe: (edge) =>
            t(edge.sourceHandle === ERROR_HANDLE ? "aria.failureLink" : edge.sourceHandle === UNDO_HANDLE ? "aria.undoLink" : "aria.link", { from: name(edge.source), to: name(edge.target) }),
          steps: new Set(selected),
          selected: new Set(selectedLinks),
        },
        before,
      );
    },
    [graph.edges, tables, specs, selected, selectedLinks, t],
  );
  const [nodes, setNodes] = useDerived(buildNodes);
  const [edges, setEdges] = useDerived(buildEdges);

  const report = useCallback((shownNodes: readonly StepRfNode[], shownEdges: readonly LinkRfEdge[]) => {
    const ids = shownNodes.filter((node) => node.selected).map((node) => node.id);
    latest.current.onSelection?.(ids, shownEdges.filter((edge) => edge.selected).map((edge) => edge.id));
  }, []);
  const current = useRef({ nodes, edges });
  useLayoutEffect(() => {
    current.current = { nodes, edges };
  }, [nodes, edges]);

  const onNodesChange = useCallback(
    (changes: NodeChange<StepRfNode>[]) => {
      const next = applyNodeChanges(changes, current.current.nodes);
      current.current.nodes = next;
      setNodes(next);
      if (changes.some((change) => change.type === "select")) report(next, current.current.edges);
    },
    [report, setNodes],
  );
  const onEdgesChange = useCallback(
    (changes: EdgeChange<LinkRfEdge>[]) => {
      const next = applyEdgeChanges(changes, current.current.edges);
      current.current.edges = next;
      setEdges(next);
      if (changes.some((change) => change.type === "select")) report(current.current.nodes, next);
    },
    [report, setEdges],
  );

  const onKeyDown = useCanvasKeys(latest);
  const handlers = useMemo(() => {
    // What changes the document is only there to be built with; looking into a step is always possible.
    const actions = () => (isBuilding(latest.current) ? latest.current.build : undefined);
    const looks = () => latest.current.build;
    let connected = false;
    /** Where dragged steps are, as the document reckons it. */
    const placesOf = (moved: readonly StepRfNode[]): Map<string, Point> =>
      new Map(moved.map((node) => {
        const corner = node.parentId === undefined ? { x: 0, y: 0 } : BODY;
        return [node.id, { x: Math.round(node.position.x - corner.x), y: Math.round(node.position.y - corner.y) }];
      }));
    const into = (home: string | null): void => {
      if (store.getState().dropInto !== home) store.setState({ dropInto: home });
    };
    const mark = (moved: readonly StepRfNode[]): void => {
      const { graph: now, specs: known } = latest.current;
      if (store.getState().frames.containers.size > 0) into(dropHome(now, known, placesOf(moved)) ?? null);
    };
    const addAt = (event: React.MouseEvent, inside: string | null): void => {
      const flow = rf.screenToFlowPosition({ x: event.clientX, y: event.clientY });
      actions()?.addAt({ x: flow.x - 142, y: flow.y - 34 }, { clientX: event.clientX, clientY: event.clientY }, inside);
    };
    const drop = (moved: readonly StepRfNode[]): void => {
      into(null);
      actions()?.move(placesOf(moved));
    };
    return {
      onNodesChange,
      onEdgesChange,
      onKeyDown,
      onConnect: (link: Connection) => {
        connected = true;
        actions()?.connect(link.source, link.sourceHandle ?? "out", link.target);
      },
      isValidConnection: (link: Connection | LinkRfEdge) =>
        actions()?.refusal({ source: link.source, sourceHandle: link.sourceHandle, target: link.target, targetHandle: link.targetHandle }) == null,
      onClickConnectStart: () => {
        connected = false;
      },
      // A port was clicked, then another one; where the link may not end, the reason is said.
      onClickConnectEnd: (event: MouseEvent | TouchEvent) => {
        const end = portOf(event.target);
        const { connectionClickStartHandle: start } = rfStore.getState();
        if (connected || !start || !end || start.nodeId === end.nodeId) return;
        const [source, target] = start.type === "source" ? [start, end] : [end, start];
        const reason = actions()?.refusal({ source: source.nodeId, sourceHandle: source.id ?? "out", target: target.nodeId, targetHandle: target.id ?? "in" });
        if (reason) actions()?.explain(reason);
      },
      onConnectEnd: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
        const from = state.fromNode;
        if (state.isValid || !from || state.fromHandle?.type !== "source") return;
        const handle = state.fromHandle.id ?? "out";
        const place = clientOf(event);
        const over = document.elementFromPoint(place.clientX, place.clientY)?.closest<HTMLElement>("[data-step]")?.dataset["step"];
        const target = state.toNode?.id ?? over;
        if (target) {
          const reason = target === from.id ? null : actions()?.connect(from.id, handle, target);
          if (reason) actions()?.explain(reason);
          return;
        }
        if (!(event.target instanceof Element) || !wrapOf(event.target)) return;
        const flow = rf.screenToFlowPosition({ x: place.clientX, y: place.clientY });
        actions()?.addFrom(from.id, handle, { ...place, position: { x: flow.x - 142, y: flow.y } });
      },
      onNodeDrag: (_event: unknown, _node: StepRfNode, moved: StepRfNode[]) => mark(moved),
      onSelectionDrag: (_event: unknown, moved: StepRfNode[]) => mark(moved),
      onNodeDragStop: (_event: unknown, _node: StepRfNode, moved: StepRfNode[]) => drop(moved),
      onSelectionDragStop: (_event: unknown, moved: StepRfNode[]) => drop(moved),
      onNodeClick: (event: React.MouseEvent, node: StepRfNode) => {
        if (portOf(event.target)) return;
        if (node.type !== "note") focusCard(event.currentTarget);
        const { connectionClickStartHandle: start } = rfStore.getState();
        if (start?.type === "source" && node.type !== "note" && actions()) {
          // A port was clicked before: the whole card is where the link may end.
          rfStore.setState({ connectionClickStartHandle: null });
          const reason = actions()?.connect(start.nodeId, start.id ?? "out", node.id);
          if (reason) actions()?.explain(reason);
          return;
        }
        latest.current.onSelect?.(node.type !== "note" ? node.id : null);
        if (node.type !== "note" && !event.ctrlKey && !event.metaKey && !event.shiftKey) looks()?.click(node.id);
      },
      onNodeDoubleClick: (event: React.MouseEvent, node: StepRfNode) => {
        if (node.type === "note") return;
        // On the ground of a body, as on that of the canvas, a step is added.
        if (actions() && event.target instanceof Element && event.target.matches("[data-body]")) addAt(event, node.id);
        else looks()?.open(node.id);
      },
      onNodeContextMenu: (event: React.MouseEvent, node: StepRfNode) => {
        if (!actions() || node.type === "note") return;
        event.preventDefault();
        actions()?.menu(node.id, { clientX: event.clientX, clientY: event.clientY });
      },
      onPaneClick: () => {
        latest.current.onSelect?.(null);
      },
      onDoubleClick: (event: React.MouseEvent) => {
        if (!(event.target instanceof Element) || !event.target.classList.contains("react-flow__pane")) return;
        addAt(event, null);
      },
    };
  }, [onNodesChange, onEdgesChange, onKeyDown, rf, rfStore, store]);

  return { nodes, edges, handlers };
}

/** The port that was clicked, if it was one. */
function portOf(target: EventTarget | null): { nodeId: string; id: string | null } | null {
  const port = target instanceof Element ? target.closest<HTMLElement>(".react-flow__handle") : null;
  const node = port?.dataset["nodeid"];
  return node ? { nodeId: node, id: port.dataset["handleid"] ?? null } : null;
}

function wrapOf(element: Element): boolean {
  return element.closest(".react-flow") !== null;
}

function focusCard(wrapper: EventTarget): void {
  if (wrapper instanceof HTMLElement) wrapper.querySelector<HTMLElement>("[data-step] > button")?.focus({ preventScroll: true });
}

/** A list made from something else that may also change by itself; made anew whenever its maker changes. */
function useDerived<T>(make: (before: readonly T[]) => T[]): [T[], React.Dispatch<React.SetStateAction<T[]>>] {
  const [list, setList] = useState<T[]>(() => make([]));
  const [maker, setMaker] = useState(() => make);
  if (maker !== make) {
    setMaker(() => make);
    setList(make);
  }
  return [list, setList];
}
