import { useFocusTrap } from "@mantine/hooks";
import { type RefCallback, useLayoutEffect } from "react";

/** For a panel that lies over the page: the focus goes in, stays in while `open`, and returns to what opened it. */
export function useSheet(open: boolean): RefCallback<HTMLElement | null> {
  const trap = useFocusTrap(open);
  // Before the trap takes the focus.
  useLayoutEffect(() => {
    if (!open) return;
    const opener = document.activeElement;
    return () => {
      // By then the panel is gone, and with it the focus, unless something else has taken it.
      setTimeout(() => {
        const lost = document.activeElement === document.body || document.activeElement === null;
        if (lost && opener instanceof HTMLElement && opener.isConnected) opener.focus();
      }, 0);
    };
  }, [open]);
  return trap;
}
