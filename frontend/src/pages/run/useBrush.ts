import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";

/** Pixels after which a press is a drag; less is a click on a row. */
const MEANT = 6;

export interface Brush {
  /** Shares of the width between which it is drawn right now; null if nothing is. */
  brushed: readonly [number, number] | null;
  handlers: {
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: () => void;
    onClickCapture: (event: { preventDefault: () => void; stopPropagation: () => void }) => void;
  };
}

/** A stretch drawn by mouse, pen or finger over `area`; Esc lets go of it. */
export function useBrush(area: RefObject<HTMLElement | null>, onDrawn: (one: number, other: number) => void): Brush {
  const [brushed, setBrushed] = useState<readonly [number, number] | null>(null);
  const press = useRef<{ id: number; x: number } | null>(null);
  /** The click that ends a drag chooses no row. */
  const dragged = useRef(false);
  const share = (x: number): number => {
    const box = area.current?.getBoundingClientRect();
    return box && box.width > 0 ? Math.min(1, Math.max(0, (x - box.left) / box.width)) : 0;
  };
  const stop = () => {
    press.current = null;
    setBrushed(null);
  };
  const drawing = brushed !== null;
  useEffect(() => {
    if (!drawing) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      press.current = null;
      setBrushed(null);
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [drawing]);
  return {
    brushed,
    handlers: {
      onPointerDown: (event) => {
        dragged.current = false;
        const box = area.current?.getBoundingClientRect();
        if (event.button !== 0 || !event.isPrimary || !box) return;
        if (event.clientX < box.left || event.clientX > box.right) return;
        press.current = { id: event.pointerId, x: event.clientX };
      },
      onPointerMove: (event) => {
        const from = press.current;
        if (!from || from.id !== event.pointerId) return;
        if (!brushed) {
          if (Math.abs(event.clientX - from.x) < MEANT) return;
          // Only now: a captured press would end as a click on this box, not on the row.
          event.currentTarget.setPointerCapture(event.pointerId);
          dragged.current = true;
        }
        setBrushed([share(from.x), share(event.clientX)]);
      },
      onPointerUp: (event) => {
        const from = press.current;
        stop();
        if (from && from.id === event.pointerId && brushed) onDrawn(share(from.x), share(event.clientX));
      },
      onPointerCancel: stop,
      onClickCapture: (event) => {
        if (!dragged.current) return;
        dragged.current = false;
        event.preventDefault();
        event.stopPropagation();
      },
    },
  };
}
