/** The live socket in React: one per workspace, shared by every screen. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";

import { ApiError, api, refreshSession } from "../api/client";
import { fetchSnapshot, workspacePath } from "../api/queries";
import type { Run, RunChange } from "../api/types";
import { type RunStore, createRunStore } from "./runStore";
import { LiveSocket, type LiveState } from "./socket";

const LiveContext = createContext<LiveSocket | null>(null);

function socketUrl(workspace: string): string {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/ws/v1/workspaces/${workspace}/live`;
}

/** `onSessionEnded` must keep its identity: a new one opens a new socket. */
export function LiveProvider(props: { workspace: string; onSessionEnded: () => void; children: ReactNode }) {
  const { workspace, onSessionEnded } = props;
  const socket = useMemo(
    () => new LiveSocket({ url: () => socketUrl(workspace), onSessionEnded }),
    [workspace, onSessionEnded],
  );
  useEffect(
    () =>
      // A refused handshake looks like a lost line, so ask once whether somebody is still signed in.
      socket.state.subscribe((state, before) => {
        if (state.status !== "paused" || before.status === "paused") return;
        refreshSession().then(
          (session) => {
            if (!session.user) onSessionEnded();
          },
          () => undefined,
        );
      }),
    [socket, onSessionEnded],
  );
  useEffect(() => {
    socket.start();
    const back = () => socket.retryNow();
    window.addEventListener("online", back);
    window.addEventListener("millrace:signed-in", back);
    return () => {
      window.removeEventListener("online", back);
      window.removeEventListener("millrace:signed-in", back);
      socket.stop();
    };
  }, [socket]);
  return <LiveContext.Provider value={socket}>{props.children}</LiveContext.Provider>;
}

export function useLiveSocket(): LiveSocket {
  const socket = useContext(LiveContext);
  if (!socket) throw new Error("Live updates need a LiveProvider above.");
  return socket;
}

export function useLiveState<T>(select: (state: LiveState) => T): T {
  return useStore(useLiveSocket().state, select);
}

/** Calls `onRuns` with runs of this workflow (or any) that began or changed. */
export function useLiveRuns(workflow: string | null, onRuns: (runs: Run[]) => void, wanted = true): void {
  const socket = useLiveSocket();
  const latest = useRef(onRuns);
  useEffect(() => {
    latest.current = onRuns;
  });
  useEffect(() => (wanted ? socket.subscribeRuns(workflow, (runs) => latest.current(runs)) : undefined), [socket, workflow, wanted]);
}

/** Calls `onChange` when the figures of the monitor have changed; whether the line is open that says so. */
export function useLiveFigures(onChange: () => void): boolean {
  const socket = useLiveSocket();
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => socket.subscribeFigures(() => latest.current()), [socket]);
  return useLiveState((live) => live.status === "open");
}

export type LiveRunState =
  | { phase: "loading" }
  | { phase: "shown" }
  | { phase: "gone" }
  | { phase: "failed"; error: unknown };

/** How often the run is read by plain requests while the socket is down. */
const POLL_EVERY = 4000;
/** How often it is read how the items of a run stand that waits for them. */
const ITEMS_EVERY = 4000;

/**
 * Follows a run: reads a snapshot, then its changes as they are committed. After a gap it reads a snapshot again; while the
 * socket is down it asks by plain requests, so the page never stands still for good.
 */
export function useLiveRun(workspace: string, run: string): { store: RunStore; state: LiveRunState; reload: () => void } {
  const socket = useLiveSocket();
  const store = useMemo(() => createRunStore(), [workspace, run]); // oxlint-disable-line react-hooks/exhaustive-deps -- a store belongs to one run
  const [state, setState] = useState<LiveRunState>({ phase: "loading" });
  const [round, setRound] = useState(0);
  const paused = useLiveState((live) => live.status !== "open");

  useEffect(() => {
    const abort = new AbortController();
    let stop = () => {};
    setState((before) => (store.getState().run ? before : { phase: "loading" }));

    const read = async () => {
      const snapshot = await fetchSnapshot(workspace, run, abort.signal);
      store.load(snapshot);
      setState({ phase: "shown" });
    };
    const failed = (error: unknown) => {
      if (abort.signal.aborted) return;
      setState(error instanceof ApiError && error.status === 404 ? { phase: "gone" } : { phase: "failed", error });
    };
    read().then(() => {
      if (abort.signal.aborted) return;
      stop = socket.subscribeRun(run, {
        after: () => store.getState().seq,
        onChanges: (changes) => {
          if (store.apply(changes)) return;
          read().then(() => socket.resubscribeRun(run), failed);
        },
        onGone: () => setState({ phase: "gone" }),
      });
    }, failed);
    return () => {
      abort.abort();
      stop();
    };
  }, [socket, store, workspace, run, round]);

  // Items that begin to wait change nothing of the run around them: how they stand is read now and then.
  const hasItems = useStore(store, ({ run: now }) => now?.waiting?.kind === "children" && now.finished_at === null);
  useEffect(() => {
    if (paused || !hasItems) return;
    const abort = new AbortController();
    const timer = setInterval(() => {
      if (document.hidden) return;
      fetchSnapshot(workspace, run, abort.signal).then(store.load, () => {
        // What the socket brings is there all the same.
      });
    }, ITEMS_EVERY);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [paused, hasItems, store, workspace, run]);

  useEffect(() => {
    if (!paused || state.phase !== "shown") return;
    const timer = setInterval(() => {
      const after = store.getState().seq;
      api
        .get<Omit<RunChange, "type" | "state" | "run" | "after"> & { run: Run }>(
          `${workspacePath(workspace)}/runs/${run}/changes`,
          { query: { after } },
        )
        .then((answer) => {
          const { seq, steps } = answer;
          if (!store.apply([{ type: "changes", run, after, seq, state: answer.run, steps }])) setRound((value) => value + 1);
        })
        .catch(() => {
          // Still away; the bar says so, and the next round asks again.
        });
    }, POLL_EVERY);
    return () => clearInterval(timer);
  }, [paused, state.phase, store, workspace, run]);

  return { store, state, reload: () => setRound((value) => value + 1) };
}
