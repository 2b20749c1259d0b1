/** Where a new note may lie: near the middle of what is seen, on top of nothing. */
import { type Box, framesOf, type GraphDocument, type Point, type Specs } from "../../graph";

export const NOTE = { width: 200, height: 104 };
const GAP = 24;
const STEP = 32;
const FAR = 2400;

/** The free place nearest to where the note would be centred on `wanted`; to the side before above or below. */
export function freeNotePlace(document: GraphDocument, specs: Specs, wanted: Point): Point {
  const taken: Box[] = [
    ...framesOf(document, specs).boxes.values(),
    ...document.annotations.map((note) => ({ ...note.position, ...note.size })),
  ];
  const start = { x: wanted.x - NOTE.width / 2, y: wanted.y - NOTE.height / 2 };
  const free = (at: Point): boolean => taken.every((box) => !overlaps({ ...at, ...NOTE }, box));
  let best: Point | null = null;
  let cost = Infinity;
  for (let away = 0; away <= FAR && away < cost; away += STEP) {
    for (const side of [1, -1]) {
      for (const up of [0, 1, -1, 2, -2]) {
        const at = { x: start.x + side * away, y: start.y + up * STEP * 2 };
        const price = away + Math.abs(up) * STEP * 3 + (side < 0 ? 1 : 0);
        if (price < cost && free(at)) {
          best = at;
          cost = price;
        }
      }
    }
  }
  return best ?? start;
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width + GAP && b.x < a.x + a.width + GAP && a.y < b.y + b.height + GAP && b.y < a.y + a.height + GAP;
}
