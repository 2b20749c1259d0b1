import type { ReactNode } from "react";

import css from "./run.module.css";

const ID = "run-title";

/** How the run is called, in the bar. It takes the focus when the button that had it is gone. */
export function RunTitle({ name }: { name: ReactNode }) {
  return (
    <span id={ID} tabIndex={-1} className={css.title} title={typeof name === "string" ? name : undefined}>
      {name}
    </span>
  );
}

/** A dialog gives the focus back to what opened it, and only then is that gone. */
const AFTER_DIALOG = 200;

export function focusTitle(): void {
  const closing = document.activeElement?.closest('[role="dialog"]');
  setTimeout(() => {
    const open = document.activeElement?.closest('[role="dialog"]');
    // Whoever was quick has the next dialog before them by then.
    if (!open || open === closing) document.getElementById(ID)?.focus({ preventScroll: true });
  }, AFTER_DIALOG);
}
