/** Files with rows before a workflow is started with one: what they look like, and which rows do not fit. */
import type { Json, JsonObject } from "../graph";
import { api } from "./client";
import type { StoredFile } from "./files";
import { workspacePath } from "./queries";
import type { Instant } from "./types";

export type ColumnType = "text" | "number" | "amount" | "date" | "yes_no";

/** A column that a workflow expects, as the settings of its start hold it. */
export interface ExpectedColumn {
  name: string;
  label: string;
  type: ColumnType;
  required: boolean;
  key: boolean;
  currency: string;
  also: string[];
}

/** How a table stands in its file. `header`: the row with the names of the columns, from 1; 0: there is none. */
export interface TableFormat {
  kind: "csv" | "xlsx";
  header: number;
  delimiter: string;
  encoding: string;
  decimal: "," | ".";
  dates: "dmy" | "mdy";
  sheet: string;
}

/** What somebody said of it. */
export type GivenFormat = Partial<Omit<TableFormat, "kind">>;

/** For each expected column's name the file's own. */
export type Sources = Readonly<Record<string, string>>;

export interface FileColumn {
  name: string;
  kind: "empty" | "text" | "number" | "date" | "yes_no";
  samples: string[];
}

/** What can be read in two ways. */
export interface Ask {
  kind: "decimal" | "dates";
  column: string;
  cell: string;
  readings: [string, string];
}

export interface Misfit {
  column: string;
  code: string;
}

export interface SeenRow {
  number: number;
  cells: string[];
  values: JsonObject;
  misfits: Misfit[];
}

/** An earlier start with the same file. */
export interface Ran {
  run_id: string;
  at: Instant;
  by: string | null;
  file: string;
  key: string | null;
  status: string | null;
}

export interface TableLook {
  file: StoredFile;
  format: TableFormat;
  sheets: string[];
  columns: FileColumn[];
  sources: Sources;
  asks: Ask[];
  rows: SeenRow[];
  layout: string;
  remembered: { at: Instant; by: string | null } | null;
  ran: Ran[];
}

export interface Cause extends Misfit {
  count: number;
  rows: number[];
  samples: string[];
}

/** `value`: what the start is given; null where it cannot be started like this. */
export interface TableCheck {
  total: number;
  fitting: number;
  causes: Cause[];
  left_out: StoredFile | null;
  scattered: boolean;
  value: Json;
}

export interface LookBody {
  file: string;
  question: string;
  columns: readonly ExpectedColumn[];
  format: GivenFormat;
  sources: Sources | null;
}

export interface CheckBody {
  file: string;
  columns: readonly ExpectedColumn[];
  format: TableFormat;
  sources: Sources;
}

export function lookAtUpload(workspace: string, workflow: string, body: LookBody, signal?: AbortSignal): Promise<TableLook> {
  return api.post<TableLook>(`${workspacePath(workspace)}/workflows/${workflow}/intake/look`, body, signal ? { signal } : {});
}

export function checkUpload(workspace: string, workflow: string, body: CheckBody, signal?: AbortSignal): Promise<TableCheck> {
  return api.post<TableCheck>(`${workspacePath(workspace)}/workflows/${workflow}/intake/check`, body, signal ? { signal } : {});
}

/** Also makes a file of the rows that do not fit, with which the start goes on without them. */
export function leaveOut(workspace: string, workflow: string, body: CheckBody, idempotencyKey: string): Promise<TableCheck> {
  return api.post<TableCheck>(
    `${workspacePath(workspace)}/workflows/${workflow}/intake/check`,
    { ...body, keep_left_out: true },
    { idempotencyKey },
  );
}
