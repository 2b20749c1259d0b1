/** Which field data is picked for. One at a time: the field that has the focus. */
import { create } from "zustand";

export const FLYOUT_WIDTH = 290;
/** What a card and the rail need beside the list. */
const CARD_ROOM = 320;

/** Whether the list lies left of the panel whose left edge this is: only where a card still has room beside it. */
export function liesBeside(edge: number): boolean {
  return edge - FLYOUT_WIDTH >= CARD_ROOM;
}

export interface PickTarget {
  id: string;
  /** Puts a path or a call where the cursor is. */
  insert(expression: string, caret?: number): void;
  element: HTMLElement;
}

interface PickerState {
  target: PickTarget | null;
  /** The flyout was closed for this field by hand. */
  dismissed: string | null;
}

export const usePicker = create<PickerState>(() => ({ target: null, dismissed: null }));

export const picker = {
  open(target: PickTarget) {
    usePicker.setState((before) => ({ target, dismissed: before.dismissed === target.id ? before.dismissed : null }));
  },
  /** The field lost the focus: to the flyout (stays), or to something else (goes). */
  leave(id: string) {
    setTimeout(() => {
      const { target } = usePicker.getState();
      const inside = document.activeElement?.closest("[data-flyout]");
      if (target?.id === id && !inside && !target.element.contains(document.activeElement)) usePicker.setState({ target: null });
    }, 0);
  },
  dismiss() {
    usePicker.setState((before) => ({ dismissed: before.target?.id ?? null }));
  },
  show() {
    usePicker.setState({ dismissed: null });
  },
  close() {
    usePicker.setState({ target: null, dismissed: null });
  },
};
