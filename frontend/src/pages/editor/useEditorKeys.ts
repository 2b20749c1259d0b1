import { type RefObject, useLayoutEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { CanvasHandle } from "../../canvas";
import {
  copySelection, duplicateSelection, type EditorStore, indexOf, moveSelection, pasteSteps, type Problem, removeSelection,
  toggleSelection, operations,
} from "../../graph";
import { copyText, showToast } from "../../ui";
import type { Autosave } from "./autosave";
import { ui } from "./uiStore";

interface CanvasParts {
  tidy(): void;
  note(): void;
}

/** What menus, buttons and keys can do in the editor. */
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

  tidy(): void {
    this.parts?.tidy();
  }

  note(): void {
    this.parts?.note();
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
      if (back) this.canvas.current?.reveal(back.id, true);
      else this.canvas.current?.focus();
    });
  }

  /** With nothing selected, the card that has the focus is meant. */
  adopt(): void {
    const { selection, selectedLinks } = this.store.getState();
    if (selection.length > 0 || selectedLinks.length > 0) return;
    const step = document.activeElement?.closest<HTMLElement>(".react-flow [data-step]")?.dataset["step"];
    if (step) this.store.select([step]);
  }

  remove(sure = false): void {
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
    requestAnimationFrame(() => this.canvas.current?.focus());
  }

  duplicate(): void {
    duplicateSelection(this.store);
  }

  toggle(): void {
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
    if (await this.copy()) this.keepingFocus(() => removeSelection(this.store));
  }

  paste(text: string): void {
    const { document, selection } = this.store.getState();
    const chosen = document.nodes.find((node) => node.id === selection[0]);
    const at = chosen ? { x: chosen.position.x, y: chosen.position.y + 128 } : (this.canvas.current?.centre() ?? { x: 0, y: 0 });
    if (!pasteSteps(this.store, text, at)) showToast({ title: this.t("toast.nothingToPaste"), tone: "info" });
  }

  rename(): void {
    ui.set({ panelOpen: true, renaming: true });
  }

  connectTo(): void {
    if (this.store.getState().selection.length === 1) ui.set({ dialog: "connect" });
  }

  quickAdd(): void {
    const { selection, document } = this.store.getState();
    const chosen = selection.length === 1 ? document.nodes.find((node) => node.id === selection[0]) : undefined;
    const box = chosen ? this.canvas.current?.boxOf(chosen.id) : null;
    const place = box
      ? { clientX: box.left + box.width / 2, clientY: box.bottom + 16 }
      : { clientX: window.innerWidth / 2, clientY: window.innerHeight / 3 };
    ui.quickAdd(chosen ? { kind: "after", source: chosen.id } : { kind: "free", position: this.canvas.current?.centre() ?? { x: 0, y: 0 } }, place);
  }

  searchSteps(): void {
    ui.set({ palette: true, outline: false });
    setTimeout(() => this.paletteSearch.current?.focus(), 0);
  }

  save(): void {
    void this.autosave.flush().then((saved) => {
      if (saved) showToast({ title: this.t("save.saved") });
    });
  }

  problem(direction: 1 | -1): void {
    const found = this.problemsInOrder();
    if (found.length === 0) return;
    this.lastProblem = (this.lastProblem + direction + found.length) % found.length;
    const problem = found[this.lastProblem];
    if (problem?.node) this.goTo(problem.node, problem.field);
  }

  private problemsInOrder(): Problem[] {
    return this.store.getState().problems.filter((problem) => problem.node !== null && problem.severity !== "hint");
  }

  move(x: number, y: number): void {
    moveSelection(this.store, { x, y });
  }

  selectAll(): void {
    this.store.select(this.store.getState().document.nodes.map((node) => node.id));
  }

  fit(selection: boolean): void {
    const chosen = this.store.getState().selection;
    this.canvas.current?.fit(selection && chosen.length > 0 ? chosen : undefined);
  }

  zoom(change: 1 | -1 | 0): void {
    if (change === 0) this.canvas.current?.zoomTo(1);
    else if (change > 0) this.canvas.current?.zoomIn();
    else this.canvas.current?.zoomOut();
  }

  /** Closes what is open, innermost first. Answers whether there was something. */
  escape(): boolean {
    const state = ui.get();
    if (state.quickAdd || state.menu) ui.set({ quickAdd: null, menu: null });
    else if (state.palette) ui.set({ palette: false });
    else if (state.panelOpen) {
      ui.set({ panelOpen: false, renaming: false });
      this.canvas.current?.focus();
    } else if (this.store.getState().selection.length > 0) this.store.select([]);
    else return false;
    return true;
  }

  /** First step in the order of the flow, for when nothing is selected. */
  first(): string | null {
    return indexOf(this.store.getState().document).order[0] ?? null;
  }
}

export interface KeyOptions {
  store: EditorStore;
  autosave: Autosave;
  canvas: RefObject<CanvasHandle | null>;
  paletteSearch: RefObject<HTMLInputElement | null>;
  goTo(node: string, field?: string | null): void;
}

export function useEditorKeys({ store, autosave, canvas, paletteSearch, goTo }: KeyOptions): EditorCommands {
  const { t } = useTranslation("editor");
  const commands = useMemo(
    () => new EditorCommands(store, autosave, canvas, paletteSearch, goTo, t as unknown as (key: string) => string),
    [store, autosave, canvas, paletteSearch, goTo, t],
  );
  // Before the first picture: who sees the editor can use its keys.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("[role=dialog][aria-modal=true]")) return;
      if (run(commands, event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (isTyping(event.target)) return;
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (text) commands.paste(text);
    };
    window.addEventListener("keydown", onKey, true);
    document.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onKey, true);
      document.removeEventListener("paste", onPaste);
    };
  }, [commands]);
  return commands;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Single letters count only while the canvas (or nothing) has the focus. */
function onCanvas(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return true;
  return target === document.body || target.id === "content" || target.closest(".react-flow") !== null;
}

function run(commands: EditorCommands, event: KeyboardEvent): boolean {
  const typing = isTyping(event.target);
  const ctrl = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "F8") return done(() => commands.problem(event.shiftKey ? -1 : 1));
  if (ctrl && event.altKey && key === "Enter") return done(() => ui.set({ dialog: "test" }));
  if (ctrl && !event.altKey) return withCtrl(commands, event, key, typing);
  if (typing) return false;
  if (key === "Escape") return commands.escape();
  if (key === "?") return done(() => ui.set({ dialog: "shortcuts" }));
  if (!onCanvas(event.target)) return false;
  if (event.altKey) return withAlt(commands, event);
  if (event.shiftKey && key === "t") return done(() => commands.tidy());
  if (event.shiftKey && key !== "+") return false;
  if (ON_SELECTION.has(key)) commands.adopt();
  const action = SINGLE[key];
  return action ? done(() => action(commands)) : false;
}

const ON_SELECTION = new Set(["a", "+", "l", "x", "F2", "Delete", "Backspace", "2"]);

const SINGLE: Record<string, (commands: EditorCommands) => void> = {
  a: (commands) => commands.quickAdd(),
  "+": (commands) => commands.quickAdd(),
  "/": (commands) => commands.searchSteps(),
  l: (commands) => commands.connectTo(),
  x: (commands) => commands.toggle(),
  n: (commands) => commands.note(),
  o: () => ui.set({ outline: !ui.get().outline }),
  m: () => ui.set({ minimap: !ui.get().minimap }),
  F2: (commands) => commands.rename(),
  Delete: (commands) => commands.remove(),
  Backspace: (commands) => commands.remove(),
  "1": (commands) => commands.fit(false),
  "2": (commands) => commands.fit(true),
  "0": (commands) => commands.zoom(0),
};

function withCtrl(commands: EditorCommands, event: KeyboardEvent, key: string, typing: boolean): boolean {
  if (key === "s") return done(() => commands.save());
  if (key === "p" && event.shiftKey) return done(() => ui.set({ dialog: "publish" }));
  if (typing) return false;
  switch (key) {
    case "z":
      return done(() => (event.shiftKey ? commands.redo() : commands.undo()));
    case "y":
      return done(() => commands.redo());
    case "f":
      return done(() => ui.set({ dialog: "find" }));
    case "Enter":
      return done(() => ui.set({ dialog: "test" }));
    default:
  }
  if (!onCanvas(event.target)) return false;
  if (key === "c" || key === "x" || key === "d") commands.adopt();
  switch (key) {
    case "c":
      // Text that is marked somewhere is what people want to copy.
      if (window.getSelection()?.toString()) return false;
      return done(() => void commands.copy());
    case "x":
      return done(() => void commands.cut());
    case "d":
      return done(() => commands.duplicate());
    case "a":
      return done(() => commands.selectAll());
    case "+":
    case "=":
      return done(() => commands.zoom(1));
    case "-":
      return done(() => commands.zoom(-1));
    default:
      return false;
  }
}

const MOVES: Record<string, [number, number]> = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function withAlt(commands: EditorCommands, event: KeyboardEvent): boolean {
  const move = MOVES[event.key];
  if (!move) return false;
  commands.adopt();
  const by = event.shiftKey ? 40 : 8;
  return done(() => commands.move(move[0] * by, move[1] * by));
}

function done(action: () => void): true {
  action();
  return true;
}
