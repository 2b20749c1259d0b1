import type { Viewport } from "@xyflow/react";

import { type Box, CARD, framesOf, type GraphDocument, type Specs } from "../graph";

export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export const NO_INSETS: Insets = { top: 0, right: 0, bottom: 0, left: 0 };

export function boundsOf(document: GraphDocument, specs: Specs, ids?: ReadonlySet<string>): Box | null {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  const add = (x: number, y: number, width: number, height: number): void => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  };
  for (const [id, box] of framesOf(document, specs).boxes) if (!ids || ids.has(id)) add(box.x, box.y, box.width, box.height);
  for (const note of document.annotations) {
    if (!ids || ids.has(note.id)) add(note.position.x, note.position.y, note.size.width, note.size.height);
  }
  return left === Infinity ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

const MARGIN = 36;

/** The view that shows a box as large as possible, at most at `maxZoom`. */
export function viewOf(box: Box, size: { width: number; height: number }, insets: Insets, maxZoom = 1, minZoom = 0.1): Viewport {
  const width = Math.max(80, size.width - insets.left - insets.right - MARGIN * 2);
  const height = Math.max(80, size.height - insets.top - insets.bottom - MARGIN * 2);
  const zoom = Math.max(minZoom, Math.min(maxZoom, width / Math.max(1, box.width), height / Math.max(1, box.height)));
  return {
    zoom,
    x: insets.left + MARGIN + (width - box.width * zoom) / 2 - box.x * zoom,
    y: insets.top + MARGIN + Math.max(0, (height - box.height * zoom) / 2) - box.y * zoom,
  };
}

/** Cards say all they have to say down to here. */
const LEAST_READABLE = 0.6;

/**
 * Where a canvas opens: everything if it stays readable, else the first step at the top. `whole`: what happened matters
 * more than each word, so that less large is readable too, and what is wide is not cut off at its sides.
 */
export function firstView(document: GraphDocument, specs: Specs, size: { width: number; height: number }, insets: Insets, whole = false): Viewport {
  const box = boundsOf(document, specs);
  if (!box) return { x: insets.left + (size.width - insets.left - insets.right) / 2 - CARD.width / 2, y: insets.top + size.height * 0.16, zoom: 1 };
  const all = viewOf(box, size, insets);
  if (all.zoom >= (whole ? LEAST_READABLE : 0.8)) {
    // Short flows hang from the top, as they are read.
    return all.zoom === 1 ? { ...all, y: insets.top + Math.min(all.y + box.y - insets.top, 48) - box.y } : all;
  }
  const first = [...framesOf(document, specs).boxes.values()].sort((a, b) => a.y - b.y || a.x - b.x)[0];
  const room = size.width - insets.left - insets.right - MARGIN * 2;
  const usual = size.width < 700 ? 0.75 : size.width < 1000 ? 0.85 : 1;
  const zoom = whole ? Math.max(LEAST_READABLE, Math.min(usual, room / box.width)) : usual;
  const x = first && !(whole && box.width * zoom <= room + 1) ? first.x + first.width / 2 : box.x + box.width / 2;
  return { zoom, x: insets.left + (size.width - insets.left - insets.right) / 2 - x * zoom, y: insets.top + MARGIN - (first?.y ?? box.y) * zoom };
}

/** Cards can be told apart down to here. */
const LEAST_TOLD = 0.16;
const RIM = 12;

/** A picture that nobody moves: everything, where it can be told apart; else what stands around this step. */
export function stillView(document: GraphDocument, specs: Specs, size: { width: number; height: number }, around?: string): Viewport {
  const box = boundsOf(document, specs);
  if (!box) return { x: 0, y: 0, zoom: 1 };
  const room = { width: size.width - 2 * RIM, height: size.height - 2 * RIM };
  const zoom = Math.max(LEAST_TOLD, Math.min(0.5, room.width / box.width, room.height / box.height));
  const centre = (around === undefined ? null : boundsOf(document, specs, new Set([around]))) ?? box;
  /** Along one axis: in the middle where all of it is seen, else the step's place, no further than to the edge. */
  const along = (start: number, length: number, middle: number, span: number, whole: number): number => {
    if (length * zoom <= span) return whole / 2 - (start + length / 2) * zoom;
    return Math.min(RIM - start * zoom, Math.max(whole - RIM - (start + length) * zoom, whole / 2 - middle * zoom));
  };
  return {
    zoom,
    x: along(box.x, box.width, centre.x + centre.width / 2, room.width, size.width),
    y: along(box.y, box.height, centre.y + centre.height / 2, room.height, size.height),
  };
}

/** The smallest move of the view that brings a box clear of the rims; null when it is already. */
export function reveal(box: Box, view: Viewport, size: { width: number; height: number }, insets: Insets): Viewport | null {
  // Where there is hardly room for the card, it stands in the middle of it.
  const room = size.width - insets.left - insets.right - box.width * view.zoom;
  const rim = Math.min(24, Math.max(0, room / 2));
  const left = box.x * view.zoom + view.x;
  const top = box.y * view.zoom + view.y;
  const right = left + box.width * view.zoom;
  const bottom = top + box.height * view.zoom;
  let dx = 0;
  let dy = 0;
  if (left < insets.left + rim) dx = insets.left + rim - left;
  else if (right > size.width - insets.right - rim) dx = size.width - insets.right - rim - right;
  if (top < insets.top + 24) dy = insets.top + 24 - top;
  else if (bottom > size.height - insets.bottom - 24) dy = size.height - insets.bottom - 24 - bottom;
  return dx === 0 && dy === 0 ? null : { zoom: view.zoom, x: view.x + dx, y: view.y + dy };
}
