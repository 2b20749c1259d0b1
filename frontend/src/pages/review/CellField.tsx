import { useTranslation } from "react-i18next";

import type { ReviewColumn, ReviewRow } from "../../api/reviews";
import { cx, useFormatter } from "../../ui";
import { isPasteOfCells } from "../batch/edits";
import { cellText, inputText, isNumeric } from "../tables/words";
import { plainCell } from "./edits";
import css from "./review.module.css";
import type { RowsView } from "./Rows";

interface Props {
  view: RowsView;
  row: ReviewRow;
  column: ReviewColumn;
  place: number;
  at: number;
}

/** A cell that is changed where it stands. */
export function CellField({ view, row, column, place, at }: Props) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const typed = view.edits[row.number]?.cells[column.name];
  const cell = plainCell(row.data[column.name]);
  const yesNo = [t("common:yes"), t("common:no")] as const;
  const changed = column.name in row.prepared;
  // An amount with its places can be read in one way only; any other number, and a day, is written as the data have it.
  const shown = column.type === "amount" ? cellText(cell, column, format, yesNo) : inputText(cell);
  const name = `${column.label}, ${t("rows.rowName", { number: row.number })}`;
  const problem = row.problems.find((one) => one.column === column.name && typed === undefined && row.state !== "rejected");
  const wrong = view.wrong.has(`${row.number}/${column.name}`) || (view.told[row.number]?.fields[column.name] !== undefined && typed !== undefined);
  const title = changed ? t("rows.was", { value: cellText(plainCell(row.prepared[column.name]), column, format, yesNo) || "–" }) : problem?.text;
  if (column.type === "yes_no") {
    return (
      <select
        className={css.cell}
        aria-label={name}
        data-typed={typed !== undefined || undefined}
        value={typed ?? inputText(cell)}
        onChange={(event) => view.onType(row, column, event.currentTarget.value)}
      >
        <option value="">–</option>
        <option value="true">{yesNo[0]}</option>
        <option value="false">{yesNo[1]}</option>
      </select>
    );
  }
  return (
    <input
      className={cx(css.cell, isNumeric(column) && css.cellNumber)}
      aria-label={name}
      aria-invalid={wrong || problem !== undefined || undefined}
      data-typed={typed !== undefined || undefined}
      data-changed={changed || undefined}
      title={title}
      inputMode={isNumeric(column) ? "decimal" : undefined}
      value={typed ?? shown}
      onChange={(event) => view.onType(row, column, event.currentTarget.value)}
      onPaste={(event) => {
        const text = event.clipboardData.getData("text/plain");
        if (!isPasteOfCells(text)) return;
        event.preventDefault();
        view.onPaste(place, at, text);
      }}
    />
  );
}
