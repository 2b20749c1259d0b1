/** The opened items of a timeline: each is a run of its own, followed as one. */
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";

import { useRunTimes, type RunTimes } from "../../../api/runTimes";
import { useWorkspace } from "../../../api/session";
import type { GraphDocument, RunStep } from "../../../api/types";
import { type RunState, useLiveRun } from "../../../live";
import { shownGraph } from "../items/shown";
import { timelineRows } from "../timeline";
import type { Stretch } from "../zoom";
import type { Owner } from "./lines";

/** So many opened items are followed; the one that was opened first is closed for the next. */
export const MOST_FOLLOWED = 12;

const CONTAINER = /^flow\.(for_each|repeat)@/;

export const hasContainers = (graph: GraphDocument): boolean => graph.nodes.some((node) => CONTAINER.test(node.type));

/** A run whose steps are lines. `graph`: with the outermost steps only. */
export function ownerOf(run: string, graph: GraphDocument, steps: Readonly<Record<string, RunStep>>): Owner {
  const containers: Owner["containers"] = new Map(
    graph.nodes.flatMap((node) => {
      const items = steps[node.id]?.items;
      return CONTAINER.test(node.type) && items && items.started > 0 ? [[node.id, { node, items }] as const] : [];
    }),
  );
  return { run, rows: timelineRows(graph, steps), containers };
}

/** An opened item, as its lines need it. */
export interface Followed {
  owner: Owner;
  times: RunTimes | undefined;
}

/** For the query: whole ms since the run was accepted. */
export function stretchOf(stretch: Stretch | null, accepted: string): { begin: number; end: number } | null {
  if (!stretch) return null;
  const zero = Date.parse(accepted);
  const begin = Math.max(0, Math.floor(stretch.from - zero));
  return { begin, end: Math.max(begin + 1, Math.ceil(stretch.until - zero)) };
}

interface FollowProps {
  path: string;
  run: string;
  stretch: Stretch | null;
  hold(path: string, found: Followed | null): void;
}

/** Follows the run of an opened item while it is opened. */
export function FollowItem({ path, run, stretch, hold }: FollowProps) {
  const { store } = useLiveRun(useWorkspace().id, run);
  const state = useStore(store);
  return state.run && state.graph ? <Held key={run} path={path} state={state} stretch={stretch} hold={hold} /> : null;
}

function Held({ path, state, stretch, hold }: { path: string; state: RunState; stretch: Stretch | null; hold: FollowProps["hold"] }) {
  const { run, graph, steps } = state;
  const times = useRunTimes(run?.id ?? "", steps, run && stretchOf(stretch, run.accepted_at));
  const owner = useMemo(() => run && graph && ownerOf(run.id, shownGraph(graph, [], (name) => name), steps), [run, graph, steps]);
  useEffect(() => {
    if (owner) hold(path, { owner, times });
  }, [path, owner, times, hold]);
  useEffect(() => () => hold(path, null), [path, hold]);
  return null;
}

/** What the followers have told, by path. */
export function useFollowed() {
  const [followed, setFollowed] = useState<ReadonlyMap<string, Followed>>(() => new Map());
  const hold = useMemo(
    () => (path: string, found: Followed | null) =>
      setFollowed((before) => {
        const next = new Map(before);
        if (found) next.set(path, found);
        else next.delete(path);
        return next;
      }),
    [],
  );
  return { followed, hold };
}
