import { useStoreApi } from "@xyflow/react";
import { type KeyboardEvent, type RefObject, useCallback, useRef } from "react";

import type { Direction } from "../graph";
import { showsUndoLinks, useCanvasStore } from "./canvasStore";
import type { FlowCanvasProps } from "./FlowCanvas";
import { isBuilding } from "./useFlow";
import { cardOf, editNote, useReveal } from "./useCanvasHandle";
import { walkAll } from "./walkAll";

const ARROWS: Record<string, Direction> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

/** Arrow keys walk along the flow; Enter opens. Everything else is the editor's. */
export function useCanvasKeys(latest: RefObject<FlowCanvasProps>): (event: KeyboardEvent) => void {
  const store = useCanvasStore();
  const rfStore = useStoreApi();
  const revealStep = useReveal();
  // Where an arrow key leads, until the focus is there: keys that are pressed in quick succession mean that card.
  const towards = useRef<string | null>(null);
  return useCallback(
    (event: KeyboardEvent) => {
      const target = event.target;
      if (!(target instanceof HTMLElement) || target.closest("input, textarea, [contenteditable=true]")) return;
      const props = latest.current;
      const { active } = store.getState();
      const at = towards.current ?? target.closest<HTMLElement>("[data-step]")?.dataset["step"] ?? null;
      const direction = ARROWS[event.key];
      if (direction && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        const next = at === null ? active : walkAll(props.graph, props.specs, at, direction);
        if (next === null) return;
        const before = Array.isArray(props.selected) ? (props.selected as readonly string[]) : [];
        store.setState({ active: next });
        props.onSelection?.(event.shiftKey ? [...new Set([...before, next])] : [next], []);
        props.onSelect?.(next);
        revealStep(props.graph, next, props.insets);
        // A card out of view is only drawn once it has been revealed.
        towards.current = next;
        requestAnimationFrame(() => {
          if (towards.current !== next) return;
          towards.current = null;
          cardOf(store, next)?.focus({ preventScroll: true });
        });
        return;
      }
      if (event.key.toLowerCase() === "u" && !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        store.setState((state) => ({ undoLinks: !showsUndoLinks(state) }));
        return;
      }
      if ((event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey && !event.altKey) {
        if (!at) return;
        // What opens takes the focus itself.
        if (event.key === "Enter") towards.current = null;
        if (store.getState().notes.has(at)) {
          event.preventDefault();
          if (isBuilding(props)) editNote(at);
          return;
        }
        if (target.tagName === "BUTTON") {
          // A button does by itself what a click does; only Enter on a card does more, unless it ends a link.
          const face = target.matches("[data-step] > button[aria-pressed]");
          if (!face || event.key === " " || !props.build || rfStore.getState().connectionClickStartHandle) return;
        }
        event.preventDefault();
        props.onSelection?.([at], []);
        props.onSelect?.(at);
        if (event.key === "Enter") props.build?.open(at);
      }
    },
    [latest, store, rfStore, revealStep],
  );
}
