/**
 * Saves the draft: 800 ms after the last change, at the latest 5 s after the first, and at once on request. It never says
 * "saved" before the server has said so, and never overwrites what somebody else has saved meanwhile.
 */
import { createStore, type StoreApi } from "zustand/vanilla";

import { ApiError, NetworkError } from "../../api/client";
import type { Draft, SavedDraft } from "../../api/types";
import { type EditorStore, type GraphDocument, merge, normaliseDocument, type Report } from "../../graph";

export type SaveStatus = "saved" | "dirty" | "saving" | "offline" | "failed" | "conflict";

export interface SaveState {
  status: SaveStatus;
  /** What the last refusal said. */
  error: unknown;
  revision: number;
  /** Somebody else's draft that touches the same steps, to be decided on. */
  theirs: { graph: GraphDocument; revision: number; by: string | null; at: string; steps: string[]; report: Report } | null;
}

export interface AutosavePorts {
  put(graph: GraphDocument, revision: number): Promise<SavedDraft>;
  get(): Promise<Draft>;
  /** Called with every document that is not on the server yet, and once it is. */
  remember(): void;
}

const QUIET_MS = 800;
const LATEST_MS = 5000;
const RETRY_MS = 5000;

export class Autosave {
  readonly state: StoreApi<SaveState>;
  private readonly store: EditorStore;
  private readonly ports: AutosavePorts;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private firstChange: number | null = null;
  private running: Promise<boolean> | null = null;
  private stopped = false;
  private readonly unsubscribe: () => void;

  constructor(store: EditorStore, revision: number, ports: AutosavePorts) {
    this.store = store;
    this.ports = ports;
    this.state = createStore<SaveState>(() => ({ status: "saved", error: null, revision, theirs: null }));
    this.unsubscribe = store.subscribe((now, before) => {
      if (now.document !== before.document) this.changed();
    });
    if (this.dirty()) this.changed();
  }

  dirty(): boolean {
    const { document, saved } = this.store.getState();
    return document !== saved;
  }

  private changed(): void {
    if (this.stopped) return;
    this.ports.remember();
    if (!this.dirty()) return;
    const { status } = this.state.getState();
    if (status === "conflict") return;
    if (status === "saved") this.state.setState({ status: "dirty" });
    this.firstChange ??= Date.now();
    const wait = Math.min(QUIET_MS, Math.max(0, this.firstChange + LATEST_MS - Date.now()));
    this.arm(wait);
  }

  private arm(wait: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), wait);
  }

  /** Saves what is unsaved. Answers whether everything is on the server now. */
  async flush(): Promise<boolean> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    while (!this.stopped) {
      if (this.running) {
        if (!(await this.running)) return false;
        continue;
      }
      if (!this.dirty()) return this.settled();
      this.running = this.save().finally(() => {
        this.running = null;
      });
    }
    return false;
  }

  private settled(): boolean {
    const { status } = this.state.getState();
    if (status === "dirty") this.state.setState({ status: "saved" });
    this.firstChange = null;
    return status !== "conflict";
  }

  private async save(): Promise<boolean> {
    const { document } = this.store.getState();
    const { revision, status } = this.state.getState();
    if (status === "conflict") return false;
    this.firstChange = null;
    this.state.setState({ status: "saving" });
    try {
      const answer = await this.ports.put(document, revision);
      this.state.setState({ revision: answer.revision, error: null });
      this.store.markSaved(document, answer);
      this.state.setState({ status: this.dirty() ? "dirty" : "saved" });
      this.ports.remember();
      return true;
    } catch (error) {
      return this.refused(error);
    }
  }

  private async refused(error: unknown): Promise<boolean> {
    if (this.stopped) return false;
    if (error instanceof ApiError && error.status === 409) {
      try {
        return this.meet(await this.ports.get());
      } catch (again) {
        return this.refused(again instanceof ApiError && again.status === 409 ? new Error("conflict") : again);
      }
    }
    if (error instanceof NetworkError) {
      this.state.setState({ status: "offline", error });
      this.arm(RETRY_MS);
      return false;
    }
    this.state.setState({ status: "failed", error });
    // A server that stumbled will stand up again; a refusal stays a refusal until somebody acts.
    if (error instanceof ApiError && error.status >= 500) this.arm(RETRY_MS);
    return false;
  }

  /** Takes over what was saved elsewhere meanwhile. */
  async refresh(): Promise<void> {
    await this.running;
    const draft = await this.ports.get();
    if (!this.stopped && draft.revision > this.state.getState().revision) this.meet(draft);
    await this.flush();
  }

  /** Somebody else saved: goes together if different steps were changed, else asks. */
  meet(draft: Draft): boolean {
    const theirs = normaliseDocument(draft.graph);
    const { document, saved } = this.store.getState();
    const { conflicts } = merge(saved, document, theirs);
    if (conflicts.length > 0) {
      const { revision, updated_by: by, updated_at: at } = draft;
      this.state.setState({ status: "conflict", theirs: { graph: theirs, revision, by, at, steps: conflicts, report: draft } });
      return false;
    }
    this.state.setState({ revision: draft.revision, status: "dirty", theirs: null, error: null });
    this.store.rebase(theirs, draft);
    this.changed();
    return true;
  }

  /** Of the steps that both changed one's own version, or theirs. What only one side changed stays as it is. */
  decide(keep: "mine" | "theirs"): void {
    const { theirs } = this.state.getState();
    if (!theirs) return;
    this.state.setState({ status: "dirty", revision: theirs.revision, theirs: null, error: null });
    this.store.decide(keep, theirs.graph, theirs.report);
    this.ports.remember();
    void this.flush();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.unsubscribe();
  }
}
