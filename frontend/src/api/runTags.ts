/** Words that people put on runs, and lists of runs that are kept as files. */
import { keepPreviousData, type QueryClient, useQuery } from "@tanstack/react-query";

import { postOnce } from "./bulkRetries";
import { api, call } from "./client";
import { workspacePath } from "./queries";
import { asked, type ChosenRuns } from "./runSearch";
import { useWorkspace } from "./session";

/** Of so many runs so many say something else now; `full`: so many could not take every word; `more`: others were left. */
export interface Tagged {
  found: number;
  changed: number;
  full: number;
  more: boolean;
}

export type SheetFormat = "csv" | "csv_comma" | "json";

const path = (workspace: string) => `${workspacePath(workspace)}/runs`;

/** The words that stand on runs here and hold this part. */
export function useTagsUsed(part: string): readonly string[] {
  const workspace = useWorkspace().id;
  const query = useQuery({
    queryKey: [workspace, "run-tags", part],
    queryFn: async ({ signal }) => (await api.get<{ tags: string[] }>(`${path(workspace)}/tags`, { query: { q: part }, signal })).tags,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  return query.data ?? [];
}

export function tagRuns(workspace: string, chosen: ChosenRuns, add: readonly string[], remove: readonly string[]): Promise<Tagged> {
  return postOnce<Tagged>(`${path(workspace)}/tags`, { ...asked(chosen), add, remove });
}

/** All words on the run afterwards. */
export async function tagRun(workspace: string, run: string, add: readonly string[], remove: readonly string[]): Promise<readonly string[]> {
  return (await postOnce<{ tags: string[] }>(`${path(workspace)}/${run}/tags`, { add, remove })).tags;
}

/** Lists show what stands on runs, and are found by it. */
export function refreshTags(client: QueryClient, workspace: string): void {
  for (const name of ["runs", "run-count", "run-tags"]) void client.invalidateQueries({ queryKey: [workspace, name] });
}

/** The file, its name, and whether there were more runs than it can hold. */
export async function exportRuns(workspace: string, chosen: ChosenRuns, format: SheetFormat, columns: readonly string[]): Promise<{ file: Blob; name: string; cut: boolean }> {
  const sort = "search" in chosen ? chosen.search.sort : undefined;
  const answer = await call<Blob>("POST", `${path(workspace)}/export`, {
    body: { ...asked(chosen), format, columns, ...(sort === undefined ? {} : { sort }) },
    file: true,
  });
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? `runs.${format === "json" ? "json" : "csv"}`;
  return { file: answer.data, name, cut: answer.headers.get("Millrace-Cut") !== null };
}
