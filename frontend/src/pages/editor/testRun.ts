/** A test shown on the editor's own canvas, live. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";

import { fetchSnapshot } from "../../api/queries";
import type { Run } from "../../api/types";
import { createRunStore, type RunStore, useLiveSocket, useLiveState } from "../../live";
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

/** How often the run is read by plain requests while the socket is down. */
const POLL_EVERY = 4000;

export function useTestRun(workspace: string, workflow: string): TestRun {
  const socket = useLiveSocket();
  const paused = useLiveState((live) => live.status !== "open");
  const store = useMemo(() => {
    void workflow;
    return createRunStore();
  }, [workflow]);
  const [shown, setShown] = useState(false);
  const [id, setId] = useState<string | null>(null);
  const run = useStore(store, (state) => state.run);
  const finished = run && runIsFinished(run) ? run.id : null;

  useEffect(() => {
    if (id === null) return;
    const abort = new AbortController();
    let unsubscribe = (): void => {};
    const read = async (): Promise<void> => {
      const snapshot = await fetchSnapshot(workspace, id, abort.signal);
      if (!abort.signal.aborted) store.load(snapshot);
    };
    void read()
      .catch(() => undefined)
      .then(() => {
        if (abort.signal.aborted) return;
        unsubscribe = socket.subscribeRun(id, {
          after: () => store.getState().seq,
          onChanges: (changes) => {
            if (!store.apply(changes)) void read().then(() => socket.resubscribeRun(id), () => undefined);
          },
          onGone: () => undefined,
        });
      });
    return () => {
      abort.abort();
      unsubscribe();
    };
  }, [id, socket, store, workspace]);

  useEffect(() => {
    if (id === null || !paused || finished === id) return;
    const abort = new AbortController();
    const timer = setInterval(() => {
      fetchSnapshot(workspace, id, abort.signal).then(
        (snapshot) => {
          if (!abort.signal.aborted) store.load(snapshot);
        },
        // Still away; the next round asks again.
        () => undefined,
      );
    }, POLL_EVERY);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [id, paused, finished, store, workspace]);

  const show = useCallback(
    (next: string) => {
      store.clear();
      setId(next);
      setShown(true);
    },
    [store],
  );
  const hide = useCallback(() => setShown(false), []);
  const forget = useCallback(() => {
    setId(null);
    setShown(false);
    store.clear();
  }, [store]);
  return { store, run, shown, finished, show, hide, forget };
}
