/** What is open in the editor right now. */
import { create } from "zustand";

import type { Anchor } from "../../graph";

export interface Place {
  clientX: number;
  clientY: number;
}

export type PanelTab = "setup" | "fails" | "undo" | "notes";
export type DialogName = "publish" | "test" | "shortcuts" | "connect" | "moveInto" | "find" | "deleteUsed" | null;

/** The tab of the panel on which what a problem is about can be put right. */
export function tabOf(field: string | null): PanelTab {
  if (field === "settings.undo") return "undo";
  return field === "settings.on_failure" ? "fails" : "setup";
}

export interface UiState {
  quickAdd: { anchor: Anchor; place: Place } | null;
  menu: { node: string; place: Place } | null;
  dialog: DialogName;
  panelOpen: boolean;
  panelTab: PanelTab;
  /** A field of the open panel that is to take the focus; "": the first that needs a value, "*": the first of all. */
  focusField: { node: string; field: string | null; stamp: number } | null;
  renaming: boolean;
  palette: boolean;
  outline: boolean;
  minimap: boolean;
  problemList: boolean;
}

export const CLOSED: UiState = {
  quickAdd: null,
  menu: null,
  dialog: null,
  panelOpen: false,
  panelTab: "setup",
  focusField: null,
  renaming: false,
  palette: false,
  outline: false,
  minimap: true,
  problemList: false,
};

export const useUi = create<UiState>(() => CLOSED);

export const ui = {
  reset: () => useUi.setState(CLOSED),
  set: (changes: Partial<UiState>) => useUi.setState(changes),
  get: () => useUi.getState(),
  openPanel(tab: PanelTab = "setup") {
    useUi.setState({ panelOpen: true, panelTab: tab });
  },
  /** Opens the panel of a step and puts the focus into it. */
  edit(node: string) {
    useUi.setState({ panelOpen: true, panelTab: "setup", focusField: { node, field: "*", stamp: Date.now() } });
  },
  quickAdd(anchor: Anchor, place: Place) {
    // Its search has the focus: a panel that is still loading must not take it.
    useUi.setState({ quickAdd: { anchor, place }, menu: null, focusField: null });
  },
};
