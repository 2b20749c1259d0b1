/** Dead letters that are given other values in a table: its columns, what was typed, and what is sent of it. Pure. */
import type { FieldChange, RunEdits } from "../../api/bulkRetries";
import type { Json, Run, StepSpec } from "../../api/types";
import { ExactNumber, formatExact } from "../../graph/exact";
import { fieldsOf, isShown, words } from "../../graph/schema";
import { isJsonObject } from "../../graph/types";
import { readNumber } from "../../inspector/readNumber";
import { DOTS, isMark } from "../run/marks";

/** No more are changed at once. */
export const MOST_EDITED = 200;
/** Longer texts, and those of more than one line, are changed in their run. */
const LONG = 300;
const DEEP = 6;
const SHOWN_AT_FIRST = 8;

/** One run of the group as it was read. `fixed`: why it is not given anything else here. */
export interface GridRow {
  run: Pick<Run, "id" | "short_id" | "business_key" | "generation">;
  node: string;
  type: string | null;
  message: string;
  input: Json;
  fixed: string | null;
}

export interface Column {
  /** The path as one text, by which it is known. */
  id: string;
  path: readonly string[];
  label: string;
  /** What it stands in, where that is not the step itself. */
  within: string;
  /** The step does not run without. */
  required: boolean;
  /** Not the same in all rows. */
  differs: boolean;
}

/** What stands in a cell. masked: nobody is shown it, and it can be replaced. none: this run has no such value. */
export type CellKind = "text" | "number" | "yes_no" | "masked" | "long" | "none";

export interface Cell {
  kind: CellKind;
  text: string;
}

/** What was typed, by run and column. */
export type Typed = Readonly<Record<string, Readonly<Record<string, string>>>>;

const idOf = (path: readonly string[]) => path.join(" ");

function leaf(value: Json): Cell | null {
  if (typeof value === "string") {
    if (value.includes(DOTS)) return { kind: "masked", text: "" };
    return { kind: value.length > LONG || /[\r\n]/.test(value) ? "long" : "text", text: value };
  }
  if (typeof value === "boolean") return { kind: "yes_no", text: String(value) };
  if (typeof value === "number" || value instanceof ExactNumber) return { kind: "number", text: formatExact(value) };
  if (value === null) return { kind: "text", text: "" };
  return isMark(value) ? { kind: "masked", text: "" } : null;
}

function walk(value: Json, path: readonly string[], found: (path: readonly string[], cell: Cell) => void): void {
  const cell = leaf(value);
  if (cell) found(path, cell);
  else if (isJsonObject(value) && path.length < DEEP) {
    for (const [name, inside] of Object.entries(value)) walk(inside, [...path, name], found);
  }
}

function at(value: Json, path: readonly string[]): Json | undefined {
  let inside: Json | undefined = value;
  for (const part of path) inside = isJsonObject(inside) && !isMark(inside) ? inside[part] : undefined;
  return inside;
}

/** The cell of a row; a value that is a list, or a group of values, is none to be changed here. */
export function cellOf(row: Pick<GridRow, "input">, column: Pick<Column, "path">): Cell {
  const value = at(row.input, column.path);
  return (value === undefined ? null : leaf(value)) ?? { kind: "none", text: "" };
}

/** All that can be changed, in the order and with the names of the step's type. Connections are not for here. */
export function columnsOf(rows: readonly GridRow[], spec: StepSpec | undefined): Column[] {
  const known = spec ? fieldsOf(spec.config_schema) : [];
  const named = new Map(known.map((field, order) => [field.name, { field, order }]));
  const seen = new Map<string, { path: readonly string[]; texts: Set<string>; rows: number; editable: boolean }>();
  const open = rows.filter((row) => row.fixed === null);
  for (const row of open) {
    if (!isJsonObject(row.input)) continue;
    for (const [name, value] of Object.entries(row.input)) {
      const field = named.get(name)?.field;
      if (field && (field.hints.widget === "connection" || !isShown(field, known, row.input))) continue;
      walk(value, [name], (path, cell) => {
        const id = idOf(path);
        const before = seen.get(id) ?? { path, texts: new Set<string>(), rows: 0, editable: false };
        before.texts.add(`${cell.kind}:${cell.text}`);
        before.rows += 1;
        before.editable ||= cell.kind !== "long";
        seen.set(id, before);
      });
    }
  }
  const title = (name: string) => named.get(name)?.field.title ?? words(name);
  return [...seen.entries()]
    .filter(([, one]) => one.editable)
    .map(([id, { path, texts, rows: count }]) => {
      const top = path[0] ?? "";
      return {
        id,
        path,
        label: path.length === 1 ? title(top) : (path.at(-1) ?? ""),
        within: path.length === 1 ? "" : [title(top), ...path.slice(1, -1)].join(" › "),
        required: path.length === 1 && named.get(top)?.field.required === true,
        differs: texts.size > 1 || count < open.length,
        order: named.get(top)?.order ?? known.length,
      };
    })
    .sort((left, right) => left.order - right.order)
    .map(({ order: _order, ...column }) => column);
}

/** Those that are shown at first: the data, and what is not the same everywhere. */
export function shownAtFirst(columns: readonly Column[]): string[] {
  const wanted = columns.filter((column) => column.path.length > 1 || column.differs);
  return (wanted.length > 0 ? wanted : columns).slice(0, SHOWN_AT_FIRST).map((column) => column.id);
}

// --- typing -------------------------------------------------------------------------------------------------------

export function isOpen(row: GridRow, column: Column): boolean {
  const { kind } = cellOf(row, column);
  return row.fixed === null && kind !== "none" && kind !== "long";
}

/** The same with this in one cell; what was there before is no change. */
export function withCell(typed: Typed, row: GridRow, column: Column, text: string): Typed {
  if (!isOpen(row, column)) return typed;
  const { [row.run.id]: cells = {}, ...others } = typed;
  const { [column.id]: _before, ...left } = cells;
  const made = cellOf(row, column).text === text ? left : { ...left, [column.id]: text };
  return Object.keys(made).length > 0 ? { ...others, [row.run.id]: made } : others;
}

/** A paste of cells: from this one on, to the right and down. */
export function withPaste(typed: Typed, text: string, rows: readonly GridRow[], columns: readonly Column[], from: { row: number; column: number }): Typed {
  let made = typed;
  text
    .replace(/\r?\n$/, "")
    .split(/\r?\n/)
    .forEach((line, down) => {
      const row = rows[from.row + down];
      if (!row) return;
      line.split("\t").forEach((cell, right) => {
        const column = columns[from.column + right];
        if (column) made = withCell(made, row, column, cell.trim());
      });
    });
  return made;
}

/** What stands in this cell, in all that are below it. */
export function filledDown(typed: Typed, rows: readonly GridRow[], column: Column, from: number): Typed {
  const first = rows[from];
  if (!first) return typed;
  const text = typed[first.run.id]?.[column.id] ?? cellOf(first, column).text;
  return rows.slice(from + 1).reduce((made, row) => withCell(made, row, column, text), typed);
}

// --- what comes of it ---------------------------------------------------------------------------------------------

/** Why what was typed cannot stand there: the key of its words. */
export type Wrong = "number" | "ambiguous" | "yesNo" | "needed" | "dots";

function read(cell: Cell, column: Column, text: string): { value: Json } | { wrong: Wrong } {
  if (text.includes(DOTS)) return { wrong: "dots" };
  if (column.required && text.trim() === "") return { wrong: "needed" };
  if (cell.kind === "number") {
    const found = readNumber(text);
    if (found.kind === "number") return { value: found.value };
    return { wrong: found.kind === "ambiguous" ? "ambiguous" : "number" };
  }
  if (cell.kind === "yes_no") {
    const word = text.trim().toLowerCase();
    return word === "true" || word === "false" ? { value: word === "true" } : { wrong: "yesNo" };
  }
  return { value: text };
}

export interface Changes {
  edits: RunEdits[];
  /** By run and column. */
  wrong: Record<string, Record<string, Wrong>>;
  wrongCount: number;
}

/** What is sent: of each row that was changed its changed values alone, in the order of the rows. */
export function changesOf(typed: Typed, rows: readonly GridRow[], columns: readonly Column[]): Changes {
  const changes: Changes = { edits: [], wrong: {}, wrongCount: 0 };
  for (const row of rows) {
    const cells = typed[row.run.id];
    if (!cells) continue;
    const fields: FieldChange[] = [];
    for (const column of columns) {
      const text = cells[column.id];
      if (text === undefined) continue;
      const found = read(cellOf(row, column), column, text);
      if ("wrong" in found) {
        (changes.wrong[row.run.id] ??= {})[column.id] = found.wrong;
        changes.wrongCount += 1;
      } else fields.push({ path: [...column.path], value: found.value });
    }
    changes.edits.push({ run: row.run.id, generation: row.run.generation, node: row.node, fields });
  }
  return changes;
}

/** The server's sentences by run: its field names are `edits.<run>`. */
export function sentencesByRun(fields: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => name.startsWith("edits."))
      .map(([name, sentences]) => [name.slice("edits.".length), sentences.join(" ")]),
  );
}

