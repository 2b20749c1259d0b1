/** Where one is in a document of many pages, and how large they are drawn; without showing it. */

/** How wide a page is, as a part of the room that there is. */
export const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3] as const;

/** The next larger or smaller size; the same where there is none. */
export function zoomed(zoom: number, by: 1 | -1): number {
  const found = by > 0 ? ZOOMS.find((one) => one > zoom) : ZOOMS.findLast((one) => one < zoom);
  return found ?? zoom;
}

/** Which page is read, from 1: the last that begins above the middle of what is seen. `tops`: where each begins. */
export function pageAt(tops: readonly number[], middle: number): number {
  let low = 0;
  let high = tops.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if ((tops[half] ?? 0) <= middle) low = half + 1;
    else high = half;
  }
  return Math.max(1, low);
}

/** A page has at most so many pixels: four bytes each. */
export const MOST_PIXELS = 8_000_000;

/** By how much a page is drawn larger than the browser's own measure: sharp on good screens, bounded for all. */
export function density(width: number, height: number, ratio: number): number {
  const area = Math.max(1, width * height);
  return Math.min(Math.max(1, ratio), 3, Math.sqrt(MOST_PIXELS / area));
}

/** Why a PDF cannot be shown, by what its reader says. */
export function troubleOf(error: unknown): "password" | "damaged" | "away" {
  const name = error instanceof Error ? error.name : "";
  if (name === "PasswordException") return "password";
  if (name === "TypeError" || name === "ResponseException" || name === "AbortError") return "away";
  return "damaged";
}
