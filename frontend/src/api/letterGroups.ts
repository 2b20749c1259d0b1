import { api, newIdempotencyKey, urlOf } from "./client";
import { workspacePath } from "./queries";
import type { Instant } from "./types";

/** What people have said about a group of dead letters. `muted_until`: null is until somebody says otherwise. */
export interface GroupSaid {
  /** Of the note and the ticket. */
  revision: number;
  note: string;
  ticket: string;
  noted_at: Instant | null;
  noted_by: string | null;
  muted: boolean;
  muted_at: Instant | null;
  muted_until: Instant | null;
  muted_by: string | null;
}

/** What usually helps. `connection`: the one to mend, where it is known. */
export interface Suggested {
  action: string;
  connection: { id: string; name: string } | null;
}

export const LETTER_FORMATS = ["csv", "csv_comma", "json"] as const;
export type LetterFormat = (typeof LETTER_FORMATS)[number];

/** More runs than this are not named one by one. */
export const MOST_CHOSEN = 200;

/** Which dead letters: of a workflow, of a cause, or these runs; all where nothing is said. */
export interface LettersMeant {
  workflow?: string | undefined;
  cause?: string;
  runs?: readonly string[];
  /** Only those that were sent to somebody with this one. */
  sent?: string | undefined;
}

/** Where these dead letters are as a file. */
export function lettersUrl(workspace: string, format: LetterFormat, { workflow, cause, runs, sent }: LettersMeant): string {
  // Without their dashes two hundred of them fit into every address.
  const chosen = runs?.map((one) => one.replaceAll("-", "")).join(",");
  return urlOf(`${workspacePath(workspace)}/dead-letters/export`, { format, workflow, cause, runs: chosen, sent });
}

export interface GroupNote {
  note: string;
  ticket: string;
  /** Of what was seen. */
  revision: number;
}

export function putNote(workspace: string, cause: string, note: GroupNote): Promise<GroupSaid> {
  return api.put(`${workspacePath(workspace)}/dead-letters/${cause}/note`, note, { idempotencyKey: newIdempotencyKey() });
}

export function mute(workspace: string, cause: string, days: 1 | 7 | null): Promise<GroupSaid> {
  return api.post(`${workspacePath(workspace)}/dead-letters/${cause}/mute`, { days }, { idempotencyKey: newIdempotencyKey() });
}

export function unmute(workspace: string, cause: string): Promise<GroupSaid> {
  return api.post(`${workspacePath(workspace)}/dead-letters/${cause}/unmute`, undefined, { idempotencyKey: newIdempotencyKey() });
}
