import { type RefObject, useLayoutEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import type { CanvasHandle } from "../../canvas";
import type { EditorStore } from "../../graph";
import type { Autosave } from "./autosave";
import { EditorCommands, onCanvas } from "./commands";
import { useLayer } from "./layers";
import { ui, useUi } from "./uiStore";

export type { EditorCommands };

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
  const panel = useUi((state) => state.panelOpen);
  const chosen = useStore(store, (state) => state.selection.length === 1 && state.document.nodes.some((node) => node.id === state.selection[0]));
  useLayer(panel && chosen, () => commands.closePanel());
  // Before the first picture: who sees the editor can use its keys.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isModal()) return;
      if (run(commands, event)) {
        event.preventDefault();
        event.stopPropagation();
      }
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (isTyping(event.target) || isModal() || !onCanvas(document.activeElement)) return;
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

/** A dialog that has the page to itself. */
function isModal(): boolean {
  return document.querySelector("[role=dialog][aria-modal=true]") !== null;
}

/** What closes by itself on Esc, and says so to nobody: menus, lists of choices, the list of data. */
const OWN_ESCAPE = "[role=menu], [role=listbox], [data-flyout]";

function run(commands: EditorCommands, event: KeyboardEvent): boolean {
  const typing = isTyping(event.target);
  const ctrl = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "F8") return done(() => commands.problem(event.shiftKey ? -1 : 1));
  if (ctrl && key === "Enter" && !ui.get().quickAdd) return done(() => commands.test());
  if (ctrl && !event.altKey) return withCtrl(commands, event, key, typing);
  if (key === "Escape") return leave(commands, event.target);
  if (typing) return false;
  if (key === "?") return done(() => ui.set({ dialog: "shortcuts" }));
  if (!onCanvas(event.target)) return false;
  if (key === "Enter" && event.target instanceof HTMLElement && !event.target.closest(".react-flow")) return commands.open();
  if (event.altKey) return withAlt(commands, event);
  if (event.shiftKey && key === "t") return done(() => commands.tidy());
  // Signs may need Shift on some keyboards; letters and named keys with it mean something else.
  if (event.shiftKey && /^(\p{L}|.{2,})$/u.test(key)) return false;
  if (ON_SELECTION.has(key)) commands.adopt();
  const action = SINGLE[key];
  return action ? done(() => action(commands)) : false;
}

/** Fields and lists take Esc for themselves first; an empty search has nothing to give up and lets it through. */
function leave(commands: EditorCommands, target: EventTarget | null): boolean {
  if (target instanceof HTMLElement) {
    if (target.closest(OWN_ESCAPE) || document.querySelector("[data-connecting]")) return false;
    if (isTyping(target)) {
      const search = target instanceof HTMLInputElement && target.closest("[data-palette]") !== null;
      if (!search || target.value !== "") return false;
      if (!commands.escape()) commands.toMain();
      else if (!target.isConnected || document.activeElement === target) commands.toMain();
      return true;
    }
  }
  return commands.escape();
}

const ON_SELECTION = new Set(["a", "+", "l", "i", "x", "F2", "Delete", "Backspace", "2"]);

const SINGLE: Record<string, (commands: EditorCommands) => void> = {
  a: (commands) => commands.quickAdd(),
  "+": (commands) => commands.quickAdd(),
  "/": (commands) => commands.searchSteps(),
  l: (commands) => commands.connectTo(),
  i: (commands) => commands.moveInto(),
  x: (commands) => commands.toggle(),
  n: (commands) => commands.note(),
  o: () => ui.set({ outline: !ui.get().outline }),
  u: (commands) => commands.undoLinks(),
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
  if (key === "p" && event.shiftKey) return done(() => commands.publish());
  if (typing) return false;
  switch (key) {
    case "z":
      return done(() => (event.shiftKey ? commands.redo() : commands.undo()));
    case "y":
      return done(() => commands.redo());
    case "f":
      return done(() => ui.set({ dialog: "find" }));
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
