/** The focus goes back to what opened a dialog, however that goes away. */
import { useEffect, useMemo } from "react";

/** What had the focus last. A menu may be gone, and the focus lost, before the dialog that it opens is there. */
let last: Element | null = null;
document.addEventListener("focusin", (event) => {
  last = event.target instanceof Element ? event.target : null;
});

/** What is asked to take the focus: the element itself, or, of a menu that closes behind it, the button of that menu. */
function openerOf(element: Element | null): HTMLElement | null {
  const menu = element?.closest('[role="menu"]');
  const opener = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : element;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}

function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** How often is looked, and until when: a dialog fades, and a busy machine draws that out. */
const EVERY = 20;
const AT_LEAST = 600;
const AT_MOST = 8000;

/** Whose turn it is: where another dialog came since, or the focus has gone elsewhere, nothing is given back any more. */
let turn = 0;

function giveBack(opener: HTMLElement | null): void {
  turn += 1;
  const mine = turn;
  const fading = document.activeElement?.closest('[role="dialog"]') ?? null;
  const since = performance.now();
  const look = (): void => {
    if (mine !== turn) return;
    const waited = performance.now() - since;
    if (isLost()) opener?.focus({ preventScroll: true });
    // What opened it may be gone with what was done: the page is still there, with a beginning of its own or none.
    if (isLost() && waited >= AT_LEAST) {
      const content = document.getElementById("content");
      (content?.querySelector<HTMLElement>("[data-home]") ?? content)?.focus({ preventScroll: true });
    }
    // A dialog that fades has it still, and will lose it.
    if (!isLost() && !fading?.contains(document.activeElement)) return;
    if (waited < AT_MOST) setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}

/** Mantine gives back what it saw being taken: not where a dialog is there from its beginning or is taken away as a whole. */
export function useGiveBack(opened: boolean): void {
  const opener = useMemo(() => (opened ? openerOf(isLost() ? last : document.activeElement) : null), [opened]);
  useEffect(() => {
    if (!opened) return;
    turn += 1;
    return () => giveBack(opener);
  }, [opened, opener]);
}
