/** What the page of schedules asks for, and what people decide there. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { CalendarShape, ComingShape, PastShape, PlannedShape, ScheduleShape, SchedulesShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { dayOf, momentOf, plusDays } from "./days";

export type Schedule = ScheduleShape;
export type Coming = ComingShape;
export type { PastShape, PlannedShape };

/** The ticker starts things, and other people decide: it is asked again so often, ms. */
const EVERY = 5_000;

export function useSchedules() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "schedules"],
    queryFn: ({ signal }) => api.get<SchedulesShape>(`${workspacePath(workspace)}/schedules`, { signal }),
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

export function useCalendar(days: readonly string[], zone: string) {
  const workspace = useWorkspace().id;
  const first = days[0] ?? "";
  const last = days.at(-1) ?? "";
  return useQuery({
    queryKey: [workspace, "schedules", "calendar", first, last, zone],
    queryFn: ({ signal }) =>
      api.get<CalendarShape>(`${workspacePath(workspace)}/schedules/calendar`, {
        query: {
          begin: new Date(momentOf(first, zone)).toISOString(),
          end: new Date(momentOf(plusDays(last, 1), zone) - 1).toISOString(),
          time_zone: zone,
        },
        signal,
      }),
    placeholderData: (before) => before,
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

/** Something that is decided about a schedule; afterwards everything here is asked for anew. */
export function useDeed<Given>(deed: (workspace: string, given: Given) => Promise<unknown>) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) => deed(workspacePath(workspace), given),
    // Not waited for: what asked for it may be gone with the answer, and is to hear of its own before that.
    onSettled: () => void client.invalidateQueries({ queryKey: [workspace, "schedules"] }),
  });
}

const at = (base: string, schedule: string, verb: string) => `${base}/schedules/${schedule}/${verb}`;
const once = () => ({ idempotencyKey: newIdempotencyKey() });

export const skipStart = (base: string, given: { schedule: string; instant: string }) =>
  api.post(at(base, given.schedule, "skip"), { instant: given.instant }, once());
export const moveStart = (base: string, given: { schedule: string; instant: string; to: string }) =>
  api.post(at(base, given.schedule, "move"), { instant: given.instant, to: given.to }, once());
export const putBack = (base: string, given: { schedule: string; instant: string }) =>
  api.post(at(base, given.schedule, "put-back"), { instant: given.instant }, once());
export const pauseSchedule = (base: string, given: { schedule: string; until: string }) =>
  api.post(at(base, given.schedule, "pause"), { until: given.until }, once());
export const resumeSchedule = (base: string, given: { schedule: string }) => api.post(at(base, given.schedule, "resume"), {}, once());
export const spread = (base: string, given: { schedules: string[]; minutes: number }) => api.post(`${base}/schedules/spread`, { ...given }, once());
export const runNow = (base: string, given: { workflow: string; step: string }) =>
  api.post<Run>(`${base}/workflows/${given.workflow}/runs`, { trigger: given.step, input: null }, once());

/** What stands on one day of the calendar, in the order of time; what cannot be listed singly stands first. */
export interface Day {
  day: string;
  many: CalendarShape["days"];
  starts: Start[];
  free: CalendarShape["free_days"];
}

export type Start = { at: string; schedule: string; workflow: string } & ({ past: PastShape; coming?: never } | { coming: PlannedShape; past?: never });

export function byDay(found: CalendarShape | undefined, days: readonly string[], zone: string, chosen: string | undefined): Day[] {
  const all = new Map(days.map((day): [string, Day] => [day, { day, many: [], starts: [], free: [] }]));
  const wanted = (schedule: string) => !chosen || schedule === chosen;
  for (const past of found?.past ?? []) {
    if (wanted(past.schedule_id)) all.get(dayOf(past.at, zone))?.starts.push({ at: past.at, schedule: past.schedule_id, workflow: past.workflow_id, past });
  }
  for (const coming of found?.planned ?? []) {
    if (wanted(coming.schedule_id)) all.get(dayOf(coming.at, zone))?.starts.push({ at: coming.at, schedule: coming.schedule_id, workflow: coming.workflow_id, coming });
  }
  for (const one of found?.days ?? []) if (wanted(one.schedule_id)) all.get(one.day)?.many.push(one);
  for (const one of found?.free_days ?? []) all.get(one.day)?.free.push(one);
  for (const one of all.values()) one.starts.sort((left, right) => left.at.localeCompare(right.at));
  return [...all.values()];
}
