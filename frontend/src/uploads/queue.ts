/** Files on their way here, as pure functions: which is sent next, and how far all of them are. */
import type { StoredFile } from "../api/files";

export interface Waiting {
  key: string;
  name: string;
  size: number;
  sent: number;
  state: "waits" | "sends" | "done" | "failed";
  error: unknown;
  /** What asked for it: the page of files, or a question of a workflow that is about to be started. */
  owner: string;
  workspace: string;
  /** What it has become. */
  stored: StoredFile | null;
}

/** So many are sent at once. */
export const AT_ONCE = 2;

/** Whose uploads belong to nobody in particular. */
export const FILES = "files";

export function begun(
  files: readonly { key: string; name: string; size: number }[],
  owner: string = FILES,
  workspace = "",
): Waiting[] {
  return files.map(({ key, name, size }) => ({ key, name, size, sent: 0, state: "waits", error: null, owner, workspace, stored: null }));
}

export function changed(queue: readonly Waiting[], key: string, part: Partial<Waiting>): Waiting[] {
  return queue.map((one) => (one.key === key ? { ...one, ...part } : one));
}

/** Those that may begin now, in their order. */
export function next(queue: readonly Waiting[]): Waiting[] {
  const free = AT_ONCE - queue.filter((one) => one.state === "sends").length;
  return queue.filter((one) => one.state === "waits").slice(0, Math.max(0, free));
}

/** Between 0 and 1; a file without bytes is there at once. */
export function share({ state, sent, size }: Waiting): number {
  if (state === "done") return 1;
  return size === 0 ? 0 : Math.min(1, sent / size);
}

export function isUnderWay({ state }: Waiting): boolean {
  return state === "waits" || state === "sends";
}
