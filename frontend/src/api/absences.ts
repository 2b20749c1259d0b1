/** Who is away, and who sees their questions meanwhile. */
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { api } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";

export interface AwayMember {
  /** The id of their membership. */
  member: string;
  name: string;
  me: boolean;
}

/** Days are days of the workspace, `2026-12-03`; both belong to it. */
export interface Absence {
  who: AwayMember;
  first_day: string;
  /** Null: nobody knows until when. */
  last_day: string | null;
  /** It has begun. */
  holds: boolean;
  /** Who was named; null once they have left. */
  stand_in: AwayMember | null;
  /** Who sees the questions: somebody else where the stand-in is away, too; null where nobody does. */
  hand: AwayMember | null;
  why: "" | "left" | "away";
  note: string;
}

/** `stand_in`: the id of a membership. */
export interface AbsenceBody {
  first_day: string;
  last_day: string | null;
  stand_in: string;
  note: string;
}

export function useAbsences() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "absences"],
    queryFn: async ({ signal }) => (await api.get<{ items: Absence[] }>(`${workspacePath(workspace)}/absences`, { signal })).items,
    staleTime: 30_000,
  });
}

/** Another text for each state of an absence: what was typed over an older one must not be written over a newer. */
export function stateOf(absence: Absence | null): string {
  return absence ? JSON.stringify([absence.first_day, absence.last_day, absence.stand_in?.member ?? null, absence.note]) : "none";
}

/** Whoever is away or here again has other people asked: what was read of that is read anew. */
export function useAskedAnew(): () => Promise<unknown> {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: [workspace, "absences"] }),
      client.invalidateQueries({ queryKey: [workspace, "inbox"] }),
    ]);
}
