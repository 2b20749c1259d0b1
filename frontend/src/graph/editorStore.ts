/** The document being edited, its history, what is selected and what is wrong with it. One per open editor. */
import { createStore, type StoreApi } from "zustand/vanilla";
import { check, mergeProblems } from "./check";
import { commit, NO_HISTORY, redo, undo, type History, type HistoryEntry } from "./history";
import { decide, rebase } from "./rebase";
import { same } from "./same";
import { emptyDocument, type GraphDocument, type Label, type Problem, type Report, type Specs, type StepEffect } from "./types";

/** Why the document can be read but not changed: the person's role, a test that is shown, another tab that edits it. */
export type Lock = "role" | "test" | "tab";

export interface EditorState {
  document: GraphDocument;
  /** The document as the server has it; edits since then are unsaved. */
  saved: GraphDocument;
  history: History;
  specs: Specs;
  /** Second line of each card, in words, by step id. */
  summaries: Readonly<Record<string, string>>;
  /** What each step does outside, by step id. */
  effects: Readonly<Record<string, StepEffect>>;
  ownProblems: readonly Problem[];
  serverProblems: readonly Problem[];
  problems: readonly Problem[];
  /** Selected steps and notes. */
  selection: readonly string[];
  selectedLinks: readonly string[];
  locks: readonly Lock[];
  /** Whether there is any lock. */
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
  markSaved(document: GraphDocument, report: Report): void;
  /** Somebody else saved `theirs`: document and undo go on from there, with no undo entry of its own. */
  rebase(theirs: GraphDocument, report: Report): void;
  /** Both changed the same steps: goes on from `theirs` with one's own or their version of them; one undo entry. */
  decide(choice: "mine" | "theirs", theirs: GraphDocument, report: Report): void;
  /** The step types in other words. */
  retell(specs: Specs): void;
  announce(label: Label): void;
  setLock(lock: Lock, on: boolean): void;
}

const START: EditorState = {
  document: emptyDocument(),
  saved: emptyDocument(),
  history: NO_HISTORY,
  specs: {},
  summaries: {},
  effects: {},
  ownProblems: [],
  serverProblems: [],
  problems: [],
  selection: [],
  selectedLinks: [],
  locks: [],
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

  const goOn = (theirs: GraphDocument, report: Report, next: { document: GraphDocument; history: History }): void => {
    const saved = same(next.document, theirs) ? next.document : theirs;
    settle(next.document, next.history, { saved, serverProblems: report.problems, summaries: report.summaries, effects: report.effects });
  };

  return Object.assign(store, {
    open(start: Pick<EditorState, "document" | "specs"> & Partial<EditorState>) {
      store.setState({ ...START, saved: start.document, readOnly: (start.locks ?? []).length > 0, ...start }, true);
      checkNow();
    },
    retell(specs: Specs): void {
      if (store.getState().specs === specs) return;
      store.setState({ specs });
      checkSoon();
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
    markSaved(saved: GraphDocument, report: Report) {
      const { document, ownProblems, summaries, effects } = store.getState();
      store.setState({
        saved,
        serverProblems: report.problems,
        summaries: same(summaries, report.summaries) ? summaries : report.summaries,
        effects: same(effects, report.effects) ? effects : report.effects,
        problems: mergeProblems(ownProblems, report.problems, document !== saved, document),
      });
    },
    rebase(theirs: GraphDocument, report: Report) {
      const { document, history, saved } = store.getState();
      goOn(theirs, report, rebase(document, history, saved, theirs));
    },
    decide(choice: "mine" | "theirs", theirs: GraphDocument, report: Report) {
      const { document, history, saved } = store.getState();
      const label: Label = { key: choice === "mine" ? "history.keepMine" : "history.takeTheirs", params: {} };
      goOn(theirs, report, decide(document, history, saved, theirs, choice, label, now()));
    },
    setLock(lock: Lock, on: boolean) {
      const { locks } = store.getState();
      if (locks.includes(lock) === on) return;
      const next = on ? [...locks, lock] : locks.filter((other) => other !== lock);
      store.setState({ locks: next, readOnly: next.length > 0 });
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
