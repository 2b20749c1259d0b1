/** When a run was at work: the tries of its steps, and its items added up by slices of time; as the server's schema says. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { api } from "./client";
import { stampOf } from "./items";
import { workspacePath } from "./queries";
import type * as generated from "./schema.gen";
import { useWorkspace } from "./session";
import { useSlowed } from "./slowed";
import type { Page, RunItem, RunStep, StepItems } from "./types";

export type RunTimes = generated.TimesView;
export type StepTry = generated.StepTryView;
export type Density = generated.DensityView;

/** What is shown is read again no more often than this. ms */
const SELDOM = 2_500;
/** Of a list that takes long to add up, it is read again after so many times as long. */
const TIMES_AS_LONG = 20;
/** A stretch that is moved by keys is asked for once it stays. ms */
const STAYS = 300;
/** So many rows of items are asked for at once. */
export const PAGE = 50;

/** Reads again when the stamp has changed, but no sooner than `ms` after the last time, and one answer at a time. */
function useReadAgain(stamp: string, found: { isFetching: boolean; refetch(options: { cancelRefetch: boolean }): unknown }, enabled: boolean, ms = SELDOM): void {
  const slowed = useSlowed(stamp, ms);
  const read = useRef(slowed);
  const { isFetching, refetch } = found;
  useEffect(() => {
    if (read.current === slowed || isFetching) return;
    read.current = slowed;
    if (enabled) void refetch({ cancelRefetch: false });
  }, [slowed, isFetching, enabled, refetch]);
}

/** What of the steps has the times read again; "" where there is nothing that they tell. */
export function timesStamp(steps: Readonly<Record<string, RunStep>>): string {
  return Object.values(steps)
    .filter((step) => step.attempt > 1 || (step.items?.started ?? 0) > 0)
    .map((step) => `${step.node} ${step.generation} ${step.attempt} ${stampOf(step.items)}`)
    .join(";");
}

/** The tries and the items of a run. `stretch`: only this part of it, in ms since it was accepted. */
export function useRunTimes(run: string, steps: Readonly<Record<string, RunStep>>, stretch: { begin: number; end: number } | null): RunTimes | undefined {
  const workspace = useWorkspace().id;
  const stamp = timesStamp(steps);
  const part = useSlowed(stretch ? `${stretch.begin}-${stretch.end}` : "", STAYS);
  const [begin, end] = part.split("-");
  const enabled = stamp !== "";
  const found = useQuery({
    queryKey: [workspace, "run-times", run, part],
    queryFn: async ({ signal }) => {
      const asked = Date.now();
      const told = await api.get<RunTimes>(`${workspacePath(workspace)}/runs/${run}/times`, { query: { begin: begin || undefined, end }, signal });
      return { told, took: Date.now() - asked };
    },
    placeholderData: keepPreviousData,
    enabled,
    staleTime: SELDOM,
  });
  useReadAgain(stamp, found, enabled, Math.max(SELDOM, (found.data?.took ?? 0) * TIMES_AS_LONG));
  return found.data?.told;
}

/** One page of the items of a step: those with the numbers from `page` × 50 on. */
export function useItemPage(run: string, node: string, page: number, items: StepItems | null) {
  const workspace = useWorkspace().id;
  const found = useQuery({
    queryKey: [workspace, "item-page", run, node, page],
    queryFn: ({ signal }) =>
      api.get<Page<RunItem>>(`${workspacePath(workspace)}/runs/${run}/items`, { query: { node, first: page * PAGE, limit: PAGE }, signal }),
    staleTime: SELDOM,
    gcTime: 60_000,
  });
  // Items that have all ended change no more by what others do.
  const over = found.data !== undefined && found.data.items.length === PAGE && found.data.items.every((item) => item.status === "completed");
  useReadAgain(over ? "over" : stampOf(items), found, !over);
  return found;
}
