import { useTranslation } from "react-i18next";

import type { FactTable as Table } from "../../api/tasks";
import { useWidth } from "../../ui/useWidth";
import css from "./facts.module.css";

/** Narrower than this a table would have to be pushed about. */
const PHONE = 600;

/** A fact that is a list: a table, and on a phone a block for each row. */
export function FactTable({ label, table }: { label: string; table: Table }) {
  const { t } = useTranslation("inbox");
  const phone = useWidth() < PHONE;
  const more = [
    table.more > 0 && t("factTable.more", { count: table.more }),
    table.more_columns > 0 && t("factTable.moreColumns", { count: table.more_columns }),
  ].filter(Boolean);
  return (
    <>
      {phone ? (
        <ul className={css.cards} aria-label={label}>
          {table.rows.map((row, at) => (
            // oxlint-disable-next-line react/no-array-index-key -- rows have no name, and none ever moves
            <li key={at}>
              <dl>
                {table.columns.map(({ name, number }, column) => (
                  // oxlint-disable-next-line react/no-array-index-key -- two names may be alike once they are shortened
                  <div key={column}>
                    <dt>{name}</dt>
                    <dd data-number={number || undefined}>{row[column] || "–"}</dd>
                  </div>
                ))}
              </dl>
            </li>
          ))}
        </ul>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys
        <div className={css.scroll} tabIndex={0} role="group" aria-label={label}>
          <table className={css.table} aria-label={label}>
            <thead>
              <tr>
                {table.columns.map(({ name, number }, column) => (
                  // oxlint-disable-next-line react/no-array-index-key -- two names may be alike once they are shortened
                  <th key={column} scope="col" data-number={number || undefined}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, at) => (
                // oxlint-disable-next-line react/no-array-index-key -- rows have no name, and none ever moves
                <tr key={at}>
                  {table.columns.map(({ number }, column) => (
                    // oxlint-disable-next-line react/no-array-index-key -- columns never move
                    <td key={column} data-number={number || undefined}>
                      {row[column] || "–"}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more.length > 0 && <p className={css.more}>{more.join(" · ")}</p>}
    </>
  );
}
