import { type ReactFlowInstance, useReactFlow, useStoreApi } from "@xyflow/react";
import { type Ref, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef } from "react";

import { boxOf, containerAt, type GraphDocument, isUndoLink, type Point, type Specs } from "../graph";
import { type CanvasStore, showsUndoLinks, useCanvasStore } from "./canvasStore";
import { boundsOf, type Insets, NO_INSETS, reveal, viewOf } from "./viewport";

/** What the page can ask of the canvas. */
export interface CanvasHandle {
  fit(ids?: readonly string[]): void;
  zoomIn(): void;
  zoomOut(): void;
  zoomTo(zoom: number): void;
  /** Brings a step clear of bars and panels; focuses its card if asked. */
  reveal(node: string, focus?: boolean): void;
  focus(): void;
  /** Opens a note to be written in. */
  editNote(note: string): void;
  toFlow(place: { clientX: number; clientY: number }): Point;
  /** Middle of the part of the canvas that nothing covers, in flow coordinates. */
  centre(): Point;
  /** The link under a point of the screen. */
  linkAt(place: { clientX: number; clientY: number }): string | null;
  /** The container under a point of the screen. */
  containerAt(place: { clientX: number; clientY: number }): string | null;
  contains(place: { clientX: number; clientY: number }): boolean;
  /** Shows where something that is being dragged would go: into a link, into a container. */
  markDrop(edge: string | null, container: string | null): void;
  /** Shows the links to undo steps of all steps, or only those of the selected one. */
  toggleUndoLinks(): void;
  /** Where a step's card is on the screen. */
  boxOf(node: string): DOMRect | null;
}

/** A note is opened by what opens it for a pointer. */
export function editNote(note: string): void {
  document.querySelector(`.react-flow [data-step="${CSS.escape(note)}"] > button`)?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
}

/** The part of a step's card, or of a note, that takes the focus. */
export function cardOf(store: CanvasStore, id: string): HTMLElement | null {
  const known = store.getState().nodes.has(id) || store.getState().notes.has(id);
  return known ? document.querySelector<HTMLElement>(`.react-flow [data-step="${CSS.escape(id)}"] > button`) : null;
}

export function useReveal(): (graph: GraphDocument, node: string, insets?: Partial<Insets>) => void {
  const rf = useReactFlow();
  const store = useStoreApi();
  const canvas = useCanvasStore();
  return useCallback(
    (graph, node, insets) => {
      const frame = boxOf(graph, canvas.getState().specs, node);
      const note = graph.annotations.find((other) => other.id === node);
      const { width, height } = store.getState();
      // Of a frame larger than the view, its head is what is shown.
      const box = frame ? { ...frame, height: Math.min(frame.height, 240), width: Math.min(frame.width, Math.max(300, width - 96)) } : note ? { ...note.position, ...note.size } : null;
      if (!box) return;
      const next = reveal(box, rf.getViewport(), { width, height }, { ...NO_INSETS, ...insets });
      if (next) void rf.setViewport(next, { duration: calm() ? 0 : 180 });
    },
    [rf, store, canvas],
  );
}

function calm(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export function useCanvasHandle(ref: Ref<CanvasHandle> | undefined, shown: { graph: GraphDocument; specs: Specs }, insets: Insets, follow: string | null): void {
  const rf = useReactFlow();
  const rfStore = useStoreApi();
  const store = useCanvasStore();
  const revealStep = useReveal();
  const { graph, specs } = shown;
  const latest = useRef({ graph, specs, insets });
  useLayoutEffect(() => {
    latest.current = { graph, specs, insets };
  });

  const handle = useMemo<CanvasHandle>(() => {
    const wrapper = (): HTMLElement | null => rfStore.getState().domNode;
    return {
      fit(ids) {
        const box = boundsOf(latest.current.graph, latest.current.specs, ids ? new Set(ids) : undefined);
        if (!box) return;
        const { width, height } = rfStore.getState();
        void rf.setViewport(viewOf(box, { width, height }, latest.current.insets), { duration: calm() ? 0 : 180 });
      },
      zoomIn: () => void rf.zoomIn({ duration: calm() ? 0 : 120 }),
      zoomOut: () => void rf.zoomOut({ duration: calm() ? 0 : 120 }),
      zoomTo: (zoom) => void rf.zoomTo(zoom, { duration: calm() ? 0 : 120 }),
      reveal(node, focus = false) {
        revealStep(latest.current.graph, node, latest.current.insets);
        if (focus) requestAnimationFrame(() => requestAnimationFrame(() => cardOf(store, node)?.focus({ preventScroll: true })));
      },
      focus() {
        const { active } = store.getState();
        const card = active === null ? null : cardOf(store, active);
        (card ?? wrapper())?.focus({ preventScroll: true });
      },
      editNote: (note) => editNote(note),
      toFlow: ({ clientX, clientY }) => rf.screenToFlowPosition({ x: clientX, y: clientY }),
      centre() {
        const box = wrapper()?.getBoundingClientRect();
        const rims = latest.current.insets;
        if (!box) return { x: 0, y: 0 };
        return rf.screenToFlowPosition({
          x: box.left + rims.left + (box.width - rims.left - rims.right) / 2,
          y: box.top + rims.top + (box.height - rims.top - rims.bottom) / 2,
        });
      },
      linkAt({ clientX, clientY }) {
        for (const element of document.elementsFromPoint(clientX, clientY)) {
          const link = element.closest<SVGGElement>(".react-flow__edge");
          const id = link?.dataset["id"];
          // Nothing goes between a step and what undoes it.
          if (id !== undefined && !latest.current.graph.edges.some((edge) => edge.id === id && isUndoLink(edge))) return id;
        }
        return null;
      },
      containerAt({ clientX, clientY }) {
        const at = rf.screenToFlowPosition({ x: clientX, y: clientY }, { snapToGrid: false });
        return containerAt(latest.current.graph, latest.current.specs, at);
      },
      contains({ clientX, clientY }) {
        const box = wrapper()?.getBoundingClientRect();
        return box !== undefined && clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
      },
      markDrop: (edge, container) => {
        const { dropLink, dropInto } = store.getState();
        if (dropLink !== edge || dropInto !== container) store.setState({ dropLink: edge, dropInto: container });
      },
      toggleUndoLinks: () => store.setState((state) => ({ undoLinks: !showsUndoLinks(state) })),
      boxOf: (node) => cardOf(store, node)?.parentElement?.getBoundingClientRect() ?? null,
    };
  }, [rf, rfStore, store, revealStep]);
  useImperativeHandle(ref, () => handle, [handle]);
  useFollow(follow, handle);
  useTestHooks(rf, store);
}

const HANDS_OFF_MS = 10_000;

/** Pans to the active step, but only if nobody has touched the view for ten seconds. */
function useFollow(follow: string | null, handle: CanvasHandle): void {
  const rfStore = useStoreApi();
  const touched = useRef(0);
  useEffect(() => {
    const element = rfStore.getState().domNode;
    const touch = (): void => {
      touched.current = Date.now();
    };
    element?.addEventListener("wheel", touch, { passive: true });
    element?.addEventListener("pointerdown", touch, { passive: true });
    return () => {
      element?.removeEventListener("wheel", touch);
      element?.removeEventListener("pointerdown", touch);
    };
  }, [rfStore]);
  useEffect(() => {
    if (follow !== null && Date.now() - touched.current > HANDS_OFF_MS) handle.reveal(follow);
  }, [follow, handle]);
}

/** For browser tests only; the build leaves this out unless it is made with VITE_TEST_HOOKS=1. */
function useTestHooks(rf: ReactFlowInstance, store: CanvasStore): void {
  useEffect(() => {
    if (import.meta.env["VITE_TEST_HOOKS"] !== "1") return;
    const frames = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const next = (left: number): void => void (left === 0 ? resolve() : requestAnimationFrame(() => next(left - 1)));
        next(count);
      });
    const hooks = {
      getViewport: () => rf.getViewport(),
      nodeCenter(key: string): Point | null {
        const node = [...store.getState().nodes.values()].find((other) => other.key === key);
        if (!node) return null;
        const box = store.getState().frames.boxes.get(node.id);
        return box ? rf.flowToScreenPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 }) : null;
      },
      waitForIdle: () => frames(3),
    };
    Object.assign(window, { __canvas: hooks });
    return () => {
      Reflect.deleteProperty(window, "__canvas");
    };
  }, [rf, store]);
}
