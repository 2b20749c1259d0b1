/** Where one is in a document of many pages, and how large they are drawn; without showing it. */

/** How wide a page is, as a part of the room that there is. */
export const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3] as const;

/** The next larger or smaller size; the same where there is none. */
export function zoomed(zoom: number, by: 1 | -1): number {
  const found = by > 0 ? ZOOMS.find((one) => one > zoom) : ZOOMS.findLast((one) => one < zoom);
  return found ?? zoom;
}

/** So many pages of a document have a sheet here; it says itself how many it has, and may say anything. */
export const MOST_PAGES = 2_000;

/** How many pages are drawn of a document that says it has `count`; null where no document can have so many. */
export function pagesDrawn(count: number): number | null {
  return Number.isSafeInteger(count) && count >= 1 ? Math.min(count, MOST_PAGES) : null;
}

/** Width to height of a sheet, where a page does not say it. */
const SHEET = 210 / 297;
/** How many times as wide as high a sheet is at most, and the other way round. */
const MOST_RATIO = 20;

/** Width to height of the sheet of a page: a page that is a line gets a sheet that can still be drawn. */
export function sheetRatio(width: number, height: number): number {
  const ratio = width / height;
  return ratio > 0 ? Math.min(MOST_RATIO, Math.max(1 / MOST_RATIO, ratio)) : SHEET;
}

/** Which page is read, from 1: the last of `count` that begins above the middle of what is seen. `topOf`: where one begins. */
export function pageAt(count: number, topOf: (index: number) => number, middle: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const half = (low + high) >> 1;
    if (topOf(half) <= middle) low = half + 1;
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

/** The file did not come; what its reader stumbles over is another thing, even where it is called the same. */
export class Away extends Error {
  override name = "Away";
}

/** The bytes at an address. Fails with `Away`. */
export async function bytesOf(url: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const answer = await fetch(url, { signal, credentials: "same-origin" });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new Away(String(answer.status));
  } catch (error) {
    throw error instanceof Away ? error : new Away("It did not come", { cause: error });
  }
}

/** Why a PDF cannot be shown, by what its reader says. */
export function troubleOf(error: unknown): "password" | "damaged" | "away" {
  if (error instanceof Away) return "away";
  return error instanceof Error && error.name === "PasswordException" ? "password" : "damaged";
}
