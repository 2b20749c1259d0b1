import { useTranslation } from "react-i18next";

import { useTable } from "../../api/tables";
import { indexOf, isJsonObject } from "../../graph";
import { cx } from "../../ui";
import { useEditor } from "../EditorContext";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import { emptied, PlainText, textOf } from "./basic";
import own from "./workflow.module.css";

/** Chooses one of the columns of the table that the step is about; the key columns alone where a row is named. */
export default function ColumnPicker(props: WidgetProps) {
  const { t } = useTranslation("inspector");
  const { id, field, node, value, path, onChange, invalid, describedBy, readOnly } = props;
  // Where a step is about two tables, the field says which setting names its own.
  const holder = typeof field.hints["table"] === "string" ? field.hints["table"] : "table";
  const table = useEditor((state) => {
    const config = indexOf(state.document).byId.get(node)?.config;
    return isJsonObject(config) ? textOf(config[holder]) : "";
  });
  const found = useTable(table);
  const current = textOf(value);
  if (table === "" || found.isError) return <PlainText {...props} />;
  const ofKey = /(^|\.)key\.\d+\./.test(path);
  const columns = (found.data?.columns ?? []).filter((column) => !ofKey || column.key);
  const isKnown = current === "" || columns.some((column) => column.name === current);
  return (
    <select
      id={id}
      className={cx(css.input, css.select, invalid && own.invalid)}
      value={current}
      disabled={readOnly}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      onChange={(event) => onChange(event.currentTarget.value === "" ? emptied(field) : event.currentTarget.value)}
    >
      <option value="">{t("table.chooseColumn")}</option>
      {!isKnown && <option value={current}>{found.data ? t("table.columnGone", { name: current }) : current}</option>}
      {columns.map((column) => (
        <option key={column.id} value={column.name}>
          {column.name}
        </option>
      ))}
    </select>
  );
}
