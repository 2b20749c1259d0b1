/** A test shown on the editor's own canvas, live. */
import { useCallback, useMemo, useState } from "react";
import { useStore } from "zustand";

import { fetchSnapshot } from "../../api/queries";
import type { Run } from "../../api/types";
import { createRunStore, type RunStore, useLiveSocket } from "../../live";
import { runIsFinished } from "../../ui";

export interface TestRun {
  store: RunStore;
  run: Run | null;
  /** The canvas shows the run, not the draft. */
  shown: boolean;
  /** Id of the run once it has ended. */
  finished: string | null;
  show(run: string): void;
  hide(): void;
  forget(): void;
}

export function useTestRun(workspace: string, workflow: string): TestRun {
  const socket = useLiveSocket();
  const store = useMemo(() => {
    void workflow;
    return createRunStore();
  }, [workflow]);
  const [shown, setShown] = useState(false);
  const [stop, setStop] = useState<{ end: () => void } | null>(null);
  const run = useStore(store, (state) => state.run);

  const show = useCallback(
    (id: string) => {
      stop?.end();
      store.clear();
      setShown(true);
      const read = async (): Promise<void> => store.load(await fetchSnapshot(workspace, id));
      let unsubscribe = (): void => {};
      let timer: ReturnType<typeof setTimeout> | null = null;
      let over = false;
      // A second opinion for when the socket is down: asks until the run has ended.
      const watch = (): void => {
        timer = setTimeout(() => {
          const { run: now } = store.getState();
          if (over || (now && runIsFinished(now))) return;
          void read().catch(() => undefined).then(watch);
        }, 2500);
      };
      void read()
        .catch(() => undefined)
        .then(() => {
          if (over) return;
          unsubscribe = socket.subscribeRun(id, {
            after: () => store.getState().seq,
            onChanges: (changes) => {
              if (!store.apply(changes)) void read().then(() => socket.resubscribeRun(id), () => undefined);
            },
            onGone: () => undefined,
          });
          watch();
        });
      setStop({
        end() {
          over = true;
          if (timer) clearTimeout(timer);
          unsubscribe();
        },
      });
    },
    [socket, stop, store, workspace],
  );
  const hide = useCallback(() => setShown(false), []);
  const forget = useCallback(() => {
    stop?.end();
    setStop(null);
    setShown(false);
    store.clear();
  }, [stop, store]);
  return { store, run, shown, finished: run && runIsFinished(run) ? run.id : null, show, hide, forget };
}
