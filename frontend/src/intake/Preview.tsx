import { useTranslation } from "react-i18next";

import type { ExpectedColumn, SeenRow, TableLook } from "../api/intake";
import { isJsonObject, type Json } from "../graph";
import { cx, type Formatter, numClass, tableClass, useFormatter } from "../ui";
import { usesOf } from "./intake";
import css from "./intake.module.css";

/** The first rows as they are understood, with what does not fit marked. */
export function Preview({ look, columns }: { look: TableLook; columns: readonly ExpectedColumn[] }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const uses = usesOf(look.columns, look.sources);
  const columnOf = (header: string): ExpectedColumn | undefined => columns.find((column) => column.name === uses.get(header));
  return (
    // A table that is wider than the screen is moved by keys, too.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
    <div className={css.preview} role="region" aria-label={t("preview.label", { count: look.rows.length })} tabIndex={0}>
      <table className={cx(tableClass, css.table)}>
        <thead>
          <tr>
            <th scope="col" className={numClass}>
              {t("preview.row")}
            </th>
            {look.columns.map(({ name, kind }) => {
              const column = columnOf(name);
              return (
                <th key={name} scope="col" data-used={column !== undefined || undefined} className={column && isNumeric(column) ? numClass : undefined}>
                  {name}
                  <small>{column ? [...new Set([column.label, t(`type.${column.type}`)])].join(" · ") : t("preview.unused", { kind: t(`kind.${kind}`) })}</small>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {look.rows.map((row) => (
            <tr key={row.number}>
              <td className={numClass}>{row.number}</td>
              {look.columns.map(({ name }, at) => (
                <Cell key={name} row={row} raw={row.cells[at] ?? ""} column={columnOf(name)} format={format} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const isNumeric = ({ type }: ExpectedColumn): boolean => type === "number" || type === "amount";

function Cell({ row, raw, column, format }: { row: SeenRow; raw: string; column: ExpectedColumn | undefined; format: Formatter }) {
  const { t } = useTranslation("intake");
  if (!column) return <td className={css.unused}>{raw}</td>;
  const misfit = row.misfits.find((one) => one.column === column.name);
  if (misfit) {
    return (
      <td className={css.misfit}>
        {raw || t("preview.empty")}
        <small>{t(`misfit.${misfit.code}`, { currency: column.currency })}</small>
      </td>
    );
  }
  return <td className={isNumeric(column) ? numClass : undefined}>{shown(row.values[column.name], column, format, t)}</td>;
}

function shown(value: Json | undefined, column: ExpectedColumn, format: Formatter, t: (key: string) => string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (column.type === "date" && typeof value === "string") return format.in("UTC").day(value);
  if (typeof value === "number") return format.number(value, { maximumFractionDigits: 20 });
  if (isJsonObject(value)) return format.amount(Number(value["amount"]), column.currency);
  return String(value);
}
