import { useMediaQuery } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Check, KeyRound, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkspace } from "../../api/session";
import { type DataRow, type DataTable, deleteRow, refreshTables, type Shown, type TableColumn } from "../../api/tables";
import { ConfirmDialog, cx, ErrorCard, IconButton, numClass, showToast, tableBoxClass, tableClass, tableFootClass, Time, useFormatter } from "../../ui";
import { RowDialog, RowEditor } from "./RowEditor";
import css from "./tables.module.css";
import { cellText, isNumeric } from "./words";

interface Props {
  table: DataTable;
  rows: readonly DataRow[];
  shown: Shown;
  mayFill: boolean;
  adding: boolean;
  onAdding: (on: boolean) => void;
  onSort: (sort: string, descending: boolean) => void;
  more: ReactNode;
}

/** The rows of a table; one of them can be changed where it stands, and a new one is typed above them. */
export function Grid({ table, rows, shown, mayFill, adding, onAdding, onSort, more }: Props) {
  const { t } = useTranslation("tables");
  const [editing, setEditing] = useState<{ id: string; column: string } | null>(null);
  // There a row of fields would have to be pushed to and fro.
  const isNarrow = useMediaQuery("(max-width: 899px)", undefined, { getInitialValueInEffect: false });
  const edited = rows.find((one) => one.id === editing?.id);
  const [deleting, setDeleting] = useState<DataRow | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const back = useRef<string | null>(null);
  // What opened the row's fields has the focus again when they are gone.
  useEffect(() => {
    if (editing !== null || back.current === null) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-row="${back.current}"] button`);
    back.current = null;
    if (document.activeElement === document.body) row?.focus();
  }, [editing]);
  const stop = (): void => {
    back.current = editing?.id ?? null;
    setEditing(null);
  };
  return (
    <div className={cx(tableBoxClass, css.gridBox)} ref={box}>
      <table className={cx(tableClass, css.grid)} aria-label={table.name}>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <Head key={column.id} column={column} shown={shown} onSort={onSort} />
            ))}
            <th scope="col">{t("column.changed")}</th>
            {mayFill && (
              <th scope="col">
                <span className="srOnly">{t("column.actions")}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {adding && !isNarrow && <RowEditor table={table} row={null} onDone={() => onAdding(false)} />}
          {rows.map((row) =>
            editing?.id === row.id && !isNarrow ? (
              <RowEditor key={row.id} table={table} row={row} first={editing.column} onDone={stop} />
            ) : (
              <Line
                key={row.id}
                table={table}
                row={row}
                mayFill={mayFill}
                onEdit={(column) => setEditing({ id: row.id, column })}
                onDelete={() => setDeleting(row)}
              />
            ),
          )}
        </tbody>
      </table>
      {more && <div className={tableFootClass}>{more}</div>}
      {isNarrow && adding && <RowDialog table={table} row={null} onDone={() => onAdding(false)} />}
      {isNarrow && edited && <RowDialog key={edited.id} table={table} row={edited} onDone={stop} />}
      {deleting && <DeleteRowDialog table={table} row={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function Head({ column, shown, onSort }: { column: TableColumn; shown: Shown; onSort: Props["onSort"] }) {
  const { t } = useTranslation("tables");
  const on = shown.sort === column.name;
  const next = (): void => {
    if (!on) onSort(column.name, false);
    else if (!shown.descending) onSort(column.name, true);
    else onSort("", true);
  };
  return (
    <th scope="col" className={isNumeric(column) ? numClass : undefined} aria-sort={on ? (shown.descending ? "descending" : "ascending") : undefined}>
      <button type="button" className={css.sort} onClick={next} title={t("sort", { name: column.name })}>
        {column.key && <KeyRound size={12} aria-label={t("columns.key")} />}
        {column.name}
        {on && (shown.descending ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />)}
      </button>
    </th>
  );
}

/** What people call a row: its key, else what stands in its first column. */
function useRowName(table: DataTable): (row: DataRow) => string {
  const { t } = useTranslation("common");
  const format = useFormatter();
  const keys = table.columns.filter((column) => column.key);
  const named = keys.length > 0 ? keys : table.columns.slice(0, 1);
  return (row) => named.map((column) => cellText(row.values[column.name] ?? null, column, format, [t("yes"), t("no")])).join(", ") || t("nobody");
}

function Line(props: { table: DataTable; row: DataRow; mayFill: boolean; onEdit: (column: string) => void; onDelete: () => void }) {
  const { t } = useTranslation(["tables", "common"]);
  const format = useFormatter();
  const { table, row, mayFill } = props;
  const name = useRowName(table)(row);
  return (
    <tr data-row={row.id}>
      {table.columns.map((column) => {
        const cell = row.values[column.name] ?? null;
        const text = cellText(cell, column, format, [t("common:yes"), t("common:no")]);
        return (
          <td
            key={column.id}
            className={cx(css.cell, isNumeric(column) && cx(numClass, "tn"))}
            // A mouse's short way; the keyboard and fingers have the button at the end of the row.
            onDoubleClick={mayFill ? () => props.onEdit(column.name) : undefined}
          >
            {cell === true ? (
              <span className={css.yes}>
                <Check size={14} aria-hidden />
                {text}
              </span>
            ) : (
              <span title={text.length > 40 ? text : undefined}>{text}</span>
            )}
          </td>
        );
      })}
      <td className={css.changed}>
        {row.run ? (
          <Link to="/runs/$runId" params={{ runId: row.run }}>
            {t("byRun")}
          </Link>
        ) : (
          <span>{row.by ?? ""}</span>
        )}
        <Time at={row.changed_at} />
      </td>
      {mayFill && (
        <td>
          <span className={css.actions}>
            <IconButton size="sm" label={t("row.edit", { name })} icon={<Pencil size={15} />} onClick={() => props.onEdit("")} />
            <IconButton size="sm" label={t("row.delete", { name })} icon={<Trash2 size={15} />} onClick={props.onDelete} />
          </span>
        </td>
      )}
    </tr>
  );
}

function DeleteRowDialog({ table, row, onClose }: { table: DataTable; row: DataRow; onClose: () => void }) {
  const { t } = useTranslation("tables");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const name = useRowName(table)(row);
  const remove = useMutation({
    mutationFn: () => deleteRow(workspace, table.id, row),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("row.deleted", { name }) });
      await refreshTables(client, workspace, table.id);
    },
    onError: () => refreshTables(client, workspace, table.id),
  });
  return (
    <ConfirmDialog opened onClose={onClose} title={t("row.deleteTitle", { name })} confirm={t("row.deleteConfirm")} variant="dangerFilled" busy={remove.isPending} onConfirm={() => remove.mutate()}>
      {remove.isError && <ErrorCard title={t("row.deleteFailed")} error={remove.error} />}
      <p>{t("row.deleteText")}</p>
    </ConfirmDialog>
  );
}
