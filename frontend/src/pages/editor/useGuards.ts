import { useEffect } from "react";

import type { EditorStore } from "../../graph";
import type { Autosave } from "./autosave";
import type { LocalDraft } from "./localDraft";

/** Saves when the page is left, keeps a copy on this computer, and asks before unsaved edits that cannot be saved are left. */
export function useGuards({ store, autosave, local }: { store: EditorStore; autosave: Autosave; local: LocalDraft }): void {
  useEffect(() => {
    const keep = (): void => {
      if (!store.getState().locks.includes("tab")) local.flush(store, autosave.state.getState().revision);
      if (autosave.dirty()) void autosave.flush();
    };
    const hidden = (): void => {
      if (document.visibilityState === "hidden") keep();
    };
    const again = (): void => {
      if (autosave.dirty()) void autosave.flush();
    };
    const leave = (event: BeforeUnloadEvent): void => {
      keep();
      const { status } = autosave.state.getState();
      if (autosave.dirty() && (status === "failed" || status === "conflict")) event.preventDefault();
    };
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("blur", keep);
    window.addEventListener("pagehide", keep);
    window.addEventListener("beforeunload", leave);
    window.addEventListener("online", again);
    window.addEventListener("millrace:signed-in", again);
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("blur", keep);
      window.removeEventListener("pagehide", keep);
      window.removeEventListener("beforeunload", leave);
      window.removeEventListener("online", again);
      window.removeEventListener("millrace:signed-in", again);
    };
  }, [store, autosave, local]);
}
