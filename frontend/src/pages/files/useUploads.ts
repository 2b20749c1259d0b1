import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { newIdempotencyKey } from "../../api/client";
import { refreshFiles, uploadFile } from "../../api/files";
import { useWorkspace } from "../../api/session";
import { begun, changed, next, type Waiting } from "./queue";

export interface Uploads {
  queue: readonly Waiting[];
  add(files: readonly File[]): void;
  /** Tries once more what failed; under the same key, so that it comes here once. */
  retry(key: string): void;
  /** Stops it, or takes a failed one off the list. */
  drop(key: string): void;
}

/**
 * Sends files one after another, and says how far each is. `onDone` hears which came once none is on its way any more.
 * Who leaves the page stops what is on its way.
 */
export function useUploads(onDone: (names: readonly string[]) => void): Uploads {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [queue, setQueue] = useState<readonly Waiting[]>([]);
  const files = useRef(new Map<string, { file: File; stop: AbortController }>());
  const came = useRef<string[]>([]);
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  }, [onDone]);
  useEffect(() => {
    const held = files.current;
    return () => {
      for (const { stop } of held.values()) stop.abort();
    };
  }, []);

  const send = useCallback(
    async (key: string) => {
      const held = files.current.get(key);
      if (!held) return;
      const change = (part: Partial<Waiting>): void => setQueue((before) => changed(before, key, part));
      const { file, stop } = held;
      try {
        await uploadFile(workspace, file, { idempotencyKey: key, signal: stop.signal, onProgress: (sent) => change({ sent }) });
        files.current.delete(key);
        await refreshFiles(client, workspace);
        came.current.push(file.name);
        setQueue((before) => before.filter((one) => one.key !== key));
      } catch (error) {
        if (!stop.signal.aborted) change({ state: "failed", error });
      }
    },
    [client, workspace],
  );
  const isQuiet = queue.every((one) => one.state === "failed");
  useEffect(() => {
    if (!isQuiet || came.current.length === 0) return;
    done.current(came.current);
    came.current = [];
  }, [isQuiet]);
  useEffect(() => {
    const ready = next(queue);
    if (ready.length === 0) return;
    setQueue((before) => ready.reduce<readonly Waiting[]>((all, one) => changed(all, one.key, { state: "sends", sent: 0 }), before));
    for (const one of ready) void send(one.key);
  }, [queue, send]);

  return {
    queue,
    add(added) {
      const named = added.map((file) => ({ key: newIdempotencyKey(), name: file.name, size: file.size, file }));
      for (const { key, file } of named) files.current.set(key, { file, stop: new AbortController() });
      setQueue((before) => [...before, ...begun(named)]);
    },
    retry: (key) => setQueue((before) => changed(before, key, { state: "waits", error: null })),
    drop(key) {
      files.current.get(key)?.stop.abort();
      files.current.delete(key);
      setQueue((before) => before.filter((one) => one.key !== key));
    },
  };
}
