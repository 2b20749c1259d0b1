/** Reading: one hook per thing on the server. Keys begin with the workspace, so changing it shows nothing of the other one. */
import {
  infiniteQueryOptions,
  queryOptions,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
} from "@tanstack/react-query";

import { parseExact } from "../graph/exact";
import { loadStepWords } from "../i18n/steps";
import { keepList, keepTask, keptList, keptTask, type Old } from "./keptQuestions";
import { api, NetworkError, type Query } from "./client";
import { useWorkspace } from "./session";
import { useTold } from "./told";
import type {
  ApiToken,
  Connection,
  ConnectionKind,
  DeadLetter,
  DeadLetters,
  Draft,
  GivenAnswer,
  Items,
  Member,
  Page,
  Retried,
  RetryPlan,
  Run,
  RunSnapshot,
  StartEvent,
  StepDetail,
  StepSpec,
  SystemCheck,
  Task,
  TaskDetail,
  Trigger,
  UndoPlan,
  Version,
  Workflow,
} from "./types";

/** The example that a workflow can begin as a copy of. */
export const EXAMPLE = "Order to cash";

/** `/workspaces/{id}`, the start of nearly every path. */
export function workspacePath(workspace: string): string {
  return `/workspaces/${workspace}`;
}

function paged<T>(workspace: string, name: string, path: string, query: Query) {
  return infiniteQueryOptions({
    queryKey: [workspace, name, query] as const,
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<T>>(`${workspacePath(workspace)}${path}`, { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<T>) => page.next_cursor,
  });
}

/** A list that a screen shows whole: every page of it, one after the other. */
async function everything<T>(workspace: string, path: string, signal: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const query: Query = { limit: 200, cursor };
    const page: Page<T> = await api.get<Page<T>>(`${workspacePath(workspace)}${path}`, { query, signal });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

export interface WorkflowFilters {
  q?: string | undefined;
  status?: string | undefined;
}

export function useWorkflows(filters: WorkflowFilters = {}, limit = 50) {
  return useInfiniteQuery(paged<Workflow>(useWorkspace().id, "workflows", "/workflows", { ...filters, limit }));
}

export function workflowQuery(workspace: string, id: string) {
  return queryOptions({
    queryKey: [workspace, "workflow", id],
    queryFn: ({ signal }) => api.get<Workflow>(`${workspacePath(workspace)}/workflows/${id}`, { signal }),
    // It may be paused by itself; while it is, what waits changes.
    refetchInterval: ({ state }) => (state.data?.hold ? 2_000 : 20_000),
  });
}

export function useWorkflow(id: string) {
  return useQuery(workflowQuery(useWorkspace().id, id));
}

/** The step types by their versioned name; they change only with a new Millrace. */
export function nodeTypesQuery(workspace: string) {
  return queryOptions({
    queryKey: [workspace, "node-types"],
    queryFn: async ({ signal }) => {
      const [answer] = await Promise.all([api.get<Items<StepSpec>>(`${workspacePath(workspace)}/node-types`, { signal }), loadStepWords()]);
      return Object.fromEntries(answer.items.map((spec) => [spec.type, spec])) as Record<string, StepSpec>;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useNodeTypes() {
  return useQuery({ ...nodeTypesQuery(useWorkspace().id), select: useTold().stepTypes });
}

export function draftQuery(workspace: string, workflow: string) {
  return queryOptions({
    queryKey: [workspace, "draft", workflow],
    queryFn: ({ signal }) => api.get<Draft>(`${workspacePath(workspace)}/workflows/${workflow}/draft`, { signal, parse: parseExact }),
  });
}

export function useVersions(workflow: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "versions", workflow],
    queryFn: async ({ signal }) => ({
      items: await everything<Version>(workspace, `/workflows/${workflow}/versions`, signal),
    }),
  });
}

export function useVersion(workflow: string, number: number | null) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "version", workflow, number],
    queryFn: ({ signal }) =>
      api.get<Version>(`${workspacePath(workspace)}/workflows/${workflow}/versions/${number}`, { signal, parse: parseExact }),
    enabled: number !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useTriggers(workflow: string, enabled = true) {
  const workspace = useWorkspace().id;
  return useQuery({
    enabled,
    queryKey: [workspace, "triggers", workflow],
    queryFn: async ({ signal }) => {
      const path = `${workspacePath(workspace)}/workflows/${workflow}/triggers`;
      return (await api.get<Items<Trigger>>(path, { signal })).items;
    },
  });
}

export interface RunFilters {
  workflow?: string | undefined;
  status?: readonly string[] | undefined;
  mode?: string | undefined;
  q?: string | undefined;
  /** A day, or so long ago: 24h, 7d. */
  since?: string | undefined;
  until?: string | undefined;
  sort?: string | undefined;
}

export function runsQuery(workspace: string, filters: RunFilters, limit = 50) {
  return paged<Run>(workspace, "runs", "/runs", { ...filters, limit });
}

/** `live` off: asked for by whoever reads it alone, and not because the window or the line has come back. */
export function useRuns(filters: RunFilters, limit = 50, live = true) {
  return useInfiniteQuery({ ...runsQuery(useWorkspace().id, filters, limit), refetchOnWindowFocus: live, refetchOnReconnect: live });
}

export function fetchSnapshot(workspace: string, run: string, signal?: AbortSignal): Promise<RunSnapshot> {
  return api.get<RunSnapshot>(`${workspacePath(workspace)}/runs/${run}/snapshot`, signal ? { signal } : {});
}

/** One step with its data. Numbers keep the digits they were sent with. */
export function useStepDetail(run: string, node: string | null, seq: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "step", run, node, seq],
    queryFn: ({ signal }) =>
      api.get<StepDetail>(`${workspacePath(workspace)}/runs/${run}/steps/${node}`, { signal, parse: parseExact }),
    enabled: node !== null,
    placeholderData: (before) => (before?.step.node === node ? before : undefined),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What a retry would do, by the run's rows as they are at `seq`. Settings keep the digits of their numbers. */
export function useRetryPlan(run: Run, start: readonly string[], version: number | null, enabled = true) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "retry-plan", run.id, run.seq, start, version],
    queryFn: ({ signal }) =>
      api.get<RetryPlan>(`${workspacePath(workspace)}/runs/${run.id}/retry-plan`, {
        query: { start, version },
        signal,
        parse: parseExact,
      }),
    enabled,
    placeholderData: (before) => before,
    // Asked for anew by each dialog, and then only where the run has changed: the server refuses a plan that is none.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

const LOOK_AGAIN = 2000;

/** What undoing a run would do. While the run is under way it is asked again and again; of one that ended, by its `seq`. */
export function useUndoPlan(run: Run, open: boolean, enabled = true) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "undo-plan", run.id, open ? "open" : run.seq],
    queryFn: ({ signal }) => api.get<UndoPlan>(`${workspacePath(workspace)}/runs/${run.id}/undo-plan`, { signal }),
    enabled,
    placeholderData: (before) => before,
    refetchInterval: open ? LOOK_AGAIN : false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
}

/** The retries and undos of a run that is in a later go than the first, the oldest first. */
export function useRetries(run: Run | null) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "retries", run?.id, run?.generation],
    queryFn: async ({ signal }) => {
      const path = `${workspacePath(workspace)}/runs/${run?.id}/retries`;
      return (await api.get<Items<Retried>>(path, { signal, parse: parseExact })).items;
    },
    enabled: run !== null && run.generation > 1,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/**
 * What failed for good and waits for a decision, by cause; `count` is of all workflows. `sent`: only what was sent to
 * somebody with that one. Asked again every `every` ms.
 */
export function useDeadLetters(every: number, workflow?: string, sent?: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "dead-letters", "groups", workflow, sent],
    queryFn: ({ signal }) =>
      api.get<DeadLetters>(`${workspacePath(workspace)}/dead-letters`, { query: { workflow, sent }, signal }),
    refetchInterval: every,
    staleTime: 0,
  });
}

export function fetchDeadLetters(workspace: string, cause: string, query: Query, signal?: AbortSignal) {
  const path = `${workspacePath(workspace)}/dead-letters/${cause}`;
  return api.get<Page<DeadLetter>>(path, { query, ...(signal ? { signal } : {}) });
}

/** The runs of one group, the newest first. */
export function useDeadLettersOf(cause: string, every: number, sent?: string, limit = 20) {
  const workspace = useWorkspace().id;
  return useInfiniteQuery({
    queryKey: [workspace, "dead-letters", "of", cause, sent],
    queryFn: ({ pageParam, signal }) => fetchDeadLetters(workspace, cause, { limit, cursor: pageParam, sent }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: every,
    staleTime: 0,
  });
}

export interface InboxFilters {
  who: "me" | "named" | "groups" | "stand_in" | "snoozed" | "anybody";
  state: "open" | "closed";
  run?: string | undefined;
  kind?: "approval" | "form" | "exception" | "review" | undefined;
  due?: "late" | "today" | "week" | undefined;
  /** Of open ones; left out: by when they are due. */
  sort?: "amount" | "age" | undefined;
}

/** What people are asked: what is open in the order asked for. Asked again every `every` ms. */
export function useInbox(filters: InboxFilters, every: number, limit = 50) {
  const workspace = useWorkspace().id;
  const query = { ...filters, limit };
  const isKept = filters.who === "me" && filters.state === "open" && !filters.run && !filters.kind && !filters.due;
  return useInfiniteQuery({
    queryKey: [workspace, "inbox", query] as const,
    initialPageParam: null as string | null,
    getNextPageParam: (page: Old<Page<Task>>) => page.next_cursor,
    queryFn: async ({ pageParam, signal }): Promise<Old<Page<Task>>> => {
      const reads = isKept && pageParam === null;
      const keeps = reads && !filters.sort;
      try {
        const page = await api.get<Page<Task>>(`${workspacePath(workspace)}/inbox`, { query: { ...query, cursor: pageParam }, signal });
        if (keeps) void keepList(workspace, page);
        return page;
      } catch (error) {
        const old = reads && error instanceof NetworkError ? await keptList(workspace) : undefined;
        if (!old) throw error;
        return old;
      }
    },
    refetchInterval: every,
    staleTime: 0,
    networkMode: "always",
    refetchOnReconnect: true,
  });
}

/** How many open questions I am asked and failed runs were sent to me; how many I have not seen; how many are such runs. */
export type InboxCount = { count: number; unread: number; letters: number };

export function useInboxCount(every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "count"],
    queryFn: ({ signal }) => api.get<InboxCount>(`${workspacePath(workspace)}/inbox/count`, { signal }),
    refetchInterval: every,
    staleTime: 0,
  });
}

/** Numbers keep their digits. */
export function readTask(workspace: string, id: string, signal?: AbortSignal): Promise<TaskDetail> {
  return api.get<TaskDetail>(`${workspacePath(workspace)}/inbox/${id}`, { ...(signal ? { signal } : {}), parse: parseExact });
}

/** One question. While it is open it is asked for again every `every` ms. Numbers keep their digits. */
export function useTask(id: string, every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "task", id],
    queryFn: async ({ signal }): Promise<Old<TaskDetail>> => {
      try {
        const task = await readTask(workspace, id, signal);
        void keepTask(workspace, task);
        return task;
      } catch (error) {
        const old = error instanceof NetworkError ? await keptTask(workspace, id) : undefined;
        if (!old) throw error;
        return old;
      }
    },
    networkMode: "always",
    refetchOnReconnect: true,
    // Somebody who is deciding it is done in a moment.
    refetchInterval: ({ state }) => (state.data?.status !== "open" ? false : state.data.pending.length > 0 ? 1_000 : every),
    staleTime: 0,
  });
}

/** What was decided last of questions like this one. */
export function useAlike(id: string) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "alike", id],
    queryFn: async ({ signal }) => (await api.get<Items<Task>>(`${workspacePath(workspace)}/inbox/${id}/alike`, { signal })).items,
    staleTime: 60_000,
  });
}

/** What I have said that has not taken effect, and what could not. */
export function useGivenAnswers(every: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "given"],
    queryFn: async ({ signal }) => {
      return (await api.get<Items<GivenAnswer>>(`${workspacePath(workspace)}/inbox/given`, { signal })).items;
    },
    refetchInterval: every,
    staleTime: 0,
  });
}

/** The open questions of a run whose step has come to `seq`. */
export function useTasksOfRun(run: string, seq: number) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "run", run, seq],
    queryFn: ({ signal }) => {
      const query: Query = { run, who: "anybody", limit: 200 };
      return api.get<Page<Task>>(`${workspacePath(workspace)}/inbox`, { query, signal });
    },
  });
}

/** How many questions I have answered this week. */
export function useDoneThisWeek(enabled: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "inbox", "done"],
    queryFn: ({ signal }) => api.get<{ count: number; since: string }>(`${workspacePath(workspace)}/inbox/done`, { signal }),
    enabled,
    staleTime: 30_000,
  });
}

export function useEvents(workflow: string) {
  return useInfiniteQuery(paged<StartEvent>(useWorkspace().id, "events", "/events", { workflow }));
}

/** `live`: how often they are read again where the calls of one are limited, ms. `enabled`: whoever looks may see them. */
export function useConnections(live?: number, enabled = true) {
  const workspace = useWorkspace().id;
  return useQuery<Connection[]>({
    queryKey: [workspace, "connections"],
    enabled,
    refetchInterval: ({ state: { data } }) => (live && data?.some((one) => one.budget) ? live : false),
    queryFn: async ({ signal }) =>
      (await everything<Connection>(workspace, "/connections", signal)).sort((a, b) => a.name.localeCompare(b.name)),
  });
}

export function useConnectionKinds() {
  const workspace = useWorkspace().id;
  const told = useTold();
  return useQuery({
    queryKey: [workspace, "connection-kinds"],
    queryFn: async ({ signal }) => {
      const path = `${workspacePath(workspace)}/connection-kinds`;
      return (await api.get<Items<ConnectionKind>>(path, { signal })).items;
    },
    select: told.connectionKinds,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useMembers(enabled = true) {
  const workspace = useWorkspace().id;
  return useQuery({
    enabled,
    queryKey: [workspace, "members"],
    queryFn: async ({ signal }) =>
      // Those who are here by name, then those who are invited by address.
      (await everything<Member>(workspace, "/members", signal)).sort(
        (a, b) => Number(a.invited) - Number(b.invited) || a.name.localeCompare(b.name) || a.email.localeCompare(b.email),
      ),
  });
}

export function useTokens() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "tokens"],
    queryFn: ({ signal }) => everything<ApiToken>(workspace, "/tokens", signal),
  });
}

export async function fetchSystemChecks(): Promise<SystemCheck[]> {
  return (await api.get<Items<SystemCheck>>("/system-checks", { quiet: true })).items;
}

export function useSystemChecks(enabled: boolean) {
  return useQuery({
    queryKey: ["system-checks"],
    queryFn: () => fetchSystemChecks(),
    enabled,
    refetchInterval: 60_000,
    retry: false,
  });
}

/** Whether anything works on runs; for those who may not read how the installation is. */
export function useWorking(enabled: boolean) {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "working"],
    queryFn: ({ signal }) => api.get<{ workers: boolean }>(`${workspacePath(workspace)}/working`, { signal }),
    enabled,
    refetchInterval: 60_000,
    retry: false,
  });
}

/** The list, the badge and the runs of every group are read again. */
export function refreshDeadLetters(client: QueryClient, workspace: string): Promise<unknown> {
  return client.invalidateQueries({ queryKey: [workspace, "dead-letters"] });
}

/** The list, the badge and every question are read again. */
export function refreshInbox(client: QueryClient, workspace: string): Promise<unknown> {
  return client.invalidateQueries({ queryKey: [workspace, "inbox"] });
}

/** Everything that shows this workflow reads it again. */
export function refreshWorkflow(client: QueryClient, workspace: string, id: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: [workspace, "workflows"] }),
    client.invalidateQueries({ queryKey: [workspace, "workflow", id] }),
    client.invalidateQueries({ queryKey: [workspace, "triggers", id] }),
    client.invalidateQueries({ queryKey: [workspace, "versions", id] }),
  ]);
}
