/** Data tables of the workspace, and their rows. Numbers keep their digits (`ExactNumber`). */
import { useInfiniteQuery, useQuery, type QueryClient } from "@tanstack/react-query";

import { parseExact, type ExactNumber } from "../graph/exact";
import { api, urlOf } from "./client";
import type { FileUse } from "./files";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Items } from "./types";

export const COLUMN_TYPES = ["text", "number", "amount", "date", "yes_no"] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];
export type Cell = string | number | ExactNumber | boolean | null;

/** `key`: together with the other such columns it tells rows apart. */
export interface TableColumn {
  id: string;
  name: string;
  type: ColumnType;
  required: boolean;
  key: boolean;
}

/** Without `id` it is a new one. */
export type ColumnDraft = Omit<TableColumn, "id"> & { id?: string };

export interface DataTable {
  id: string;
  name: string;
  columns: TableColumn[];
  rows: number;
  revision: number;
  created_at: Instant;
  created_by: string | null;
  changed_at: Instant;
}

/** `stamp`: of the state it is in; `by`: who made the last change, or `run`: the run that did. */
export interface DataRow {
  id: string;
  values: Record<string, Cell>;
  stamp: string;
  created_at: Instant;
  changed_at: Instant;
  by: string | null;
  run: string | null;
}

export interface FileColumn {
  name: string;
  type: ColumnType;
  samples: Cell[];
  column: string | null;
}

export interface Imported {
  added: number;
  changed: number;
  unchanged: number;
  refused: number;
  reasons: { row: number; reason: string }[];
}

export type IfThere = "change" | "keep" | "fail";

interface RowsPage {
  items: DataRow[];
  next_cursor: string | null;
  count: number | null;
}

/** What rows are shown, and in which order. */
export interface Shown {
  search: string;
  sort: string;
  descending: boolean;
}

function pathOf(workspace: string, id?: string): string {
  return `${workspacePath(workspace)}/tables${id === undefined ? "" : `/${id}`}`;
}

/** By name. Asked again every `every` ms: runs fill them, too. */
export function useTables(every: number | false = false) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "tables"],
    queryFn: async ({ signal }) => (await api.get<Items<DataTable>>(pathOf(workspace), { signal })).items,
    refetchInterval: every,
    staleTime: 2_000,
  });
}

export function useTable(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "table", id],
    queryFn: ({ signal }) => api.get<DataTable>(pathOf(workspace, id), { signal }),
    enabled: id !== "",
    staleTime: 2_000,
  });
}

export function useTableRows(id: string, shown: Shown, every: number | false = false, limit = 100) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "table-rows", id, shown, limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<RowsPage>(`${pathOf(workspace, id)}/rows`, {
        query: { ...shown, descending: shown.descending || undefined, limit, cursor: pageParam, count: pageParam === null && shown.search !== "" ? true : undefined },
        signal,
        parse: parseExact,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchInterval: every,
    staleTime: 0,
  });
}

export function useTableUses(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "table-uses", id],
    queryFn: async ({ signal }) => (await api.get<Items<FileUse>>(`${pathOf(workspace, id)}/uses`, { signal })).items,
    staleTime: 0,
    gcTime: 0,
  });
}

export function makeTable(workspace: string, body: { name: string; columns: readonly ColumnDraft[] }, key: string): Promise<DataTable> {
  return api.post(pathOf(workspace), body, { idempotencyKey: key });
}

export function changeTable(workspace: string, table: DataTable, body: { name?: string; columns?: readonly ColumnDraft[] }): Promise<DataTable> {
  return api.patch(pathOf(workspace, table.id), { revision: table.revision, ...body });
}

/** `used`: it is known that workflows name it. */
export function removeTable(workspace: string, id: string, used: boolean): Promise<void> {
  return api.delete(pathOf(workspace, id), { query: { even_if_used: used || undefined } });
}

export function addRow(workspace: string, id: string, values: Record<string, Cell>, key: string): Promise<DataRow> {
  return api.post(`${pathOf(workspace, id)}/rows`, { values }, { idempotencyKey: key, parse: parseExact });
}

export function changeRow(workspace: string, id: string, row: DataRow, values: Record<string, Cell>, key: string): Promise<DataRow> {
  return api.patch(`${pathOf(workspace, id)}/rows/${row.id}`, { values, stamp: row.stamp }, { idempotencyKey: key, parse: parseExact });
}

export function deleteRow(workspace: string, id: string, row: DataRow): Promise<void> {
  return api.delete(`${pathOf(workspace, id)}/rows/${row.id}`, { query: { stamp: row.stamp } });
}

/** The columns of a file, and which of the table's each is called like. */
export async function matchFile(workspace: string, id: string, file: string): Promise<FileColumn[]> {
  return (await api.get<Items<FileColumn>>(`${pathOf(workspace, id)}/match`, { query: { file }, parse: parseExact })).items;
}

/** The columns that a new table needs for the rows of a file. */
export async function columnsLikeFile(workspace: string, file: string): Promise<FileColumn[]> {
  return (await api.get<Items<FileColumn>>(`${pathOf(workspace)}/like-file`, { query: { file } })).items;
}

export function importRows(workspace: string, id: string, body: { file: string; columns: Record<string, string>; if_there: IfThere }, key: string): Promise<Imported> {
  return api.post(`${pathOf(workspace, id)}/import`, body, { idempotencyKey: key });
}

export type ExportFormat = "csv" | "csv_comma" | "xlsx";

/** Where the rows that are shown are as a file. */
export function exportUrl(workspace: string, id: string, format: ExportFormat, shown: Shown): string {
  return urlOf(`${pathOf(workspace, id)}/export`, { format, ...shown, descending: shown.descending || undefined });
}

export async function refreshTables(client: QueryClient, workspace: string, id?: string): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: [workspace, "tables"] }),
    ...(id === undefined ? [] : [client.invalidateQueries({ queryKey: [workspace, "table", id] }), client.invalidateQueries({ queryKey: [workspace, "table-rows", id] })]),
  ]);
}
