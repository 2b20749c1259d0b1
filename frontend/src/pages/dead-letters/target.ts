import type { ChosenLetters } from "../../api/runSearch";
import type { DeadLetter, DeadLetterGroup } from "../../api/types";

/** What is decided about: a group as it was shown, or those of its runs that were chosen, the newest first. */
export interface Target {
  group: DeadLetterGroup;
  letters: readonly DeadLetter[] | null;
  /** Of the group only those that were sent to somebody with this one. */
  sent?: string | undefined;
  /** They failed because there were too many at once. */
  slowly?: boolean;
}

/** The newest so many of them, as the API is told. */
export function chosenOf({ group, letters, sent }: Target, count: number): { runs: string[] } | ChosenLetters {
  if (letters) return { runs: letters.slice(0, count).map((one) => one.run.id) };
  return { cause: group.cause, count, until: group.last_at, ...(sent ? { sent } : {}) };
}

export function countOf({ group, letters }: Target): number {
  return letters?.length ?? group.count;
}
