/** The lines of a timeline as a tree: steps, the items of opened containers, and the steps inside opened items. Pure. */
import type { GraphNode, StepItems } from "../../../api/types";
import type { TimelineRow } from "../timeline";

/** A run whose steps are lines: the run that is shown, or an opened item. */
export interface Owner {
  run: string;
  rows: readonly TimelineRow[];
  /** The containers among its steps that have begun items. */
  containers: ReadonlyMap<string, { node: GraphNode; items: StepItems }>;
}

interface Common {
  /** Leads from the outermost step to the line: ids of steps and numbers of items in turn. */
  path: string;
  level: number;
  /** The run whose step this is, or of whose step it is an item. */
  run: string;
  place: number;
  of: number;
}

export type Line =
  | (Common & { kind: "step"; row: TimelineRow; items: StepItems | null; open: boolean | undefined })
  /** `after`: the number of the opened item before it, whose steps stand between; null: there is none. */
  | (Common & { kind: "item"; node: GraphNode; items: StepItems; index: number; open: boolean; after: number | null })
  | (Common & { kind: "more"; count: number })
  | (Common & { kind: "reading" });

/** Lines that follow one another; those of the closed items of a container are told only when they are looked at. */
interface Block {
  start: number;
  count: number;
  at(offset: number): Line;
  /** Of items: the path of their container and the first number. */
  items?: { path: string; first: number };
}

export interface Lines {
  count: number;
  at(place: number): Line | undefined;
  /** Where the line of this path stands; -1 if it is not shown. */
  placeOf(path: string): number;
}

/** More items than that are not listed: a browser knows no longer page. */
export const MOST_ITEMS = 100_000;

/** Instead of the steps of an item, while they are read. */
const READING = "?";

export const inside = (path: string, part: string | number): string => (path === "" ? String(part) : `${path} ${part}`);

/** The path of the line around; null of an outermost one. */
export function around(path: string): string | null {
  const cut = path.lastIndexOf(" ");
  return cut < 0 ? null : path.slice(0, cut);
}

/** Without this path, and what is opened further inside. */
export function closedAt<T>(open: ReadonlyMap<string, T>, path: string): Map<string, T> {
  return new Map([...open].filter(([one]) => one !== path && !one.startsWith(`${path} `)));
}

/** With this path; of an item, its run. Of `most` items that are followed the one that was opened first is closed for it,
 *  unless it is around it. */
export function withOpened(opened: ReadonlyMap<string, string | null>, path: string, run: string | null, most: number): Map<string, string | null> {
  const followed = [...opened].filter(([, of]) => of !== null);
  const oldest = run !== null && followed.length >= most ? followed.find(([one]) => !path.startsWith(`${one} `))?.[0] : undefined;
  return new Map(oldest === undefined ? opened : closedAt(opened, oldest)).set(path, run);
}

/** Which lines are drawn, in their order: those that can be seen, and the one that has the focus wherever they are scrolled to. */
export function shownPlaces(first: number, end: number, focused: number): number[] {
  const seen = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  if (focused < 0 || (focused >= first && focused < end)) return seen;
  return focused < first ? [focused, ...seen] : [...seen, focused];
}

/** `opened`: paths of what is opened; `owners`: opened items by path, once their steps are known. */
export function linesOf(main: Owner, opened: ReadonlyMap<string, unknown>, owners: ReadonlyMap<string, Owner>): Lines {
  const blocks: Block[] = [];
  const places = new Map<string, number>();
  let count = 0;
  const push = (lines: number, at: Block["at"], items?: Block["items"]): void => {
    if (lines > 0) blocks.push({ start: count, count: lines, at, ...(items ? { items } : {}) });
    count += Math.max(0, lines);
  };
  const single = (line: Line): void => {
    places.set(line.path, count);
    push(1, () => line);
  };
  const steps = (owner: Owner, path: string, level: number): void => {
    owner.rows.forEach((row, index) => {
      const here = inside(path, row.node);
      const container = owner.containers.get(row.node);
      const open = container && opened.has(here);
      single({ kind: "step", path: here, level, run: owner.run, place: index + 1, of: owner.rows.length, row, items: container?.items ?? null, open });
      if (container && open) items(owner.run, here, level + 1, container);
    });
  };
  const items = (run: string, path: string, level: number, container: { node: GraphNode; items: StepItems }): void => {
    const total = Math.min(MOST_ITEMS, container.items.started);
    const over = container.items.started - total;
    const of = total + (over > 0 ? 1 : 0);
    const item = (index: number, open: boolean, after: number | null): Line => ({ kind: "item", path: inside(path, index), level, run, place: index + 1, of, node: container.node, items: container.items, index, open, after });
    const numbers = [...opened.keys()]
      .filter((one) => around(one) === path)
      .map((one) => Number(one.slice(path.length + 1)))
      .filter((index) => index < total)
      .sort((left, right) => left - right);
    let next = 0;
    let after: number | null = null;
    const closed = (until: number): void => {
      const first = next;
      const before = after;
      push(until - first, (offset) => item(first + offset, false, before), { path, first });
      next = until;
    };
    for (const index of numbers) {
      closed(index);
      single(item(index, true, after));
      next = index + 1;
      after = index;
      const here = inside(path, index);
      const owner = owners.get(here);
      if (owner) steps(owner, here, level + 1);
      else single({ kind: "reading", path: inside(here, READING), level: level + 1, run, place: 1, of: 1 });
    }
    closed(total);
    if (over > 0) single({ kind: "more", path: inside(path, "+"), level, run, place: of, of, count: over });
  };
  steps(main, "", 1);
  return {
    count,
    at: (place) => {
      let low = 0;
      let high = blocks.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((blocks[middle]?.start ?? 0) <= place) low = middle;
        else high = middle - 1;
      }
      const block = blocks[low];
      return block && place >= block.start && place < block.start + block.count ? block.at(place - block.start) : undefined;
    },
    placeOf: (path) => {
      const known = places.get(path);
      if (known !== undefined) return known;
      const index = Number(path.slice(path.lastIndexOf(" ") + 1));
      const of = around(path);
      const block = blocks.find((one) => one.items && one.items.path === of && index >= one.items.first && index < one.items.first + one.count);
      return block?.items ? block.start + index - block.items.first : -1;
    },
  };
}

/** The path of the line that is meant: this one, or what stands for it once it is gone. */
export function lineFor(lines: Lines, path: string): string {
  if (lines.placeOf(path) >= 0) return path;
  let outer = around(path);
  while (outer !== null && lines.placeOf(outer) < 0) outer = around(outer);
  if (outer === null) return lines.at(0)?.path ?? "";
  // In the place of what was still read stand the steps.
  const next = lines.at(lines.placeOf(outer) + 1)?.path;
  return path === inside(outer, READING) && next !== undefined && around(next) === outer ? next : outer;
}

/** Where a key leads from a line: to another place, or it opens or closes the line; null if it is none of the tree. */
export function keyedLine(key: string, lines: Lines, place: number): { to: number } | "open" | "close" | null {
  const line = lines.at(place);
  if (!line) return null;
  const to = (next: number) => ({ to: Math.min(lines.count - 1, Math.max(0, next)) });
  const open = line.kind === "step" || line.kind === "item" ? line.open : undefined;
  switch (key) {
    case "ArrowDown":
      return to(place + 1);
    case "ArrowUp":
      return to(place - 1);
    case "PageDown":
      return to(place + 10);
    case "PageUp":
      return to(place - 10);
    case "Home":
      return to(0);
    case "End":
      return to(lines.count - 1);
    case "ArrowRight":
      return open === undefined ? to(place) : open ? to(place + 1) : "open";
    case "ArrowLeft": {
      if (open) return "close";
      const outer = around(line.path);
      return to(outer === null ? place : lines.placeOf(outer));
    }
    default:
      return null;
  }
}
