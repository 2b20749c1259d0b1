import type { ReactNode } from "react";

import { cx } from "./cx";
import css from "./lists.module.css";

/** Rows in a box, with a line between each two; with `sidesClass` each has two sides. */
export const rowsClass = css.rows;
export const sidesClass = css.sides;

interface OptionListProps<T> {
  id: string;
  label: string;
  items: readonly T[];
  /** Which one the keys are on. */
  at: number;
  keyOf: (item: T) => string;
  onPick: (item: T) => void;
  className?: string | undefined;
  children: (item: T) => ReactNode;
}

/** What is offered below a combobox, whose `aria-activedescendant` is `optionId`; the field keeps the focus. */
export function OptionList<T>({ id, label, items, at, keyOf, onPick, className, children }: OptionListProps<T>) {
  return (
    <div className={cx(css.options, className)} id={id} role="listbox" aria-label={label} tabIndex={-1}>
      {items.map((item, index) => (
        <div
          key={keyOf(item)}
          id={optionId(id, index)}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(item);
          }}
        >
          {children(item)}
        </div>
      ))}
    </div>
  );
}

export const optionId = (list: string, at: number): string => `${list}-${at}`;
