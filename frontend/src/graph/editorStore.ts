/** The document being edited, its history, what is selected and what is wrong with it. One per open editor. */
import { createStore, type StoreApi } from "zustand/vanilla";
import { check, mergeProblems } from "./check";
import { copyOf } from "./exact";
import { commit, NO_HISTORY, redo, undo, type History, type HistoryEntry } from "./history";
import { emptyDocument, type GraphDocument, type Label, type Problem, type Specs } from "./types";

export interface EditorState {
  document: GraphDocument;
  /** The document as the server has it; edits since then are unsaved. */
  saved: GraphDocument;
  history: History;
  specs: Specs;
  /** Second line of each card, in words, by step id. */
  summaries: Readonly<Record<string, string>>;
  ownProblems: readonly Problem[];
  serverProblems: readonly Problem[];
  problems: readonly Problem[];
  /** Selected steps and notes. */
  selection: readonly string[];
  selectedLinks: readonly string[];
  readOnly: boolean;
  /** The last thing that happened, for screen readers. */
  announcement: Label | null;
}

export interface EditOptions {
  /** Edits of one group within 600 ms are undone together. */
  group?: string | null;
  select?: readonly string[];
  announce?: Label;
}

export interface EditorStore extends StoreApi<EditorState> {
  open(start: Pick<EditorState, "document" | "specs"> & Partial<EditorState>): void;
  edit(label: Label, recipe: (draft: GraphDocument) => void, options?: EditOptions): boolean;
  undo(): HistoryEntry | null;
  redo(): HistoryEntry | null;
  select(ids: readonly string[], links?: readonly string[]): void;
  /** The server has stored `document`. */
  markSaved(document: GraphDocument, problems: readonly Problem[], summaries: Readonly<Record<string, string>>): void;
  /** Replaces the document from outside (their version, a merge); one undo entry. */
  replace(label: Label, document: GraphDocument): void;
  announce(label: Label): void;
}

const START: EditorState = {
  document: emptyDocument(),
  saved: emptyDocument(),
  history: NO_HISTORY,
  specs: {},
  summaries: {},
  ownProblems: [],
  serverProblems: [],
  problems: [],
  selection: [],
  selectedLinks: [],
  readOnly: false,
  announcement: null,
};

export function createEditorStore(now: () => number = Date.now): EditorStore {
  const store = createStore<EditorState>(() => START);
  let timer: ReturnType<typeof setTimeout> | null = null;

  /** Checking 500 steps takes a few milliseconds: not on every pixel of a keystroke. */
  const checkSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      checkNow();
    }, 120);
  };
  const checkNow = (): void => {
    const { document, saved, specs, serverProblems } = store.getState();
    const ownProblems = check(document, specs);
    store.setState({ ownProblems, problems: mergeProblems(ownProblems, serverProblems, document !== saved, document) });
  };
  const settle = (document: GraphDocument, history: History, more: Partial<EditorState> = {}): void => {
    const ids = new Set([...document.nodes.map((node) => node.id), ...document.annotations.map((note) => note.id)]);
    const links = new Set(document.edges.map((edge) => edge.id));
    const { selection, selectedLinks } = { ...store.getState(), ...more };
    store.setState({
      ...more,
      document,
      history,
      selection: keep(selection, ids),
      selectedLinks: keep(selectedLinks, links),
    });
    checkSoon();
  };

  return Object.assign(store, {
    open(start: Pick<EditorState, "document" | "specs"> & Partial<EditorState>) {
      store.setState({ ...START, saved: start.document, ...start }, true);
      checkNow();
    },
    edit(label: Label, recipe: (draft: GraphDocument) => void, options: EditOptions = {}): boolean {
      const { document, history, readOnly } = store.getState();
      if (readOnly) return false;
      const step = commit(document, history, label, recipe, { group: options.group ?? null, at: now() });
      if (!step) return false;
      settle(step.document, step.history, {
        ...(options.select ? { selection: options.select, selectedLinks: [] } : {}),
        ...(options.announce ? { announcement: options.announce } : {}),
      });
      return true;
    },
    undo(): HistoryEntry | null {
      const { document, history, readOnly } = store.getState();
      const step = readOnly ? null : undo(document, history);
      if (!step) return null;
      settle(step.document, step.history, { announcement: { key: "announce.undone", params: {} } });
      return step.entry;
    },
    redo(): HistoryEntry | null {
      const { document, history, readOnly } = store.getState();
      const step = readOnly ? null : redo(document, history);
      if (!step) return null;
      settle(step.document, step.history, { announcement: { key: "announce.redone", params: {} } });
      return step.entry;
    },
    select(ids: readonly string[], links: readonly string[] = []) {
      const { selection, selectedLinks } = store.getState();
      if (sameList(selection, ids) && sameList(selectedLinks, links)) return;
      store.setState({ selection: ids, selectedLinks: links });
    },
    markSaved(saved: GraphDocument, problems: readonly Problem[], summaries: Readonly<Record<string, string>>) {
      const { document, ownProblems, summaries: before } = store.getState();
      const next = sameSummaries(before, summaries) ? before : summaries;
      store.setState({
        saved,
        serverProblems: problems,
        summaries: next,
        problems: mergeProblems(ownProblems, problems, document !== saved, document),
      });
    },
    replace(label: Label, next: GraphDocument) {
      const { document, history } = store.getState();
      const step = commit(document, history, label, (draft) => void Object.assign(draft, copyOf(next)), { at: now() });
      if (step) settle(step.document, step.history);
    },
    announce(label: Label) {
      store.setState({ announcement: { ...label, params: { ...label.params } } });
    },
  });
}

function keep(list: readonly string[], known: ReadonlySet<string>): readonly string[] {
  return list.every((id) => known.has(id)) ? list : list.filter((id) => known.has(id));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

function sameSummaries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(b);
  return keys.length === Object.keys(a).length && keys.every((key) => a[key] === b[key]);
}
