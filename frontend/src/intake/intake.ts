/** What a start says of a file with rows, as pure functions: which column is which, and what is still missing. */
import type { Ask, Cause, ExpectedColumn, FileColumn, GivenFormat, Sources, TableCheck, TableLook } from "../api/intake";
import type { Json } from "../graph";

/** What has to be done before the start; null: nothing. In the order in which people meet it. */
export type Missing = "file" | "upload" | "read" | "column" | "question" | "check" | "rows" | "again" | null;

export const isNeeded = (column: ExpectedColumn): boolean => column.required || column.key;

/** The sources with another choice for one column: a column of the file stands for one only. */
export function chosen(sources: Sources, name: string, header: string): Sources {
  const left = Object.entries(sources).filter(([other, of]) => other !== name && of !== header);
  return Object.fromEntries(header ? [...left, [name, header]] : left);
}

/** What is said of the format with a change; what hangs on it is found out anew. */
export function said(given: GivenFormat, change: GivenFormat): { given: GivenFormat; anew: boolean } {
  const anew = Object.keys(change).some((name) => name !== "decimal" && name !== "dates");
  const kept: GivenFormat = { ...given, ...change };
  // Another sheet, or other bounds of columns, have their own row of names.
  if (change.sheet !== undefined || change.delimiter !== undefined) delete kept.header;
  return { given: kept, anew };
}

export function unmapped(columns: readonly ExpectedColumn[], sources: Sources): ExpectedColumn[] {
  return columns.filter((column) => isNeeded(column) && !sources[column.name]);
}

/** The columns of the file with what each stands for. */
export function usesOf(columns: readonly FileColumn[], sources: Sources): Map<string, string> {
  const found = new Map(Object.entries(sources).map(([name, header]) => [header, name] as const));
  return new Map(columns.flatMap(({ name }) => (found.has(name) ? [[name, found.get(name) ?? ""] as const] : [])));
}

export interface Standing {
  look: TableLook | undefined;
  check: TableCheck | undefined;
  columns: readonly ExpectedColumn[];
  /** Somebody goes on without the rows that do not fit. */
  without: TableCheck | null;
  /** The same file has run before, and somebody starts it all the same. */
  again: boolean;
}

/** What is missing, and the value of the start once nothing is. */
export function standing({ look, check, columns, without, again }: Standing): { missing: Missing; value: Json } {
  const not = (missing: Missing): { missing: Missing; value: Json } => ({ missing, value: null });
  if (!look) return not("read");
  if (unmapped(columns, look.sources).length > 0) return not("column");
  if (look.asks.length > 0) return not("question");
  if (!check) return not("check");
  const value = check.value ?? without?.value ?? null;
  if (value === null) return not("rows");
  if (look.ran.length > 0 && !again) return not("again");
  return { missing: null, value };
}

/** All questions that came up so far, the newest of each kind: an answered one can be answered otherwise. */
export function allAsked(before: readonly Ask[], now: readonly Ask[]): readonly Ask[] {
  if (now.every((ask) => before.some((one) => one.kind === ask.kind && one.cell === ask.cell))) return before;
  return [...before.filter((one) => !now.some((ask) => ask.kind === one.kind)), ...now];
}

/** How many rows do not fit, each counted once. */
export function unfit({ total, fitting }: TableCheck): number {
  return total - fitting;
}

/** The first rows of a cause, as `3, 7–9`. */
export function rowsOf({ rows }: Cause): string {
  const spans: [number, number][] = [];
  for (const row of rows) {
    const last = spans.at(-1);
    if (last && row === last[1] + 1) last[1] = row;
    else spans.push([row, row]);
  }
  return spans.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(", ");
}

/** Whether something is still missing of what is asked for: a file that need not be given may be left out. */
export function isHalfSaid(asked: readonly { name: string; required: boolean }[], missing: (name: string) => Missing | undefined): boolean {
  return firstMissing(asked, missing) !== null;
}

/** The first thing that is missing of all that is asked for. */
export function firstMissing(asked: readonly { name: string; required: boolean }[], missing: (name: string) => Missing | undefined): Missing {
  for (const { name, required } of asked) {
    const word = missing(name);
    const what = word === undefined ? "file" : word;
    if (what !== null && (what !== "file" || required)) return what;
  }
  return null;
}
