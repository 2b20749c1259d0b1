import { useCallback, useEffect, useRef } from "react";

/** Wishes for the focus that have been met: a panel that opens again must not take it again. */
export const handled = new WeakSet<object>();

/** What takes the focus in the row of a field; the "?" beside its label does not count. */
export function controlOf(row: HTMLElement | null | undefined): HTMLElement | null {
  return (
    row?.querySelector<HTMLElement>("[role=textbox], input, select, textarea") ??
    row?.querySelector<HTMLElement>("button[role=switch], button[aria-pressed]") ??
    row?.querySelector<HTMLElement>(":scope > :not(:first-child) button, :scope > button") ??
    null
  );
}

/**
 * Tells whether somebody has gone to a place in the panel by themselves since this focus was asked for. The panel is drawn
 * first, on a slow machine for long enough to click into it and to type.
 */
export function useGone(focus: object | null): () => boolean {
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
  }, [focus]);
  return useCallback(() => {
    const at = document.activeElement;
    return at !== before.current && at?.closest("[data-panel]") != null && !at.matches("[data-heading]");
  }, []);
}
