import { ArrowDown, ArrowUp, ChevronDown, ChevronRight, Plus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { copyOf, type FieldSpec, fieldsOf, isJsonObject, isShown, type Json, type JsonObject, type JsonSchema, slug, valueOf } from "../../graph";
import { Button, IconButton } from "../../ui";
import { ExpressionField } from "../ExpressionField";
import { FieldRow } from "../FieldRow";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import { readNumber } from "../readNumber";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A list whose entries are small forms: cases, form fields, assignments. */
export function Rows({ id, kind, field, node, value, config, onChange, path, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const items = (field.schema.items ?? {}) as JsonSchema;
  const fields = fieldsOf(items).filter((entry) => kind !== "cases" || isPartOfCase(entry, config));
  const rows = Array.isArray(value) ? value.map(asObject) : [];
  // Where many are long, they are shown by their titles first.
  const [closed, setClosed] = useState<ReadonlySet<number>>(() => new Set(field.hints["folded"] === true && rows.length > 2 ? rows.keys() : []));
  const put = (at: number, next: JsonObject): void => onChange(rows.map((row, index) => (index === at ? next : row)));
  const move = (at: number, by: 1 | -1): void => {
    const next = [...rows];
    const [row] = next.splice(at, 1);
    if (row) next.splice(at + by, 0, row);
    setClosed(new Set([...closed].map((other) => (other === at ? at + by : other === at + by ? at : other))));
    onChange(next);
  };
  const change = (at: number, entry: FieldSpec, next: Json | undefined): void => {
    const row = { ...rows[at] };
    if (next === undefined) delete row[entry.name];
    else row[entry.name] = next;
    // The name in the data follows the question as long as nobody has chosen another one.
    if (kind === "form-fields" && entry.name === "label") {
      const before = textOf(rows[at]?.["label"]);
      if (!row["name"] || row["name"] === slug(before)) row["name"] = slug(textOf(next));
    }
    put(at, row);
  };
  const toggle = (at: number): void => {
    const next = new Set(closed);
    if (!next.delete(at)) next.add(at);
    setClosed(next);
  };
  const remove = (at: number): void => {
    setClosed(new Set([...closed].flatMap((other) => (other === at ? [] : other > at ? other - 1 : other))));
    onChange(rows.filter((_row, index) => index !== at));
  };
  const compact = fields.length <= 2;
  const called = typeof field.hints["new"] === "string" ? field.hints["new"] : "";
  const nameOfNew = called ? `${called} ${rows.length + 1}` : t(`rows.new.${kind}`, { number: rows.length + 1, defaultValue: "" });
  return (
    <div className={rules.rows} id={id} role="group" aria-label={field.title}>
      {rows.map((row, at) => {
        const title = textOf(row["name"] ?? row["label"] ?? row["field"] ?? row["column"] ?? row["title"]) || (called ? `${called} ${at + 1}` : t(kind === "rules" ? "rows.rule" : "rows.entry", { number: at + 1 }));
        const shut = closed.has(at);
        return (
          <div key={at} className={rules.entry} data-compact={compact}>
            <div className={rules.entryHead}>
              <button type="button" className={rules.entryTitle} aria-expanded={!shut} onClick={() => toggle(at)}>
                {shut ? <ChevronRight size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
                {kind === "form-fields" ? textOf(row["label"]) || title : title}
              </button>
              {!readOnly && (
                <>
                  <IconButton size="sm" label={t("rows.up", { name: title })} icon={<ArrowUp size={14} />} disabled={at === 0} onClick={() => move(at, -1)} />
                  <IconButton size="sm" label={t("rows.down", { name: title })} icon={<ArrowDown size={14} />} disabled={at === rows.length - 1} onClick={() => move(at, 1)} />
                  <IconButton size="sm" label={t("rows.remove", { name: title })} icon={<X size={14} />} onClick={() => remove(at)} />
                </>
              )}
            </div>
            {!shut && <SubForm fields={fields} node={node} row={row} path={`${path}.${at}`} onChange={(entry, next) => change(at, entry, next)} readOnly={readOnly} />}
          </div>
        );
      })}
      {!readOnly && (
        <Button size="sm" icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...rows, newRow(kind, items, rows, nameOfNew)])}>
          {typeof field.hints["add"] === "string" ? field.hints["add"] : t(`rows.add.${kind}`, { defaultValue: t("rows.add.rows") })}
        </Button>
      )}
    </div>
  );
}

/** A case has either a value or rules, as its step chooses; its id is for links, not for people. */
function isPartOfCase(entry: FieldSpec, config: JsonObject): boolean {
  if (entry.name === "id") return false;
  if (config["mode"] === undefined) return true;
  return config["mode"] === "rules" ? entry.name !== "value" : entry.hints.widget !== "conditions";
}

/** An entry with its defaults; a case also gets an id that no other has, because links hang on it. */
function newRow(kind: string, items: JsonSchema, rows: readonly JsonObject[], name: string): JsonObject {
  const row: JsonObject = {};
  for (const entry of fieldsOf(items)) if (entry.schema.default !== undefined && entry.schema.default !== null) row[entry.name] = copyOf(entry.schema.default);
  const properties = items.properties ?? {};
  if (kind === "cases" && properties["id"]) {
    const used = new Set(rows.map((other) => other["id"]));
    let number = rows.length + 1;
    while (used.has(`case_${number}`)) number += 1;
    row["id"] = `case_${number}`;
  }
  if (kind === "cases" && properties["name"]) row["name"] = name;
  if (kind === "cases" && properties["label"]) row["label"] = name;
  if (kind === "form-fields" && properties["label"]) {
    row["label"] = name;
    row["name"] = slug(name);
  }
  return row;
}

interface SubFormProps {
  fields: readonly FieldSpec[];
  node: string;
  row: JsonObject;
  path: string;
  onChange(field: FieldSpec, value: Json | undefined): void;
  readOnly: boolean;
}

function SubForm({ fields, node, row, path, onChange, readOnly }: SubFormProps) {
  const { t } = useTranslation("inspector");
  const shown = fields.filter((entry) => isShown(entry, fields, row));
  const plain = shown.filter((entry) => !entry.hints.advanced);
  const advanced = shown.filter((entry) => entry.hints.advanced);
  const draw = (entry: FieldSpec): React.ReactNode => (
    <FieldRow key={entry.name} field={entry} node={node} value={valueOf(entry, row)} path={`${path}.${entry.name}`} config={row} onChange={(next) => onChange(entry, next)} readOnly={readOnly} />
  );
  return (
    <div className={rules.subForm}>
      {plain.map(draw)}
      {advanced.length > 0 && (
        <details className={rules.moreOptions}>
          <summary>{t("form.more", { count: advanced.length })}</summary>
          {advanced.map(draw)}
        </details>
      )}
    </div>
  );
}

export function ObjectField({ id, field, node, value, onChange, path, readOnly }: WidgetProps) {
  const row = asObject(value);
  return (
    <div className={rules.entry} id={id} role="group" aria-label={field.title}>
      <SubForm
        fields={fieldsOf(field.schema)}
        node={node}
        row={row}
        path={path}
        onChange={(entry, next) => {
          const changed = { ...row };
          if (next === undefined) delete changed[entry.name];
          else changed[entry.name] = next;
          onChange(changed);
        }}
        readOnly={readOnly}
      />
    </div>
  );
}

function numberOr(text: string): Json {
  const read = readNumber(text);
  return read.kind === "number" ? read.value : text;
}

/** A list of plain values, one line each. */
export function ListField({ id, field, node, value, onChange, path, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const rows = Array.isArray(value) ? value : [];
  const numeric = field.schema.items?.type === "number" || field.schema.items?.type === "integer";
  const put = (at: number, text: string): void =>
    onChange(rows.map((row, index) => (index !== at ? row : numeric ? numberOr(text) : text)));
  return (
    <div className={rules.pairs} id={id} role="group" aria-label={field.title}>
      {rows.map((row, at) => (
        <div key={at} className={rules.pair} data-single>
          {field.hints.expression === true || field.schema.items?.["x-ui"]?.expression === true ? (
            <ExpressionField node={node} label={t("rows.entry", { number: at + 1 })} value={textOf(row)} onChange={(text) => put(at, text)} readOnly={readOnly} fieldId={`${path}.${at}`} placeholder={field.hints.placeholder} />
          ) : (
            <input className={css.input} aria-label={t("rows.entry", { number: at + 1 })} value={textOf(row)} readOnly={readOnly} placeholder={field.hints.placeholder ?? ""} onChange={(event) => put(at, event.currentTarget.value)} />
          )}
          {!readOnly && <IconButton size="sm" label={t("pairs.remove", { row: at + 1 })} icon={<X size={14} />} onClick={() => onChange(rows.filter((_row, index) => index !== at))} />}
        </div>
      ))}
      {!readOnly && (
        <Button size="sm" variant="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => onChange([...rows, ""])}>
          {t("pairs.add")}
        </Button>
      )}
    </div>
  );
}
