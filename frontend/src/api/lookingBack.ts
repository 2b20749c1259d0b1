/** Looking back on runs: the film of one, and two beside each other; as the server's schema says. */
import { useQuery } from "@tanstack/react-query";

import { api } from "./client";
import { parseExact } from "../graph/exact";
import { workspacePath } from "./queries";
import type * as generated from "./schema.gen";
import { useWorkspace } from "./session";
import type { Run, RunStep } from "./types";

export type Playback = generated.PlaybackView;
export type FieldDifference = generated.FieldDifferenceView;
export type StepComparison = generated.StepComparisonView;
export type ConnectionChange = generated.ConnectionChangeView;
export type VersionChange = generated.VersionChangeView;

export interface ComparedStep extends Omit<generated.ComparedStepView, "here" | "there"> {
  here: RunStep | null;
  there: RunStep | null;
}

export interface Comparison extends Omit<generated.ComparisonView, "here" | "there" | "steps"> {
  here: Run;
  there: Run;
  steps: ComparedStep[];
}

export function playbackQuery(workspace: string, run: string, seq: number) {
  return {
    queryKey: [workspace, "playback", run, seq],
    queryFn: ({ signal }: { signal: AbortSignal }) => api.get<Playback>(`${workspacePath(workspace)}/runs/${run}/playback`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  };
}

/** What differs from the last run that was good; numbers keep their digits. */
export function useSinceGood(run: string, seq: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "since-good", run, seq],
    queryFn: ({ signal }) => api.get<{ found: Comparison | null }>(`${workspacePath(workspace)}/runs/${run}/since-good`, { signal, parse: parseExact }),
    placeholderData: (before) => before,
  });
}

export function useComparison(here: string, there: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "compare", here, there],
    queryFn: ({ signal }) => api.get<Comparison>(`${workspacePath(workspace)}/runs/${here}/compare/${there}`, { signal, parse: parseExact }),
  });
}

export function useStepComparison(here: string, there: string, node: string | null) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "compare", here, there, node],
    queryFn: ({ signal }) => api.get<StepComparison>(`${workspacePath(workspace)}/runs/${here}/compare/${there}/steps/${node}`, { signal, parse: parseExact }),
    enabled: node !== null,
  });
}
