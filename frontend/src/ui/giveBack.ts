/** The focus goes back to what opened a dialog, however that goes away. */
import { useEffect, useMemo } from "react";

/** What is asked to take the focus: the element itself, or, of a menu that closes behind it, the button of that menu. */
function openerOf(element: Element | null): HTMLElement | null {
  const menu = element?.closest('[role="menu"]');
  const opener = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : element;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}

function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** As soon as it is gone, and once more when its fading has ended. */
const GONE = [20, 160] as const;

/** Mantine gives back what it saw being taken: not where a dialog is there from its beginning or is taken away as a whole. */
export function useGiveBack(opened: boolean): void {
  const opener = useMemo(() => (opened ? openerOf(document.activeElement) : null), [opened]);
  useEffect(() => {
    if (!opened) return;
    return () => {
      for (const ms of GONE) {
        setTimeout(() => {
          if (isLost()) opener?.focus({ preventScroll: true });
          // What opened it may be gone with what was done: the page is still there.
          if (isLost() && ms === GONE[1]) document.getElementById("content")?.focus({ preventScroll: true });
        }, ms);
      }
    };
  }, [opened, opener]);
}
