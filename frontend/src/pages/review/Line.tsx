import { Check, RotateCcw, X } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { ReviewRow } from "../../api/reviews";
import { Chip, cx, IconButton, numClass, useFormatter } from "../../ui";
import { cellText, isNumeric } from "../tables/words";
import { CellField } from "./CellField";
import { plainCell } from "./edits";
import css from "./review.module.css";
import type { RowsView } from "./Rows";

/** One row of the table. */
export function Line({ view, row, place }: { view: RowsView; row: ReviewRow; place: number }) {
  const { t } = useTranslation("reviews");
  const { review } = view;
  return (
    <tr aria-rowindex={place + 2} data-testid={`row-${row.number}`} data-state={row.state || undefined} data-picked={view.picked.has(row.number) || undefined}>
      {review.may_edit && (
        <td className={css.pick}>
          <input type="checkbox" aria-label={t("rows.pick", { number: row.number })} checked={view.picked.has(row.number)} onChange={() => view.onPick(row)} />
        </td>
      )}
      <td className={cx(numClass, "tn", css.faint)}>{row.number}</td>
      {review.columns.map((column, at) => (
        <td key={column.name} className={isNumeric(column) ? cx(numClass, "tn") : undefined}>
          {column.editable && review.may_edit ? <CellField view={view} row={row} column={column} place={place} at={at} /> : <Shown row={row} column={column} />}
        </td>
      ))}
      <td className={css.stateCell}>
        <State view={view} row={row} />
      </td>
      {review.may_edit && (
        <td className={css.acts}>
          <Acts view={view} row={row} />
        </td>
      )}
    </tr>
  );
}

export function Shown({ row, column }: { row: ReviewRow; column: RowsView["review"]["columns"][number] }) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const yesNo = [t("common:yes"), t("common:no")] as const;
  const text = cellText(plainCell(row.data[column.name]), column, format, yesNo);
  const changed = column.name in row.prepared;
  const before = changed ? t("rows.was", { value: cellText(plainCell(row.prepared[column.name]), column, format, yesNo) || "–" }) : undefined;
  return (
    <span className={css.shown} data-changed={changed || undefined} title={before ?? (text.length > 30 ? text : undefined)}>
      {text || "–"}
      {before && <span className="srOnly"> ({before})</span>}
    </span>
  );
}

/** What is the matter with the row, or what somebody said of it. */
export function State({ view, row }: { view: RowsView; row: ReviewRow }) {
  const { t } = useTranslation("reviews");
  const told = view.told[row.number];
  if (told) {
    return (
      <span className={css.wrong} role="alert" title={told.message}>
        {told.outcome === "conflict" ? <Conflict view={view} row={row} name={told.row?.changed_by ?? ""} /> : told.message}
      </span>
    );
  }
  const said = row.problems.map((one) => one.text).join(" ");
  if (row.state === "rejected") {
    return (
      <span className={css.state} title={row.reason}>
        <Chip tone="err">{t("rows.rejected")}</Chip> <span>{row.reason}</span>
      </span>
    );
  }
  if (row.todo) {
    const blocking = row.problems.some((one) => one.level === "blocking");
    return (
      <span className={css.state} title={said}>
        <Chip tone={blocking ? "err" : "wait"}>{t(blocking ? "rows.mend" : "rows.decide")}</Chip> <span>{said}</span>
      </span>
    );
  }
  if (row.state === "accepted") {
    return (
      <span className={css.state} title={said}>
        <Chip tone="ok">{t("rows.accepted")}</Chip> <span>{[said, row.changed_by].filter(Boolean).join(" · ")}</span>
      </span>
    );
  }
  return Object.keys(row.prepared).length > 0 ? (
    <span className={css.state}>
      <Chip tone="idle">{t("rows.changedBy", { name: row.changed_by })}</Chip>
    </span>
  ) : null;
}

/** What stands there now, in the cells that somebody here has typed into. */
function Conflict({ view, row, name }: { view: RowsView; row: ReviewRow; name: string }) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const typed = Object.keys(view.edits[row.number]?.cells ?? {});
  const yesNo = [t("common:yes"), t("common:no")] as const;
  const now = view.review.columns
    .filter((column) => typed.includes(column.name))
    .map((column) => `${column.label} ${cellText(plainCell(row.data[column.name]), column, format, yesNo) || "–"}`);
  return <>{now.length > 0 ? t("rows.conflictOver", { name, now: now.join(", ") }) : t("rows.conflict", { name })}</>;
}

export function Acts({ view, row, words = false }: { view: RowsView; row: ReviewRow; words?: boolean }) {
  const { t } = useTranslation("reviews");
  const blocking = row.problems.some((one) => one.level === "blocking");
  const unsaved = view.edits[row.number] !== undefined;
  const size = words ? "md" : "sm";
  return (
    <span className={css.actsRow}>
      {row.todo && !blocking && (
        <IconButton size={size} label={t("rows.acceptOne", { number: row.number })} icon={<Check size={16} />} disabled={unsaved} onClick={() => view.onState(row, "accepted")} />
      )}
      {row.state !== "rejected" && (
        <IconButton size={size} label={t("rows.rejectOne", { number: row.number })} icon={<X size={16} />} disabled={unsaved} onClick={() => view.onState(row, "rejected")} />
      )}
      {row.state !== "" && (
        <IconButton size={size} label={t("rows.reopenOne", { number: row.number })} icon={<RotateCcw size={15} />} disabled={unsaved} onClick={() => view.onState(row, "")} />
      )}
    </span>
  );
}
