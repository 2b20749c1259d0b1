import { useEffect } from "react";
import { useShallow } from "zustand/shallow";

import { useWorkspace } from "../api/session";
import type { Waiting } from "./queue";
import { addUploads, showUploadsOf, useUploadStore } from "./store";

export interface Uploads {
  queue: readonly Waiting[];
  add(files: readonly File[]): void;
}

/** The uploads of an owner, which are shown by whoever uses this. */
export function useUploads(owner: string): Uploads {
  const workspace = useWorkspace().id;
  const queue = useUploadStore(
    useShallow((state) => state.queue.filter((one) => one.owner === owner && one.workspace === workspace)),
  );
  useEffect(() => showUploadsOf(owner), [owner]);
  return { queue, add: (files) => addUploads(workspace, files, owner) };
}
