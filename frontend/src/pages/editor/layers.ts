/** What lies over the editor: a panel, a list, a drawer. Esc closes one at a time, the one opened last first. */
import { useLayoutEffect, useRef } from "react";

type Close = () => void;

const layers: { close: Close }[] = [];

/** Stands on the stack of layers while `open`. */
export function useLayer(open: boolean, close: Close): void {
  const latest = useRef(close);
  // Before the picture: Esc closes what is seen.
  useLayoutEffect(() => {
    latest.current = close;
  });
  useLayoutEffect(() => (open ? pushLayer(() => latest.current()) : undefined), [open]);
}

/** Puts a layer on top; answers how to take it away again. */
export function pushLayer(close: Close): () => void {
  const layer = { close };
  layers.push(layer);
  return () => {
    const at = layers.indexOf(layer);
    if (at >= 0) layers.splice(at, 1);
  };
}

/** Closes the layer on top. Answers whether there was one. */
export function closeTopLayer(): boolean {
  const top = layers.at(-1);
  top?.close();
  return top !== undefined;
}
