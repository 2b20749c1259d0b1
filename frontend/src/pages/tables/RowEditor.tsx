import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, keyForEach } from "../../api/client";
import { useWorkspace } from "../../api/session";
import { addRow, type Cell, changeRow, type DataRow, type DataTable, refreshTables, type TableColumn } from "../../api/tables";
import { useNumberWords } from "../../inspector/numberWords";
import { Button, cx, Dialog, showToast, useErrorText } from "../../ui";
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

interface RowForm {
  /** Fields of a row of a table cannot stand in one form: they name it. */
  id: string;
  texts: Record<string, string>;
  problems: Record<string, string>;
  busy: boolean;
  /** What the row as a whole was refused for. */
  failed: { title: string; text: string; isChanged: boolean } | null;
  change: (column: string, text: string) => void;
  submit: (event: FormEvent) => void;
  /** Leave it, and show the row as it is now. */
  showNew: () => void;
}

/** Gives the field of this column the focus, or the first one. */
function focusIn(place: HTMLElement | null, name: string): void {
  const input = place?.querySelector<HTMLElement>(name ? `[data-column="${CSS.escape(name)}"]` : "[data-column]");
  input?.focus();
  if (input instanceof HTMLInputElement && input.type === "text") input.select();
}

/** What is typed into a row, whose fields are in `place`. After a new one there is room for the next. */
function useRowForm({ table, row, first = "", onDone }: Props, place: RefObject<HTMLElement | null>): RowForm {
  const { t } = useTranslation("tables");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const words = useErrorText();
  const numberWords = useNumberWords();
  const id = useId();
  const [texts, setTexts] = useState<Record<string, string>>(() => before(table, row));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [keyFor] = useState(keyForEach);
  /** What was typed since the row went off: it is of the next one. */
  const since = useRef(new Set<string>());
  useEffect(() => focusIn(place.current, first), [first, place]);
  const save = useMutation({
    mutationFn: async (values: Record<string, Cell>) =>
      row ? changeRow(workspace, table.id, row, values, keyFor(values)) : addRow(workspace, table.id, values, keyFor(values)),
    onSuccess: async () => {
      showToast({ title: row ? t("row.changed") : t("row.added") });
      if (row) onDone();
      else {
        const ofNext = since.current;
        setTexts((now) => ({ ...before(table, null), ...Object.fromEntries(Object.entries(now).filter(([name]) => ofNext.has(name))) }));
        if (ofNext.size === 0) focusIn(place.current, "");
      }
      await refreshTables(client, workspace, table.id);
    },
    onError: (error) => {
      if (!(error instanceof ApiError)) return;
      const found = Object.entries(error.fields).map(([path, said]) => [path.replace(/^values\./, ""), said[0] ?? ""]);
      const told = Object.fromEntries(found) as Record<string, string>;
      setProblems(told);
      const at = table.columns.find((column) => told[column.name]);
      if (at) focusIn(place.current, at.name);
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
    if (at) focusIn(place.current, at.name);
    else if (row && Object.keys(values).length === 0) onDone();
    else if (!save.isPending) {
      since.current = new Set();
      save.mutate(values);
    }
  };
  const isChanged = save.error instanceof ApiError && save.error.code === "row_changed";
  return {
    id,
    texts,
    problems,
    busy: save.isPending,
    failed: save.isError && Object.keys(problems).length === 0 ? { ...words(save.error), isChanged } : null,
    change: (column, text) => {
      since.current.add(column);
      setTexts((all) => ({ ...all, [column]: text }));
      setProblems(({ [column]: _gone, ...others }) => others);
    },
    submit,
    showNew: () => {
      onDone();
      void refreshTables(client, workspace, table.id);
    },
  };
}

/** A row whose cells are fields: Enter saves, Esc leaves it as it was. */
export function RowEditor(props: Props) {
  const { t } = useTranslation(["tables", "common"]);
  const { table, row, onDone } = props;
  const line = useRef<HTMLTableRowElement>(null);
  const form = useRowForm(props, line);
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
            {at === 0 && <form id={form.id} onSubmit={form.submit} />}
            <Input form={form} column={column} />
          </td>
        ))}
        <td colSpan={2} aria-label={t("column.actions")}>
          <span className={css.actions}>
            <Button type="submit" form={form.id} size="sm" variant="primary" busy={form.busy}>
              {row ? t("common:action.save") : t("row.addThis")}
            </Button>
            <Button size="sm" onClick={onDone}>
              {row ? t("common:action.cancel") : t("common:action.close")}
            </Button>
          </span>
        </td>
      </tr>
      {form.failed && (
        <tr className={css.failed}>
          <td colSpan={table.columns.length + 2}>
            <Failed form={form} />
          </td>
        </tr>
      )}
    </>
  );
}

/** The same for a narrow window: one field below the other. */
export function RowDialog(props: Props) {
  const { t } = useTranslation(["tables", "common"]);
  const { table, row, onDone } = props;
  const box = useRef<HTMLFormElement>(null);
  const form = useRowForm(props, box);
  return (
    <Dialog opened onClose={onDone} title={row ? t("row.editTitle") : t("row.new")}>
      <form id={form.id} className={css.form} onSubmit={form.submit} ref={box}>
        {table.columns.map((column, at) => (
          <div key={column.id} className={css.dialogField}>
            <b aria-hidden>{column.name}</b>
            <Input form={form} column={column} isFirst={props.first ? column.name === props.first : at === 0} />
          </div>
        ))}
        {form.failed && <Failed form={form} />}
        <div className={css.foot}>
          <Button onClick={onDone}>{row ? t("common:action.cancel") : t("common:action.close")}</Button>
          <Button type="submit" variant="primary" busy={form.busy}>
            {row ? t("common:action.save") : t("row.addThis")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Failed({ form }: { form: RowForm }) {
  const { t } = useTranslation("tables");
  if (!form.failed) return null;
  return (
    <p role="alert" className={css.wrong}>
      {form.failed.title} {form.failed.text}
      {form.failed.isChanged && (
        <Button size="sm" onClick={form.showNew}>
          {t("row.showNew")}
        </Button>
      )}
    </p>
  );
}

function before(table: DataTable, row: DataRow | null): Record<string, string> {
  return Object.fromEntries(table.columns.map((column) => [column.name, inputText(row?.values[column.name])]));
}

/** `isFirst`: the dialog gives it the focus when it opens. */
function Input({ form, column, isFirst = false }: { form: RowForm; column: TableColumn; isFirst?: boolean }) {
  const { t } = useTranslation("common");
  const id = useId();
  const text = form.texts[column.name] ?? "";
  const problem = form.problems[column.name];
  const onChange = (next: string): void => form.change(column.name, next);
  const shared = {
    form: form.id,
    "data-column": column.name,
    "data-autofocus": isFirst || undefined,
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
