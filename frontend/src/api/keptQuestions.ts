/** Questions as they are kept: what was read last, without what should not lie on a computer. */
import type { Json, Page, Session, Task, TaskDetail } from "./types";
import { allUnder, belongsTo, dropAll, drop, dropUnder, keep, keepNothing, kept, keysUnder } from "./kept";

/** So many of the list are kept with all that there is to decide by. */
export const KEPT_AHEAD = 20;
const FRESH_MS = 10 * 60_000;
const MASK = "•••";
/** The links of waiting runs: whoever has one may use it. */
const LINK = /(\/hooks\/resume\/[0-9a-f-]{36}\/[\w-]{1,64}\/\d{1,9}\/)[0-9a-f]{40}/g;

interface Kept<T> {
  at: number;
  mark: string;
  value: T;
}

/** What was kept, and when: the page says so beside it. */
export type Old<T> = T & { kept_at?: number };

function withoutLinks(value: Json): Json {
  if (typeof value === "string") return value.replace(LINK, "$1…");
  if (Array.isArray(value)) return value.map(withoutLinks);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutLinks(one)]));
  }
  return value;
}

const isMasked = (value: Json): boolean => JSON.stringify(value ?? null).includes(MASK);

/** A question as it may lie on a computer: no masked values, no links that act, nothing of what systems answered. */
export function toKeep(task: TaskDetail): TaskDetail {
  return {
    ...task,
    warnings: (task.warnings ?? []).map((one) => String(withoutLinks(one))),
    text: isMasked(task.text) ? "" : String(withoutLinks(task.text)),
    facts: task.facts.filter(({ value }) => !isMasked(value)).map(({ label, value }) => ({ label, value: withoutLinks(value) })),
    error: task.error && { ...task.error, detail: null },
    answer: null,
  };
}

const listKey = (workspace: string) => `list:${workspace}`;
const taskKey = (workspace: string, id: string) => `task:${workspace}:${id}`;

/** Another text when a question has changed. */
const markOf = (task: Task): string =>
  [task.status, task.over, task.votes.length, task.pending.length, task.taken_by, task.due_at, task.ends_at, task.asked.map((one) => one.key)].join("|");

export async function keepSession(session: Session): Promise<void> {
  if (session.user) {
    await belongsTo(session.user.id);
    await keep("session", { ...session, csrf_token: "" });
  } else {
    // Signed out, or by somebody else: nothing may be read any more. What is not sent yet waits for its author.
    keepNothing();
    await drop("session");
    await dropUnder("list:");
    await dropUnder("task:");
  }
}

export const keptSession = (): Promise<Session | undefined> => kept<Session>("session");

/** Whoever signs out leaves nothing behind. */
export const forgetAll = dropAll;

export async function keepList(workspace: string, page: Page<Task>): Promise<void> {
  const items = page.items.map((task) => ({ ...task, warnings: (task.warnings ?? []).map((one) => String(withoutLinks(one))) }));
  await keep(listKey(workspace), { at: Date.now(), mark: "", value: { ...page, items } } satisfies Kept<Page<Task>>);
  const wanted = new Set(page.items.map((task) => taskKey(workspace, task.id)));
  for (const key of await keysUnder(`task:${workspace}:`)) if (!wanted.has(key)) await drop(key);
}

export async function keptList(workspace: string): Promise<Old<Page<Task>> | undefined> {
  const found = await kept<Kept<Page<Task>>>(listKey(workspace));
  return found && { ...found.value, next_cursor: null, kept_at: found.at };
}

export async function keepTask(workspace: string, task: TaskDetail): Promise<void> {
  if (task.status !== "open") return;
  await keep(taskKey(workspace, task.id), { at: Date.now(), mark: markOf(task), value: toKeep(task) } satisfies Kept<TaskDetail>);
}

export async function keptTask(workspace: string, id: string): Promise<Old<TaskDetail> | undefined> {
  const found = await kept<Kept<TaskDetail>>(taskKey(workspace, id));
  return found && { ...found.value, kept_at: found.at };
}

/** Which of the first questions have to be read, so that all of them are kept as they are. */
export async function missing(workspace: string, tasks: readonly Task[]): Promise<Task[]> {
  const known = await allUnder<Kept<TaskDetail>>(`task:${workspace}:`);
  const marks = new Map(known.map((one) => [one.value.id, one]));
  return tasks.slice(0, KEPT_AHEAD).filter((task) => {
    const found = marks.get(task.id);
    return !found || found.mark !== markOf(task) || Date.now() - found.at > FRESH_MS;
  });
}
