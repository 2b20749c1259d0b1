/** How cells are written for people, and read from what they type. */
import type { Cell, ColumnDraft, TableColumn } from "../../api/tables";
import { ExactNumber } from "../../graph/exact";
import { readNumber, type ReadNumber } from "../../inspector/readNumber";
import type { Formatter } from "../../ui";

/** The text of a cell; a number with all its digits, an amount with two places at least. */
export function cellText(cell: Cell, column: Pick<TableColumn, "type">, format: Formatter, yesNo: readonly [string, string]): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "boolean") return cell ? yesNo[0] : yesNo[1];
  if (typeof cell === "number" || cell instanceof ExactNumber) return format.digits(String(cell), column.type === "amount" ? 2 : 0);
  // A day is the same everywhere: it is written as the day it is in no zone.
  if (column.type === "date" && /^\d{4}-\d{2}-\d{2}$/.test(cell)) return format.in("UTC").day(`${cell}T12:00:00Z`);
  return cell;
}

/** What stands in a field in which a cell is changed. */
export function inputText(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? "" : String(cell);
}

export type Typed = { kind: "value"; value: Cell } | { kind: "wrong"; read: ReadNumber };

/** What was typed into a field, as the server takes it. */
export function typedCell(text: string, column: Pick<TableColumn, "type">): Typed {
  if (text.trim() === "") return { kind: "value", value: null };
  if (column.type === "yes_no") return { kind: "value", value: text === "true" };
  if (column.type !== "number" && column.type !== "amount") return { kind: "value", value: text };
  const read = readNumber(text);
  if (read.kind === "number") return { kind: "value", value: String(read.value) };
  // More digits than a quick look can read: the server reads them, where they are written plainly.
  if (read.kind === "bad" && /^-?\d{1,38}(\.\d{1,38})?$/.test(text.trim())) return { kind: "value", value: text.trim() };
  return { kind: "wrong", read };
}

export function isNumeric(column: Pick<TableColumn, "type">): boolean {
  return column.type === "number" || column.type === "amount";
}

/** A column that nobody has named yet. */
export function newColumn(columns: readonly ColumnDraft[], name: string): ColumnDraft {
  return { name, type: "text", required: false, key: columns.length === 0 };
}

/** What is wrong with columns before anybody is asked: by their places. */
export function columnProblems(columns: readonly ColumnDraft[]): Map<number, "missing" | "twice" | "underscore"> {
  const found = new Map<number, "missing" | "twice" | "underscore">();
  const seen = new Set<string>();
  for (const [at, column] of columns.entries()) {
    const name = column.name.trim().toLowerCase();
    if (name === "") found.set(at, "missing");
    else if (name.startsWith("_")) found.set(at, "underscore");
    else if (seen.has(name)) found.set(at, "twice");
    seen.add(name);
  }
  return found;
}
