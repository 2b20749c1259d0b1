import type { RefObject } from "react";

import type { CanvasHandle } from "../../canvas";
import {
  BODY, boxOf, copySelection, duplicateSelection, type EditorStore, indexOf, isEmptyContainer, moveSelection, pasteSteps, possibleHomes, type Problem, removeSelection,
  toggleSelection, operations, UNDO_HANDLE,
} from "../../graph";
import { copyText, showToast } from "../../ui";
import type { Autosave } from "./autosave";
import { closeTopLayer } from "./layers";
import { type Place, ui } from "./uiStore";

export interface CanvasParts {
  tidy(): void;
  note(): void;
  /** Ends the showing of a test; null while none is shown. */
  leaveTest: (() => void) | null;
}

/** Single letters count only while the canvas (or nothing) has the focus. */
export function onCanvas(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return true;
  return target === document.body || target.id === "content" || target.closest(".react-flow") !== null;
}

/** What menus, buttons and keys can do in the editor. What changes the document does nothing while it is only shown. */
export class EditorCommands {
  private parts: CanvasParts | null = null;
  private lastProblem = -1;

  constructor(
    readonly store: EditorStore,
    private readonly autosave: Autosave,
    private readonly canvas: RefObject<CanvasHandle | null>,
    private readonly paletteSearch: RefObject<HTMLInputElement | null>,
    private readonly goTo: (node: string, field?: string | null) => void,
    private readonly t: (key: string, params?: Record<string, unknown>) => string,
  ) {}

  provide(parts: CanvasParts): void {
    this.parts = parts;
  }

  /** The document may be read, not changed: a viewer looks at it, or a test is shown. */
  get locked(): boolean {
    return this.store.getState().readOnly;
  }

  /** Gives the focus to what the editor is about: the canvas, or the outline in its place. */
  toMain(): void {
    if (this.canvas.current) this.canvas.current.focus();
    else document.querySelector<HTMLElement>("[role=tree] [role=treeitem][tabindex='0']")?.focus();
  }

  tidy(): void {
    if (!this.locked) this.parts?.tidy();
  }

  note(): void {
    if (!this.locked) this.parts?.note();
  }

  undo(): void {
    this.keepingFocus(() => this.store.undo());
  }

  redo(): void {
    this.keepingFocus(() => this.store.redo());
  }

  /** Cards come and go: who was on the canvas stays there, on the selected card if there is one. */
  private keepingFocus(action: () => void, force = false): void {
    const here = force || onCanvas(document.activeElement);
    const before = new Set(this.store.getState().document.nodes.map((node) => node.id));
    action();
    const back = this.store.getState().document.nodes.find((node) => !before.has(node.id));
    requestAnimationFrame(() => {
      if (!here && document.activeElement !== document.body) return;
      if (back && this.canvas.current) this.canvas.current.reveal(back.id, true);
      else this.toMain();
    });
  }

  /** In so many ms, when what is closing has given up the focus; whoever writes somewhere by then stays there. */
  backToMain(ms: number): void {
    setTimeout(() => {
      const at = document.activeElement;
      const writes = at?.matches("input, textarea, select, [contenteditable=true]") && !at.closest('[role="dialog"]');
      if (!writes) this.toMain();
    }, ms);
  }

  /** With nothing selected, the card that has the focus is meant. */
  adopt(): void {
    const { selection, selectedLinks } = this.store.getState();
    if (selection.length > 0 || selectedLinks.length > 0) return;
    const step = document.activeElement?.closest<HTMLElement>(".react-flow [data-step]")?.dataset["step"];
    if (step) this.store.select([step]);
  }

  remove(sure = false): void {
    if (this.locked) return;
    const { document, selection } = this.store.getState();
    const used = sure ? [] : operations.usersOf(document, new Set(selection));
    if (used.length > 0) {
      ui.set({ dialog: "deleteUsed" });
      return;
    }
    const label = removeSelection(this.store);
    if (!label) return;
    showToast({
      title: this.t(label.key.replace("history.", "toast."), label.params),
      tone: "info",
      action: { label: this.t("undo"), run: () => this.keepingFocus(() => this.store.undo(), true) },
    });
    // After the question has closed, and the list or canvas has been drawn without what is gone.
    this.backToMain(sure ? 220 : 40);
  }

  /** Takes links away, the way a Delete on them does. */
  disconnect(edges: readonly string[]): void {
    if (this.locked || edges.length === 0) return;
    this.store.edit({ key: "history.deleteLink", params: {} }, (draft) => operations.removeLinks(draft, new Set(edges)), {
      announce: { key: "history.deleteLink", params: {} },
    });
    showToast({ title: this.t("toast.deleteLink"), tone: "info", action: { label: this.t("undo"), run: () => void this.store.undo() } });
  }

  duplicate(): void {
    if (this.locked) return;
    duplicateSelection(this.store);
  }

  toggle(): void {
    if (this.locked) return;
    toggleSelection(this.store);
  }

  async copy(): Promise<boolean> {
    const text = copySelection(this.store);
    if (text === null) return false;
    await copyText(text);
    const count = this.store.getState().selection.length;
    showToast({ title: this.t("toast.copied", { count }), tone: "info" });
    return true;
  }

  async cut(): Promise<void> {
    if (!this.locked && (await this.copy())) this.keepingFocus(() => removeSelection(this.store));
  }

  paste(text: string): void {
    if (this.locked) return;
    const { document, selection } = this.store.getState();
    const chosen = document.nodes.find((node) => node.id === selection[0]);
    const { specs } = this.store.getState();
    const box = chosen && boxOf(document, specs, chosen.id);
    const at = box ? { x: box.x, y: box.y + box.height + 60 } : (this.canvas.current?.centre() ?? { x: 0, y: 0 });
    // Onto an empty container: into it.
    const empty = chosen && isEmptyContainer(document, specs, chosen.id);
    const done = empty && box
      ? pasteSteps(this.store, text, { x: box.x + BODY.x, y: box.y + BODY.y }, chosen.id)
      : pasteSteps(this.store, text, at, chosen?.parent ?? null);
    if (!done) showToast({ title: this.t("toast.nothingToPaste"), tone: "info" });
  }

  rename(): void {
    const { annotations } = this.store.getState().document;
    const chosen = this.store.getState().selection[0];
    if (this.locked) return;
    if (annotations.some((note) => note.id === chosen)) this.canvas.current?.editNote(chosen ?? "");
    else ui.set({ panelOpen: true, renaming: true });
  }

  /** Opens what is selected, when the focus is nowhere. */
  open(): boolean {
    const { selection, document } = this.store.getState();
    const [chosen] = selection;
    if (chosen === undefined || selection.length > 1) return false;
    if (document.annotations.some((note) => note.id === chosen)) {
      if (!this.locked) this.canvas.current?.editNote(chosen);
    } else ui.edit(chosen);
    return true;
  }

  connectTo(): void {
    if (!this.locked && this.store.getState().selection.length === 1) ui.set({ dialog: "connect" });
  }

  quickAdd(): void {
    if (this.locked) return;
    const { selection, document } = this.store.getState();
    const chosen = selection.length === 1 ? document.nodes.find((node) => node.id === selection[0]) : undefined;
    const box = chosen ? this.canvas.current?.boxOf(chosen.id) : null;
    const place = box
      ? { clientX: box.left + box.width / 2, clientY: box.bottom + 16 }
      : { clientX: window.innerWidth / 2, clientY: window.innerHeight / 3 };
    const empty = chosen && isEmptyContainer(document, this.store.getState().specs, chosen.id);
    ui.quickAdd(empty ? { kind: "inside", container: chosen.id } : chosen ? { kind: "after", source: chosen.id } : { kind: "free", position: this.canvas.current?.centre() ?? { x: 0, y: 0 } }, place);
  }

  /** Adds a step at the beginning of a container's body. */
  addInside(container: string, place?: Place): void {
    if (this.locked) return;
    const box = this.canvas.current?.boxOf(container);
    const within = box ? { clientX: box.left + box.width / 2, clientY: box.top + 60 } : { clientX: window.innerWidth / 2, clientY: window.innerHeight / 3 };
    ui.quickAdd({ kind: "inside", container }, place ?? within);
  }

  /** Asks into which container what is selected is to go, or out of all. */
  moveInto(): void {
    if (!this.locked && possibleHomes(this.store).length > 0) ui.set({ dialog: "moveInto" });
  }

  searchSteps(): void {
    if (this.locked) return;
    ui.set({ palette: true, outline: false });
    setTimeout(() => this.paletteSearch.current?.focus(), 0);
  }

  test(): void {
    if (!this.locked) ui.set({ dialog: "test" });
  }

  publish(): void {
    if (!this.locked) ui.set({ dialog: "publish" });
  }

  save(): void {
    if (this.locked) return;
    void this.autosave.flush().then((saved) => {
      if (saved) showToast({ title: this.t("save.saved") });
    });
  }

  problem(direction: 1 | -1): void {
    const found = this.problemsInOrder();
    if (found.length === 0) return;
    // Backwards starts at the last one, forwards at the first.
    const from = this.lastProblem < 0 && direction < 0 ? found.length : this.lastProblem;
    this.lastProblem = (from + direction + found.length) % found.length;
    const problem = found[this.lastProblem];
    if (problem?.node) this.goTo(problem.node, problem.field);
  }

  private problemsInOrder(): Problem[] {
    return this.store.getState().problems.filter((problem) => problem.node !== null && problem.severity !== "hint");
  }

  move(x: number, y: number): void {
    if (!this.locked) moveSelection(this.store, { x, y });
  }

  selectAll(): void {
    this.store.select(this.store.getState().document.nodes.map((node) => node.id));
  }

  fit(selection: boolean): void {
    const chosen = this.store.getState().selection;
    this.canvas.current?.fit(selection && chosen.length > 0 ? chosen : undefined);
  }

  undoLinks(): void {
    this.canvas.current?.toggleUndoLinks();
  }

  /** Asks for the step that undoes this one. */
  addUndo(step: string, place?: Place): void {
    if (this.locked) return;
    const box = this.canvas.current?.boxOf(step);
    const beside = box ? { clientX: box.right + 32, clientY: box.top } : { clientX: window.innerWidth / 2, clientY: window.innerHeight / 3 };
    ui.quickAdd({ kind: "after", source: step, handle: UNDO_HANDLE }, place ?? beside);
  }

  zoom(change: 1 | -1 | 0): void {
    if (change === 0) this.canvas.current?.zoomTo(1);
    else if (change > 0) this.canvas.current?.zoomIn();
    else this.canvas.current?.zoomOut();
  }

  /** Closes what was opened last; then the test that is shown; then the selection goes. Answers whether there was something. */
  escape(): boolean {
    if (closeTopLayer()) return true;
    const { selection, selectedLinks } = this.store.getState();
    if (this.parts?.leaveTest) this.parts.leaveTest();
    else if (selection.length + selectedLinks.length > 0) this.store.select([]);
    else return false;
    return true;
  }

  closePanel(): void {
    ui.set({ panelOpen: false, renaming: false });
    this.toMain();
  }

  /** First step in the order of the flow, for when nothing is selected. */
  first(): string | null {
    return indexOf(this.store.getState().document).order[0] ?? null;
  }
}

