import { type RefObject, useEffect, useState } from "react";

/** Rows beyond the edge that are drawn already. */
const AHEAD = 8;

export interface Shown {
  first: number;
  /** One after the last. */
  end: number;
}

/** Which of so many rows of one height can be seen: in the box that scrolls, and in the window. */
export function useShownRows(box: RefObject<HTMLElement | null>, rows: RefObject<HTMLElement | null>, count: number, height: number): Shown {
  const [shown, setShown] = useState<Shown>({ first: 0, end: Math.min(count, 40) });
  useEffect(() => {
    const look = (): void => {
      const outer = box.current?.getBoundingClientRect();
      const inner = rows.current?.getBoundingClientRect();
      if (!outer || !inner) return;
      const top = Math.max(0, outer.top) - inner.top;
      const bottom = Math.min(window.innerHeight, outer.bottom) - inner.top;
      const first = Math.max(0, Math.floor(top / height) - AHEAD);
      const end = Math.max(first, Math.min(count, Math.ceil(bottom / height) + AHEAD));
      setShown((before) => (before.first === first && before.end === end ? before : { first, end }));
    };
    look();
    // Whatever scrolls around the rows moves them; scrolling does not bubble.
    document.addEventListener("scroll", look, { capture: true, passive: true });
    window.addEventListener("resize", look);
    const watch = new ResizeObserver(look);
    if (box.current) watch.observe(box.current);
    return () => {
      document.removeEventListener("scroll", look, { capture: true });
      window.removeEventListener("resize", look);
      watch.disconnect();
    };
  }, [box, rows, count, height]);
  return { first: Math.min(shown.first, count), end: Math.min(shown.end, count) };
}
