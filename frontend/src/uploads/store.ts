/**
 * Uploads belong to the app, not to a page: who goes to another page finds them going on. They are kept in memory, so
 * closing the window ends them; before that the browser asks.
 */
import { create } from "zustand";

import { newIdempotencyKey } from "../api/client";
import { type StoredFile, uploadFile } from "../api/files";
import { begun, changed, isUnderWay, next, type Waiting } from "./queue";

interface UploadState {
  queue: readonly Waiting[];
  /** How many screens show the uploads of an owner by themselves. */
  shown: Readonly<Record<string, number>>;
}

export const useUploadStore = create<UploadState>(() => ({ queue: [], shown: {} }));

/** The bytes, and what stops them; never in the state, which is compared and drawn. */
const held = new Map<string, { file: File; stop: AbortController }>();
const arrivals = new Set<(file: StoredFile, upload: Waiting) => void>();

const put = (change: (queue: readonly Waiting[]) => readonly Waiting[]): void =>
  useUploadStore.setState(({ queue }) => ({ queue: change(queue) }));

/** Calls `listener` with every file that has come. Returns the way to stop. */
export function onUploaded(listener: (file: StoredFile, upload: Waiting) => void): () => void {
  arrivals.add(listener);
  return () => arrivals.delete(listener);
}

export function addUploads(workspace: string, files: readonly File[], owner: string): void {
  const named = files.map((file) => ({ key: newIdempotencyKey(), name: file.name, size: file.size, file }));
  for (const { key, file } of named) held.set(key, { file, stop: new AbortController() });
  put((queue) => [...queue, ...begun(named, owner, workspace)]);
  sendNext();
}

/** Takes a file that is here already, as if it had just come. */
export function takeStored(workspace: string, stored: StoredFile, owner: string): void {
  const [one] = begun([{ key: newIdempotencyKey(), name: stored.name, size: stored.size }], owner, workspace);
  if (one) put((queue) => [...queue, { ...one, state: "done", sent: stored.size, stored }]);
}

/** Tries once more what failed; under the same key, so that it comes here once. */
export function retryUpload(key: string): void {
  put((queue) => changed(queue, key, { state: "waits", error: null }));
  sendNext();
}

/** Stops it, or takes a failed one or one that has come off the list. */
export function dropUpload(key: string): void {
  held.get(key)?.stop.abort();
  held.delete(key);
  put((queue) => queue.filter((one) => one.key !== key));
  sendNext();
}

/** Forgets all of an owner's, which stops those under way. */
export function dropUploadsOf(owner: string): void {
  for (const one of useUploadStore.getState().queue) if (one.owner === owner) dropUpload(one.key);
}

/** Says that a screen shows an owner's uploads by itself. Returns the way to take that back. */
export function showUploadsOf(owner: string): () => void {
  const add = (by: number): void =>
    useUploadStore.setState(({ shown }) => ({ shown: { ...shown, [owner]: (shown[owner] ?? 0) + by } }));
  add(1);
  return () => add(-1);
}

export function uploadsUnderWay(): boolean {
  return useUploadStore.getState().queue.some(isUnderWay);
}

function sendNext(): void {
  const ready = next(useUploadStore.getState().queue);
  put((queue) => ready.reduce<readonly Waiting[]>((all, one) => changed(all, one.key, { state: "sends", sent: 0 }), queue));
  for (const one of ready) void send(one);
}

async function send(upload: Waiting): Promise<void> {
  const { key, workspace } = upload;
  const here = held.get(key);
  if (!here) return;
  const change = (part: Partial<Waiting>): void => put((queue) => changed(queue, key, part));
  const { file, stop } = here;
  try {
    const stored = await uploadFile(workspace, file, { idempotencyKey: key, signal: stop.signal, onProgress: (sent) => change({ sent }) });
    held.delete(key);
    change({ state: "done", sent: file.size, stored });
    for (const listener of arrivals) listener(stored, upload);
  } catch (error) {
    if (!stop.signal.aborted) change({ state: "failed", error });
  }
  sendNext();
}
