import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, keyForEach } from "../../api/client";
import { useWorkspace } from "../../api/session";
import { addRow, type Cell, changeRow, type DataRow, type DataTable, refreshTables, type TableColumn } from "../../api/tables";
import { useNumberWords } from "../../inspector/numberWords";
import { Button, cx, showToast, useErrorText } from "../../ui";
import fields from "../../ui/fields.module.css";
import css from "./tables.module.css";
import { inputText, isNumeric, typedCell } from "./words";

interface Props {
  table: DataTable;
  /** None: a new one. */
  row: DataRow | null;
  /** The column that was meant. */
  first?: string;
  onDone: () => void;
}

/** A row whose cells are fields: Enter saves, Esc leaves it as it was. After a new one there is room for the next. */
export function RowEditor({ table, row, first = "", onDone }: Props) {
  const { t } = useTranslation(["tables", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const words = useErrorText();
  const numberWords = useNumberWords();
  const form = useId();
  const line = useRef<HTMLTableRowElement>(null);
  const [texts, setTexts] = useState<Record<string, string>>(() => before(table, row));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [keyFor] = useState(keyForEach);
  const focus = (name: string): void => {
    const input = line.current?.querySelector<HTMLElement>(name ? `[data-column="${CSS.escape(name)}"]` : "[data-column]");
    input?.focus();
    if (input instanceof HTMLInputElement && input.type === "text") input.select();
  };
  useEffect(() => focus(first), [first]);
  const save = useMutation({
    mutationFn: async (values: Record<string, Cell>) =>
      row ? changeRow(workspace, table.id, row, values, keyFor(values)) : addRow(workspace, table.id, values, keyFor(values)),
    onSuccess: async () => {
      showToast({ title: row ? t("row.changed") : t("row.added") });
      if (row) onDone();
      else {
        setTexts(before(table, null));
        focus("");
      }
      await refreshTables(client, workspace, table.id);
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return;
      const found = Object.entries(error.fields).map(([path, said]) => [path.replace(/^values\./, ""), said[0] ?? ""]);
      const told = Object.fromEntries(found) as Record<string, string>;
      setProblems(told);
      const at = table.columns.find((column) => told[column.name]);
      if (at) focus(at.name);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const wrong: Record<string, string> = {};
    const values: Record<string, Cell> = {};
    for (const column of table.columns) {
      const text = texts[column.name] ?? "";
      // What was not touched goes back as it is: only what was changed is sent.
      if (row && text === inputText(row.values[column.name])) continue;
      const typed = typedCell(text, column);
      if (typed.kind === "wrong") wrong[column.name] = numberWords(typed.read) ?? "";
      else if (typed.value === null && (column.required || column.key)) wrong[column.name] = t("row.needed");
      else values[column.name] = typed.value;
    }
    setProblems(wrong);
    const at = table.columns.find((column) => wrong[column.name] !== undefined);
    if (at) focus(at.name);
    else if (row && Object.keys(values).length === 0) onDone();
    else if (!save.isPending) save.mutate(values);
  };
  const failed = save.isError && Object.keys(problems).length === 0 ? words(save.error) : null;
  return (
    <>
      <tr
        ref={line}
        className={css.editing}
        aria-label={row ? undefined : t("row.new")}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone();
        }}
      >
        {table.columns.map((column, at) => (
          <td key={column.id}>
            {/* Fields of a row of a table cannot stand in one form: they name it. */}
            {at === 0 && <form id={form} onSubmit={submit} />}
            <Input
              form={form}
              column={column}
              text={texts[column.name] ?? ""}
              problem={problems[column.name]}
              onChange={(text) => {
                setTexts((all) => ({ ...all, [column.name]: text }));
                setProblems(({ [column.name]: _gone, ...others }) => others);
              }}
            />
          </td>
        ))}
        <td colSpan={2} aria-label={t("column.actions")}>
          <span className={css.actions}>
            <Button type="submit" form={form} size="sm" variant="primary" busy={save.isPending}>
              {row ? t("common:action.save") : t("row.addThis")}
            </Button>
            <Button size="sm" onClick={onDone}>
              {row ? t("common:action.cancel") : t("common:action.close")}
            </Button>
          </span>
        </td>
      </tr>
      {failed && (
        <tr className={css.failed}>
          <td colSpan={table.columns.length + 2}>
            <p role="alert" className={css.wrong}>
              {failed.title} {failed.text}
              {save.error instanceof ApiError && save.error.code === "row_changed" && (
                <Button
                  size="sm"
                  onClick={() => {
                    onDone();
                    void refreshTables(client, workspace, table.id);
                  }}
                >
                  {t("row.showNew")}
                </Button>
              )}
            </p>
          </td>
        </tr>
      )}
    </>
  );
}

function before(table: DataTable, row: DataRow | null): Record<string, string> {
  return Object.fromEntries(table.columns.map((column) => [column.name, inputText(row?.values[column.name])]));
}

function Input(props: { form: string; column: TableColumn; text: string; problem: string | undefined; onChange: (text: string) => void }) {
  const { t } = useTranslation("common");
  const { form, column, text, problem, onChange } = props;
  const id = useId();
  const shared = {
    form,
    "data-column": column.name,
    "aria-label": column.name,
    "aria-required": column.required || column.key || undefined,
    "aria-invalid": problem === undefined ? undefined : true,
    "aria-describedby": problem === undefined ? undefined : id,
  };
  return (
    <>
      {column.type === "yes_no" ? (
        <select {...shared} className={fields.input} value={text} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">–</option>
          <option value="true">{t("yes")}</option>
          <option value="false">{t("no")}</option>
        </select>
      ) : (
        <input
          {...shared}
          className={cx(fields.input, isNumeric(column) && css.inputNumber)}
          type={column.type === "date" ? "date" : "text"}
          inputMode={isNumeric(column) ? "decimal" : undefined}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {problem !== undefined && (
        <small id={id} className={css.wrong}>
          {problem}
        </small>
      )}
    </>
  );
}
