/** What changed between two documents, in words to look up, and the merge of edits by two people. */
import { formatExact } from "./exact";
import { same } from "./same";
import { fieldsOf } from "./schema";
import type { GraphDocument, GraphEdge, GraphNode, Json, Label, Naming, Specs } from "./types";
import { isUndoLink, undoneStepOf } from "./undo";

export type ChangeKind = "added" | "removed" | "changed" | "moved";

export interface Change {
  kind: ChangeKind;
  node: string | null;
  label: Label;
}

function linkKey(edge: GraphEdge): string {
  return `${edge.source}|${edge.sourceHandle}|${edge.target}|${edge.targetHandle}`;
}

export function changesBetween(before: GraphDocument, after: GraphDocument, specs: Specs): Change[] {
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  const now = new Map(after.nodes.map((node) => [node.id, node]));
  const changes: Change[] = [];
  for (const node of after.nodes) {
    const was = old.get(node.id);
    if (!was) changes.push({ kind: "added", node: node.id, label: addedLabel(after, node) });
    else changes.push(...nodeChanges(was, node, specs, (id) => now.get(id ?? "")?.name ?? ""));
  }
  for (const node of before.nodes) {
    if (!now.has(node.id)) changes.push({ kind: "removed", node: null, label: { key: "change.removed", params: { name: node.name } } });
  }
  changes.push(...linkChanges(before, after, old, now));
  if (!same(before.annotations, after.annotations)) changes.push({ kind: "changed", node: null, label: { key: "change.annotations", params: {} } });
  if (!same(before.naming, after.naming)) changes.push({ kind: "changed", node: null, label: { key: "change.naming", params: {} } });
  const moved = after.nodes.filter((node) => {
    const was = old.get(node.id);
    return was && !same(was.position, node.position);
  });
  if (moved.length > 0) changes.push({ kind: "moved", node: null, label: { key: "change.moved", params: { count: moved.length } } });
  return changes;
}

function addedLabel(document: GraphDocument, node: GraphNode): Label {
  const action = undoneStepOf(document, node.id);
  return action
    ? { key: "change.addedUndo", params: { name: node.name, action: action.name } }
    : { key: "change.added", params: { name: node.name } };
}

function nodeChanges(was: GraphNode, node: GraphNode, specs: Specs, nameOf: (id: string | undefined) => string): Change[] {
  const found: Change[] = [];
  const add = (key: string, params: Label["params"]): void => {
    found.push({ kind: "changed", node: node.id, label: { key: `change.${key}`, params } });
  };
  if (was.name !== node.name) add("renamed", { name: node.name, before: was.name });
  if (was.type !== node.type) add("type", { name: node.name });
  if (was.parent !== node.parent) add(node.parent === undefined ? "movedOut" : "movedInto", { name: node.name, container: nameOf(node.parent) });
  const titles = new Map(fieldsOf(specs[node.type]?.config_schema ?? {}).map((field) => [field.name, field.title]));
  for (const field of new Set([...Object.keys(was.config), ...Object.keys(node.config)])) {
    const before = was.config[field];
    const after = node.config[field];
    if (same(before, after)) continue;
    add("field", { name: node.name, field: titles.get(field) ?? field, before: brief(before), after: brief(after) });
  }
  if (Boolean(was.settings.disabled) !== Boolean(node.settings.disabled)) {
    add(node.settings.disabled ? "disabled" : "enabled", { name: node.name });
  }
  if (was.settings.undo !== node.settings.undo) add(node.settings.undo ? "undoNothing" : "undoOpen", { name: node.name });
  const { disabled: _a, undo: _c, ...settingsBefore } = was.settings;
  const { disabled: _b, undo: _d, ...settingsAfter } = node.settings;
  if (!same(settingsBefore, settingsAfter)) add("settings", { name: node.name });
  if ((was.notes ?? "") !== (node.notes ?? "")) add("notes", { name: node.name });
  return found;
}

function linkChanges(before: GraphDocument, after: GraphDocument, old: Map<string, GraphNode>, now: Map<string, GraphNode>): Change[] {
  const oldLinks = new Set(before.edges.map(linkKey));
  const newLinks = new Set(after.edges.map(linkKey));
  const found: Change[] = [];
  for (const edge of after.edges) {
    // Links of a new step come with it; naming them would say the same thing twice.
    if (oldLinks.has(linkKey(edge)) || !old.has(edge.source) || !old.has(edge.target)) continue;
    found.push({ kind: "added", node: edge.source, label: { key: isUndoLink(edge) ? "change.undoLinked" : "change.linked", params: { from: now.get(edge.source)?.name ?? "", to: now.get(edge.target)?.name ?? "" } } });
  }
  for (const edge of before.edges) {
    if (newLinks.has(linkKey(edge)) || !now.has(edge.source) || !now.has(edge.target)) continue;
    found.push({ kind: "removed", node: edge.source, label: { key: isUndoLink(edge) ? "change.undoUnlinked" : "change.unlinked", params: { from: now.get(edge.source)?.name ?? "", to: now.get(edge.target)?.name ?? "" } } });
  }
  return found;
}

function brief(value: Json | undefined): string {
  if (value === undefined || value === null || value === "") return "–";
  const text = typeof value === "string" ? value : formatExact(value);
  const flat = text.replace(/\s+/g, " ");
  return flat.length > 60 ? `${flat.slice(0, 57)}…` : flat;
}

export interface Merge {
  document: GraphDocument;
  /** Steps that both sides changed; of these, `document` holds the preferred version. */
  conflicts: string[];
}

/** Three-way merge by step and by link: edits of different steps go together, the same step is a conflict. */
export function merge(base: GraphDocument, mine: GraphDocument, theirs: GraphDocument, prefer: "mine" | "theirs" = "mine"): Merge {
  const conflicts: string[] = [];
  const old = new Map(base.nodes.map((node) => [node.id, node]));
  const nodes = mergeRows(base.nodes, mine.nodes, theirs.nodes, (a, b) => mergeNode(a, b, old.get(a.id)), conflicts, prefer);
  const ids = new Set(nodes.map((node) => node.id));
  // What one side changed in a container that the other side deleted stands outside from then on.
  nodes.forEach((node, at) => {
    if (node.parent === undefined || ids.has(node.parent) || !old.has(node.parent)) return;
    const { parent: _gone, ...rest } = node;
    nodes[at] = rest;
  });
  const edges = mergeRows(base.edges, mine.edges, theirs.edges, () => null, [], prefer).filter((edge) => ids.has(edge.source) && ids.has(edge.target));
  const annotations = mergeRows(base.annotations, mine.annotations, theirs.annotations, () => null, [], prefer);
  const { naming: _theirs, ...rest } = theirs;
  const naming = mergeNaming(base, mine, theirs, prefer);
  return { document: { ...rest, nodes, edges, annotations, ...(naming ? { naming } : {}) }, conflicts };
}

/** What runs are called is one thing: whoever changed it alone has it. */
function mergeNaming(base: GraphDocument, mine: GraphDocument, theirs: GraphDocument, prefer: "mine" | "theirs"): Naming | undefined {
  if (same(mine.naming, base.naming)) return theirs.naming;
  if (same(theirs.naming, base.naming) || prefer === "mine") return mine.naming;
  return theirs.naming;
}

/** Two versions of one step go together when only one of them did more than move it. */
function mergeNode(mine: GraphNode, theirs: GraphNode, was: GraphNode | undefined): GraphNode | null {
  if (!was) return null;
  const { position: _m, ...myRest } = mine;
  const { position: _t, ...theirRest } = theirs;
  const { position: _w, ...oldRest } = was;
  const position = same(mine.position, was.position) ? theirs.position : mine.position;
  if (same(myRest, oldRest)) return { ...theirs, position };
  if (same(theirRest, oldRest)) return { ...mine, position };
  return null;
}

function mergeRows<T extends { id: string }>(
  base: readonly T[],
  mine: readonly T[],
  theirs: readonly T[],
  together: (mine: T, theirs: T) => T | null,
  conflicts: string[],
  prefer: "mine" | "theirs",
): T[] {
  const old = new Map(base.map((row) => [row.id, row]));
  const own = new Map(mine.map((row) => [row.id, row]));
  const other = new Map(theirs.map((row) => [row.id, row]));
  const ids = new Set([...other.keys(), ...own.keys()]);
  const rows: T[] = [];
  for (const id of ids) {
    const was = old.get(id);
    const a = own.get(id);
    const b = other.get(id);
    if (a && b) {
      if (same(a, b) || same(b, was)) rows.push(a);
      else if (same(a, was)) rows.push(b);
      else {
        const both = together(a, b);
        if (!both) conflicts.push(id);
        rows.push(both ?? (prefer === "mine" ? a : b));
      }
    } else if (a) {
      // They removed it: gone, unless we changed it meanwhile.
      if (!was) rows.push(a);
      else if (!same(a, was)) {
        conflicts.push(id);
        if (prefer === "mine") rows.push(a);
      }
    } else if (b) {
      if (!was) rows.push(b);
      else if (!same(b, was)) {
        conflicts.push(id);
        if (prefer === "theirs") rows.push(b);
      }
    }
  }
  return rows;
}
