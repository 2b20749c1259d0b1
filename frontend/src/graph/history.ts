/** Undo and redo: each edit is kept as patches with a label in words; 200 levels, storable as plain JSON. */
import { applyPatches, enablePatches, produceWithPatches, type Patch } from "immer";
import type { GraphDocument, Label } from "./types";

enablePatches();

export const HISTORY_LIMIT = 200;
export const COALESCE_MS = 600;

export interface HistoryEntry {
  label: Label;
  patches: Patch[];
  inverse: Patch[];
  /** Edits with the same group within 600 ms are one entry (typing in one field). */
  group: string | null;
  at: number;
}

export interface History {
  past: HistoryEntry[];
  future: HistoryEntry[];
}

export const NO_HISTORY: History = { past: [], future: [] };

export interface Step {
  document: GraphDocument;
  history: History;
  entry: HistoryEntry;
}

/** Runs an edit; null when it changed nothing. */
export function commit(
  document: GraphDocument,
  history: History,
  label: Label,
  recipe: (draft: GraphDocument) => void,
  options: { group?: string | null; at: number },
): Step | null {
  const [next, patches, inverse] = produceWithPatches(document, (draft) => {
    recipe(draft as GraphDocument);
  });
  if (patches.length === 0 || next === document) return null;
  const group = options.group ?? null;
  const last = history.past[history.past.length - 1];
  if (last && group !== null && last.group === group && options.at - last.at <= COALESCE_MS) {
    const entry = merge(last, label, patches, inverse, options.at);
    return { document: next, history: { past: [...history.past.slice(0, -1), entry], future: [] }, entry };
  }
  const entry: HistoryEntry = { label, patches, inverse, group, at: options.at };
  return { document: next, history: { past: [...history.past, entry].slice(-HISTORY_LIMIT), future: [] }, entry };
}

function merge(last: HistoryEntry, label: Label, patches: Patch[], inverse: Patch[], at: number): HistoryEntry {
  const one = last.patches.length === 1 && patches.length === 1 ? [last.patches[0], patches[0]] : null;
  if (one?.[0] && one[1] && one[0].op === one[1].op && one[0].op === "replace" && samePath(one[0].path, one[1].path)) {
    return { ...last, label, patches, at };
  }
  return { ...last, label, patches: [...last.patches, ...patches], inverse: [...inverse, ...last.inverse], at };
}

function samePath(a: readonly (string | number)[], b: readonly (string | number)[]): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index]);
}

export function undo(document: GraphDocument, history: History): Step | null {
  const entry = history.past[history.past.length - 1];
  if (!entry) return null;
  return {
    document: applyPatches(document, entry.inverse),
    history: { past: history.past.slice(0, -1), future: [entry, ...history.future] },
    entry,
  };
}

export function redo(document: GraphDocument, history: History): Step | null {
  const entry = history.future[0];
  if (!entry) return null;
  // A redone edit never swallows the next keystroke.
  const done = { ...entry, group: null };
  return {
    document: applyPatches(document, entry.patches),
    history: { past: [...history.past, done].slice(-HISTORY_LIMIT), future: history.future.slice(1) },
    entry,
  };
}
