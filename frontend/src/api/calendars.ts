/** Business calendars of the workspace: on which days people work. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, newIdempotencyKey } from "./client";
import { workspacePath } from "./queries";
import type {
  CalendarBody,
  CalendarCountriesShape,
  CalendarDayBody,
  CalendarRowShape,
  CalendarsShape,
  CalendarUsesShape,
  CalendarYearShape,
  IcsDaysShape,
} from "./schema.gen";
import { useWorkspace } from "./session";

export type Calendar = CalendarRowShape;
export type { CalendarBody, CalendarDayBody, CalendarYearShape, IcsDaysShape };

/** Settings name a calendar of the workspace by this sign and its key. */
export const OWN = "@";
export const DEFAULT = "@default";

const keyOf = (workspace: string) => [workspace, "calendars"];

export function useCalendars() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: keyOf(workspace),
    queryFn: async ({ signal }) => (await api.get<CalendarsShape>(`${workspacePath(workspace)}/calendars`, { signal })).items,
    staleTime: 5_000,
  });
}

export function useCountries() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "calendar-countries"],
    queryFn: async ({ signal }) => (await api.get<CalendarCountriesShape>(`${workspacePath(workspace)}/calendars/countries`, { signal })).items,
    staleTime: Infinity,
  });
}

export function useCalendarYear(calendar: string, year: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [...keyOf(workspace), calendar, "year", year],
    queryFn: ({ signal }) => api.get<CalendarYearShape>(`${workspacePath(workspace)}/calendars/${calendar}/year`, { query: { year: String(year) }, signal }),
    placeholderData: (before) => before,
    staleTime: 5_000,
  });
}

export function useCalendarUses(calendar: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [...keyOf(workspace), calendar, "uses"],
    queryFn: async ({ signal }) => (await api.get<CalendarUsesShape>(`${workspacePath(workspace)}/calendars/${calendar}/uses`, { signal })).items,
    staleTime: 0,
  });
}

/** Something that is done to calendars; afterwards they, and what goes by them, are asked for anew. */
function useChange<Given, Made>(deed: (path: string, given: Given) => Promise<Made>, onDone: (made: Made) => void) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) => deed(`${workspacePath(workspace)}/calendars`, given),
    onSuccess: onDone,
    onSettled: () =>
      Promise.all([client.invalidateQueries({ queryKey: keyOf(workspace) }), client.invalidateQueries({ queryKey: [workspace, "schedules"] })]),
  });
}

export function useSaveCalendar(calendar: Calendar | null, onDone: (saved: Calendar) => void) {
  return useChange<CalendarBody, Calendar>((path, body) => {
    const once = { idempotencyKey: newIdempotencyKey() };
    return calendar ? api.put<Calendar>(`${path}/${calendar.id}`, { ...body, revision: calendar.revision }, once) : api.post<Calendar>(path, { ...body }, once);
  }, onDone);
}

export function useRemoveCalendar(calendar: Calendar, onDone: () => void) {
  return useChange<void, unknown>((path) => api.delete(`${path}/${calendar.id}`), onDone);
}

export function usePreviewImport() {
  const workspace = useWorkspace().id;
  return useMutation({
    mutationFn: (given: { text: string; days: CalendarDayBody[] }) => api.post<IcsDaysShape>(`${workspacePath(workspace)}/calendars/import`, given),
  });
}

/** A calendar as it is sent to be kept. */
export function bodyOf(calendar: Calendar): CalendarBody {
  const { name, weekdays, country, region, days, close, default: chosen } = calendar;
  return { name, weekdays, country, region, days, close, default: chosen };
}

export const countryName = (code: string, language: string): string => new Intl.DisplayNames([language], { type: "region" }).of(code) ?? code;
