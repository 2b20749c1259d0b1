import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { PAGE } from "../../api/reviews";
import { cx, numClass, tableClass } from "../../ui";
import { isNumeric } from "../tables/words";
import { Line } from "./Line";
import css from "./review.module.css";
import type { RowsView } from "./Rows";

/** Of one row, in pixels: a row that is not drawn takes as much room. */
const HEIGHT = 46;
const BEYOND = 12;

interface Props {
  view: RowsView;
  loading: boolean;
  onPages: (pages: readonly number[]) => void;
  onPickAll: (() => void) | undefined;
  onPickNone: () => void;
}

/** The rows as a table of which only what is seen is drawn and fetched: 12,000 scroll like twelve. */
export function Grid({ view, loading, onPages, onPickAll, onPickNone }: Props) {
  const { t } = useTranslation("reviews");
  const { review, total } = view;
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ first: 0, last: 30 });
  const look = (): void => {
    const { current } = box;
    if (!current) return;
    const first = Math.max(0, Math.floor(current.scrollTop / HEIGHT) - BEYOND);
    const last = Math.ceil((current.scrollTop + current.clientHeight) / HEIGHT) + BEYOND;
    setSeen((before) => (before.first === first && before.last === last ? before : { first, last }));
  };
  useEffect(look, [total]);
  const last = Math.min(seen.last, total);
  const first = Math.min(seen.first, Math.max(0, last - 1));
  const [from, to] = [Math.floor(first / PAGE), Math.floor(Math.max(0, last - 1) / PAGE)];
  useEffect(() => {
    const timer = setTimeout(() => onPages(Array.from({ length: to - from + 1 }, (_, at) => from + at)), 60);
    return () => clearTimeout(timer);
  }, [from, to, onPages]);
  const places = useMemo(() => Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at), [first, last]);
  const all = view.picked.size > 0 && view.picked.size === total;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys
    <div className={css.grid} ref={box} onScroll={look} aria-busy={loading} role="group" aria-label={t("rows.table")} tabIndex={0} data-testid="review-grid">
      <table className={tableClass} aria-label={t("rows.table")} aria-rowcount={total + 1}>
        <thead>
          <tr>
            {review.may_edit && (
              <th scope="col" className={css.pick}>
                <input type="checkbox" aria-label={t("rows.pickAll")} checked={all} disabled={!onPickAll && !all} onChange={() => (all ? onPickNone() : onPickAll?.())} />
              </th>
            )}
            <th scope="col" className={numClass}>{t("rows.number")}</th>
            {review.columns.map((column) => (
              <th key={column.name} scope="col" className={isNumeric(column) ? numClass : undefined}>
                {column.label}
              </th>
            ))}
            <th scope="col">{t("rows.state")}</th>
            {review.may_edit && (
              <th scope="col" className={css.acts}>
                <span className="srOnly">{t("rows.actions")}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <Gap height={first * HEIGHT} />}
          {places.map((place) => {
            const row = view.rows[place];
            return row ? (
              <Line key={row.number} view={view} row={row} place={place} />
            ) : (
              <tr key={`at ${place}`} aria-rowindex={place + 2} className={css.ghost}>
                <td colSpan={99} className={cx(css.faint)}>…</td>
              </tr>
            );
          })}
          {last < total && <Gap height={(total - last) * HEIGHT} />}
        </tbody>
      </table>
    </div>
  );
}

function Gap({ height }: { height: number }) {
  return (
    <tr aria-hidden className={css.gap}>
      {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label -- it stands for rows that are not drawn */}
      <td colSpan={99} style={{ height }} />
    </tr>
  );
}
