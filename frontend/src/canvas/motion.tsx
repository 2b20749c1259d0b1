import { useStore } from "@xyflow/react";
import { useEffect, useState } from "react";

import { useRun } from "../live/runStore";
import { type Detail, type MotionLevel, useCanvas, useCanvasStore } from "./canvasStore";

const FULL_UNTIL = 60;
const WINDOW_MS = 500;
const LOW_FPS = 45;
/** Zoomed out further, links to undo steps are only shown of what is selected. */
const UNDO_FROM = 0.5;

/** Steps down for the rest of the visit when frames take too long, whatever the reason. */
let ceiling: MotionLevel = "full";

function lower(level: MotionLevel): MotionLevel {
  return level === "full" ? "nodes" : "none";
}

/** How much may move: everything, only cards, or nothing. */
export function useMotionLevel(running: boolean): MotionLevel {
  const count = useCanvas((state) => state.nodes.size);
  const detail = useStore((state) => detailOf(state.transform[2]));
  const visible = useStore((state) => (state.width * state.height) / (state.transform[2] * state.transform[2] * 300 * 120));
  const [, setStep] = useState(0);
  const calm = typeof window !== "undefined" && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  useEffect(() => {
    if (!running || calm) return;
    let frame = 0;
    let frames = 0;
    let slow = 0;
    let since = performance.now();
    const tick = (now: number): void => {
      frames += 1;
      if (now - since >= WINDOW_MS) {
        const fps = (frames * 1000) / (now - since);
        // A hidden tab has no frames at all; that is no reason to step down.
        slow = fps < LOW_FPS && !document.hidden ? slow + 1 : 0;
        if (slow >= 3) {
          ceiling = lower(ceiling);
          slow = 0;
          setStep((step) => step + 1);
        }
        frames = 0;
        since = now;
      }
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [running, calm]);
  if (calm) return "none";
  const inView = Math.min(count, visible);
  const wanted: MotionLevel = inView * 2 <= FULL_UNTIL && detail === "full" ? "full" : "nodes";
  if (ceiling === "none") return "none";
  return ceiling === "nodes" ? "nodes" : wanted;
}

export function detailOf(zoom: number): Detail {
  if (zoom >= 0.6) return "full";
  return zoom >= 0.35 ? "title" : "block";
}

/** Keeps the level of detail and of motion of the canvas up to date. */
export function MotionWatcher() {
  const store = useCanvasStore();
  const detail = useStore((state) => detailOf(state.transform[2]));
  const near = useStore((state) => state.transform[2] >= UNDO_FROM);
  const running = useRun((state) => Object.values(state.steps).some((step) => step.status === "running"));
  const mode = useCanvas((state) => state.mode);
  const motion = useMotionLevel(running && mode === "run");
  useEffect(() => {
    store.setState({ detail, motion, near });
  }, [store, detail, motion, near]);
  return null;
}
