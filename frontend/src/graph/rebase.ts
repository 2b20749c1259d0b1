/** Undo after somebody else saved: their work lies under one's own edits, so that undo takes back only one's own. */
import { applyPatches, produceWithPatches } from "immer";

import { merge } from "./diff";
import { HISTORY_LIMIT, type History, type HistoryEntry } from "./history";
import { same } from "./same";
import type { GraphDocument, Label } from "./types";

const LISTS = ["nodes", "edges", "annotations"] as const;

type Row = { id: string };

/** The same list, made of the very rows of `known` where they are equal: later comparisons are then by identity. */
function alignRows<T extends Row>(known: readonly T[], rows: readonly T[]): T[] {
  const byId = new Map(known.map((row) => [row.id, row]));
  return rows.map((row) => {
    const other = byId.get(row.id);
    return other && same(other, row) ? other : row;
  });
}

function align(known: GraphDocument, document: GraphDocument): GraphDocument {
  return {
    ...document,
    nodes: alignRows(known.nodes, document.nodes),
    edges: alignRows(known.edges, document.edges),
    annotations: alignRows(known.annotations, document.annotations),
  };
}

/** The edit that turns one document into another, row by row; null when they are the same. */
export function entryBetween(before: GraphDocument, after: GraphDocument, about: Pick<HistoryEntry, "label" | "group" | "at">): HistoryEntry | null {
  const aim = align(before, after);
  const [, patches, inverse] = produceWithPatches(before, (draft) => {
    for (const list of LISTS) {
      const from: readonly Row[] = before[list];
      const to: readonly Row[] = aim[list];
      const rows = draft[list] as Row[];
      to.forEach((row, at) => {
        if (from[at] !== row) rows[at] = row;
      });
      if (rows.length > to.length) rows.length = to.length;
    }
    if (!same(before.naming, aim.naming)) {
      if (aim.naming) draft.naming = aim.naming;
      else delete draft.naming;
    }
  });
  return patches.length > 0 ? { ...about, patches, inverse } : null;
}

export interface Rebased {
  document: GraphDocument;
  history: History;
}

/**
 * Moves a document and its history from the draft it was made on (`base`) to the one that somebody else has saved.
 * Where an earlier state disagrees with theirs, theirs stays: taking back one's own edit never takes back theirs.
 */
export function rebase(document: GraphDocument, history: History, base: GraphDocument, saved: GraphDocument, prefer: "mine" | "theirs" = "mine"): Rebased {
  const old = align(document, base);
  const theirs = align(old, saved);
  const moved = (state: GraphDocument): GraphDocument => merge(old, state, theirs, "theirs").document;
  const now = merge(old, document, theirs, prefer).document;
  const past: HistoryEntry[] = [];
  let state = document;
  let later = now;
  for (const entry of [...history.past].reverse()) {
    state = applyPatches(state, entry.inverse);
    const earlier = moved(state);
    const step = entryBetween(earlier, later, entry);
    if (!step) continue;
    past.unshift(step);
    // The next older one ends where this one begins.
    later = applyPatches(later, step.inverse);
  }
  const future: HistoryEntry[] = [];
  state = document;
  let earlier = now;
  for (const entry of history.future) {
    state = applyPatches(state, entry.patches);
    const step = entryBetween(earlier, moved(state), entry);
    if (!step) continue;
    future.push(step);
    earlier = applyPatches(earlier, step.patches);
  }
  return { document: now, history: { past, future } };
}

/**
 * Both sides changed the same steps and one side was chosen. Undo brings the other side's version of them back; what only
 * they changed stays in either case.
 */
export function decide(document: GraphDocument, history: History, base: GraphDocument, theirs: GraphDocument, keep: "mine" | "theirs", label: Label, at: number): Rebased {
  const other = rebase(document, { past: history.past, future: [] }, base, theirs, "theirs");
  const mine = rebase(document, { past: [], future: [] }, base, theirs, "mine");
  const about = { label, group: null, at };
  const entries = [entryBetween(other.document, mine.document, about)];
  if (keep === "theirs") entries.push(entryBetween(mine.document, other.document, about));
  const past = [...other.history.past, ...entries.filter((entry) => entry !== null)].slice(-HISTORY_LIMIT);
  return { document: keep === "mine" ? mine.document : other.document, history: { past, future: [] } };
}
