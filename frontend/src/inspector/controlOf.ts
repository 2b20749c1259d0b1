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
