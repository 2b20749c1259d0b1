/** How wide the column of names is: kept on this computer. */
import { type KeyboardEvent, type PointerEvent, useState } from "react";

export const NAMES_KEY = "millrace.runNames";
export const NARROWEST = 80;
const STEP = 16;

/** Unless somebody chose, it goes by the room there is. */
export function usualNames(width: number): number {
  return Math.round(Math.min(210, Math.max(110, width * 0.22)));
}

/** Bars keep some room, however wide the names are. */
export function widestNames(width: number): number {
  return Math.max(NARROWEST, Math.round(width * 0.6));
}

/** Where a key on the edge leads: a width, "usual", or null if it is none of its keys. */
export function keyedNames(key: string, now: number, widest: number): number | "usual" | null {
  switch (key) {
    case "ArrowLeft":
      return Math.max(NARROWEST, now - STEP);
    case "ArrowRight":
      return Math.min(widest, now + STEP);
    case "Home":
      return NARROWEST;
    case "End":
      return widest;
    case "Enter":
      return "usual";
    default:
      return null;
  }
}

function stored(): number | null {
  try {
    return Number(localStorage.getItem(NAMES_KEY)) || null;
  } catch {
    return null;
  }
}

/** `width`: of the whole timeline, px. */
export function useNames(width: number) {
  const [chosen, setChosen] = useState(stored);
  const widest = widestNames(width);
  const names = Math.min(widest, Math.max(NARROWEST, chosen ?? usualNames(width)));
  const choose = (next: number | null): void => {
    setChosen(next);
    try {
      if (next === null) localStorage.removeItem(NAMES_KEY);
      else localStorage.setItem(NAMES_KEY, String(next));
    } catch {
      // Remembered until the page is closed.
    }
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.focus();
    const start = event.clientX;
    const move = (moved: globalThis.PointerEvent) => choose(Math.round(Math.min(widest, Math.max(NARROWEST, names + moved.clientX - start))));
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      window.removeEventListener("pointercancel", up);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyedNames(event.key, names, widest);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    choose(next === "usual" ? null : next);
  };
  return { names, widest, onPointerDown, onKeyDown, onDoubleClick: () => choose(null) };
}
