/** The files of the workspace: what people uploaded and what steps made. */
import { useInfiniteQuery, useQuery, type QueryClient } from "@tanstack/react-query";

import { api, upload, type UploadOptions, urlOf } from "./client";
import { workspacePath } from "./queries";
import { useWorkspace } from "./session";
import type { Instant, Items, Page } from "./types";

/** `run_id`, `node` and `step` (its name): of the step that made it; `created_by`: who uploaded it. */
export interface StoredFile {
  id: string;
  name: string;
  mime: string;
  size: number;
  sha256: string;
  created_at: Instant;
  created_by: string | null;
  workflow_id: string | null;
  workflow_name: string | null;
  run_id: string | null;
  node: string | null;
  step: string | null;
}

/** How many files, `size`: their bytes together, `most`: so many one archive takes. */
export interface FileTotal {
  count: number;
  size: number;
  most: number;
}

/** A workflow that names a file, and the names of its steps that do. */
export interface FileUse {
  id: string;
  name: string;
  steps: string[];
  draft: boolean;
  live: boolean;
}

/** The newest first. Asked again every `every` ms: runs make files, too. */
export function useFiles(search: string, every: number | false = false, limit = 50) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "files", search, limit],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<StoredFile>>(`${workspacePath(workspace)}/files`, { query: { search, limit, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
    refetchInterval: every,
    staleTime: 0,
  });
}

export function useFileUses(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "file-uses", id],
    queryFn: async ({ signal }) =>
      (await api.get<Items<FileUse>>(`${workspacePath(workspace)}/files/${id}/uses`, { signal })).items,
    staleTime: 0,
    gcTime: 0,
  });
}

/** How a file can be looked at: `content` with `show` is a picture or PDF; texts and tables stand here from their beginning. */
export interface FilePreview {
  kind: "picture" | "pdf" | "text" | "table" | "none";
  /** Why there is nothing to look at. */
  reason: "" | "empty" | "large" | "pixels" | "active" | "damaged" | "sort";
  /** Of `large` so many bytes, of `pixels` so many pixels there may be. */
  most: number;
  name: string;
  size: number;
  mime: string;
  width: number;
  height: number;
  text: string;
  rows: string[][];
  header: boolean;
  more: boolean;
}

/** Asked for once while it is shown: each time goes on record as the file being opened. */
export function useFilePreview(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "file-preview", id],
    queryFn: ({ signal }) => api.get<FilePreview>(`${workspacePath(workspace)}/files/${id}/preview`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    // Without a network it fails at once, and says so.
    networkMode: "always",
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
  });
}

/** Where a picture or PDF is, to be shown. */
export function shownUrl(workspace: string, id: string): string {
  return urlOf(`${workspacePath(workspace)}/files/${id}/content`, { show: true });
}

/** Where the file itself is. */
export function contentUrl(workspace: string, id: string): string {
  return urlOf(`${workspacePath(workspace)}/files/${id}/content`);
}

/** Where these files are as one ZIP. */
export function archiveUrl(workspace: string, ids: readonly string[]): string {
  return urlOf(`${workspacePath(workspace)}/files/archive`, { ids: ids.join(",") });
}

/** Where all files are as one ZIP that have this in their names. */
export function foundArchiveUrl(workspace: string, search: string): string {
  return urlOf(`${workspacePath(workspace)}/files/archive`, { search });
}

/** Where the files of a run, and of all that it began, are as one ZIP. */
export function runArchiveUrl(workspace: string, run: string): string {
  return urlOf(`${workspacePath(workspace)}/files/archive`, { run, inside: true });
}

/** How many a run, and all that it began, has made. Asked again every `every` ms, and when `state` is another one. */
export function useRunFiles(run: string, state: string, every: number | false) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "run-files", run, state],
    queryFn: ({ signal }) => api.get<FileTotal>(`${workspacePath(workspace)}/files/total`, { query: { run, inside: true }, signal }),
    placeholderData: (before) => before,
    refetchInterval: every,
  });
}

/** How many have this in their names. */
export function useFoundFiles(search: string, enabled: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "files", "total", search],
    queryFn: ({ signal }) => api.get<FileTotal>(`${workspacePath(workspace)}/files/total`, { query: { search }, signal }),
    enabled,
    staleTime: 10_000,
  });
}

export function uploadFile(workspace: string, file: File, options: Omit<UploadOptions, "query">): Promise<StoredFile> {
  return upload<StoredFile>(`${workspacePath(workspace)}/files`, file, { ...options, query: { name: file.name } });
}

/** `used`: it is known that workflows name it. */
export function removeFile(workspace: string, id: string, used: boolean): Promise<void> {
  return api.delete(`${workspacePath(workspace)}/files/${id}`, { query: { even_if_used: used || undefined } });
}

export function refreshFiles(client: QueryClient, workspace: string): Promise<unknown> {
  return client.invalidateQueries({ queryKey: [workspace, "files"] });
}
