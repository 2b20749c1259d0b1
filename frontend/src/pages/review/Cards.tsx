import { useTranslation } from "react-i18next";

import type { ReviewRow } from "../../api/reviews";
import { Button } from "../../ui";
import { CellField } from "./CellField";
import { Acts, Shown, State } from "./Line";
import css from "./review.module.css";
import type { RowsView } from "./Rows";

/** The rows on a phone: one below the other, each with its columns. */
export function Cards({ view, onMore }: { view: RowsView; onMore: () => void }) {
  const { t } = useTranslation("reviews");
  const there = view.rows.filter((row): row is ReviewRow => row !== undefined);
  return (
    <>
      <ul className={css.cards}>
        {there.map((row, place) => (
          <li key={row.number} data-testid={`row-${row.number}`} data-state={row.state || undefined}>
            <div className={css.cardHead}>
              <span className="tn">{t("rows.rowName", { number: row.number })}</span>
              {view.review.may_edit && <Acts view={view} row={row} words />}
            </div>
            <dl>
              {view.review.columns.map((column, at) => (
                <div key={column.name}>
                  <dt>{column.label}</dt>
                  <dd>
                    {column.editable && view.review.may_edit ? <CellField view={view} row={row} column={column} place={place} at={at} /> : <Shown row={row} column={column} />}
                  </dd>
                </div>
              ))}
            </dl>
            <State view={view} row={row} />
          </li>
        ))}
      </ul>
      {there.length < view.total && (
        <div className={css.more}>
          <Button onClick={onMore}>{t("more")}</Button>
        </div>
      )}
    </>
  );
}
