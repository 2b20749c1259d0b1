/** Edits are kept on this computer until the server has them; undo survives a reload. */
import { createStore, del, get, set } from "idb-keyval";

import { type EditorStore, formatExact, type GraphDocument, type History, merge, NO_HISTORY, parseExact, rebase, same } from "../../graph";

/** Stored as text: what the browser's own database keeps forgets the digits of exact numbers. */
export interface Kept {
  revision: number;
  document: GraphDocument;
  saved: GraphDocument;
  history: History;
  at: number;
}

const WAIT_MS = 250;

let connection: ReturnType<typeof createStore> | null = null;

/** One connection for all reads and writes. */
function database(): ReturnType<typeof createStore> {
  connection ??= createStore("millrace-drafts", "drafts");
  return connection;
}

export class LocalDraft {
  private readonly key: string;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** Edits belong to the person who made them: whoever signs in next on this computer does not get them. */
  constructor(user: string, workspace: string, workflow: string) {
    this.key = `${user}/${workspace}/${workflow}`;
  }

  async read(): Promise<Kept | null> {
    try {
      const text = await get<unknown>(this.key, database());
      return typeof text === "string" ? (parseExact(text) as Kept) : null;
    } catch {
      // No IndexedDB (private window): editing works, only without this safety net.
      return null;
    }
  }

  /** Writes soon; many calls in a row make one write. */
  remember(store: EditorStore, revision: () => number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.write(store, revision());
    }, WAIT_MS);
  }

  /** Writes now, as far as the browser allows while the page is going away. */
  flush(store: EditorStore, revision: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.write(store, revision);
  }

  private write(store: EditorStore, revision: number): void {
    const { document, saved, history } = store.getState();
    const kept: Kept = { revision, document, saved, history, at: Date.now() };
    set(this.key, formatExact(kept), database()).catch(() => {
      // Storage full or forbidden; the save state in the header stays the truth.
    });
  }

  async forget(): Promise<void> {
    await del(this.key, database()).catch(() => undefined);
  }
}

export interface Restored {
  document: GraphDocument;
  saved: GraphDocument;
  history: History;
  /** Edits that the server has not had yet. */
  unsaved: boolean;
  /** Steps that were changed both here and on the server since. */
  conflicts: string[];
}

/** What the editor opens with: the server's draft and, where there are some, the edits kept on this computer. */
export function restore(server: GraphDocument, revision: number, kept: Kept | null): Restored {
  const plain: Restored = { document: server, saved: server, history: NO_HISTORY, unsaved: false, conflicts: [] };
  if (!kept) return plain;
  // Also where the page went away after the server had saved it and before it was told.
  if (same(kept.document, server)) return { ...plain, document: kept.document, saved: kept.document, history: kept.history };
  if (same(kept.document, kept.saved)) return plain;
  if (kept.revision === revision || same(kept.saved, server)) {
    return { document: kept.document, saved: server, history: kept.history, unsaved: true, conflicts: [] };
  }
  const { conflicts } = merge(kept.saved, kept.document, server);
  return { ...rebase(kept.document, kept.history, kept.saved, server), saved: server, unsaved: true, conflicts };
}
