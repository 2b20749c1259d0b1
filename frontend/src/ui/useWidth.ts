import { useSyncExternalStore } from "react";

function watch(changed: () => void): () => void {
  window.addEventListener("resize", changed);
  return () => window.removeEventListener("resize", changed);
}

/** Width of the window in CSS pixels. */
export function useWidth(): number {
  return useSyncExternalStore(watch, () => window.innerWidth);
}
