import type { ReactNode } from "react";

import { useSheet } from "../../ui";
import css from "./run.module.css";

/** A panel that rises from the bottom of a small screen. Focus stays in it and returns to what opened it. */
export function PhoneSheet(props: { label: string; onClose: () => void; children: ReactNode }) {
  const trap = useSheet(true);
  return (
    <div className={css.sheetBack} onClick={props.onClose} role="presentation">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keeps clicks from the scrim, takes Esc */}
      <div
        ref={trap}
        className={css.sheet}
        role="dialog"
        aria-modal="true"
        aria-label={props.label}
        onClick={(event) => event.stopPropagation()}
        onKeyDown={(event) => event.key === "Escape" && props.onClose()}
      >
        {props.children}
      </div>
    </div>
  );
}
