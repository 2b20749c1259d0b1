/** Words on runs as people type them. */

export const LONGEST_TAG = 40;
export const MOST_TAGS = 20;

/** As it is kept: with single spaces. */
export function tagOf(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

/** What is wrong with it: a key of `tags.problem`; null where nothing is. */
export function problemOf(text: string): "long" | "signs" | null {
  const tag = tagOf(text);
  if ([...tag].length > LONGEST_TAG) return "long";
  return /[",\p{C}]/u.test(tag) ? "signs" : null;
}

const folded = (tag: string): string => tag.normalize("NFKC").toLowerCase();

export function sameTag(one: string, other: string): boolean {
  return folded(one) === folded(other);
}

export function holds(tags: readonly string[], tag: string): boolean {
  return tags.some((one) => sameTag(one, tag));
}

/** A change that is on its way. */
export interface TagChange {
  id: number;
  tag: string;
  on: boolean;
}

/** What stands there once all of these have been done, in the order of the alphabet. */
export function changed(tags: readonly string[], changes: readonly TagChange[]): string[] {
  let next = [...tags];
  for (const { tag, on } of changes) {
    if (!on) next = next.filter((one) => !sameTag(one, tag));
    else if (!holds(next, tag)) next.push(tag);
  }
  return next.sort((one, other) => folded(one).localeCompare(folded(other)));
}
