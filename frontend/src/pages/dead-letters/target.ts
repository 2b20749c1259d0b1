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

export function countOf({ group, letters }: Target): number {
  return letters?.length ?? group.count;
}
