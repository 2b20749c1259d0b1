/** What a step notes of itself is written by the server, in UTC: an instant in it is told as people of this place write it. */

const INSTANT = /(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(?: UTC|Z)/g;

/** `format`: writes instants; null stays null. */
export function localNote<N extends string | null | undefined>(note: N, format: { dayClock(at: string): string }): N | string {
  return note && note.replace(INSTANT, (_all, day: string, clock: string, seconds: string | undefined) => format.dayClock(`${day}T${clock}${seconds ?? ""}Z`));
}
