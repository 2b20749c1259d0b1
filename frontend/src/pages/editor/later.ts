/** The parts of the editor that are loaded after it is shown: its dialogs, and the panel of a step. */
import { useEffect } from "react";

export const loadDialog = () => import("./OpenDialog");
export const loadPanel = async () => ({ default: (await import("../../inspector/StepPanel")).StepPanel });

const REST_MS = 2500;

/**
 * Loads them when the editor has come to rest, and at once when somebody begins to work: who presses a key goes on typing,
 * and may be offline by then.
 */
export function useLoadedLater(): void {
  useEffect(() => {
    const load = (): void => {
      stop();
      void Promise.all([loadPanel(), loadDialog()]).catch(() => undefined);
    };
    const stop = (): void => {
      clearTimeout(timer);
      for (const event of ["keydown", "pointerdown"]) window.removeEventListener(event, load, true);
    };
    const timer = setTimeout(load, REST_MS);
    for (const event of ["keydown", "pointerdown"]) window.addEventListener(event, load, true);
    return stop;
  }, []);
}
