import { useDeferredValue, useMemo, useSyncExternalStore } from "react";
import { useStore } from "zustand";

import { type Change, changesBetween, type EditorStore, type GraphDocument } from "../../graph";

function watch(changed: () => void): () => void {
  window.addEventListener("resize", changed);
  return () => window.removeEventListener("resize", changed);
}

export function useEditorWidth(): number {
  return useSyncExternalStore(watch, () => window.innerWidth);
}

/** The changes since the live version, computed when there is time for it; null while nothing is live. */
export function useChanges(store: EditorStore, live: GraphDocument | null): readonly Change[] | null {
  const document = useDeferredValue(useStore(store, (state) => state.document));
  const specs = useStore(store, (state) => state.specs);
  return useMemo(() => (live ? changesBetween(live, document, specs) : null), [live, document, specs]);
}
