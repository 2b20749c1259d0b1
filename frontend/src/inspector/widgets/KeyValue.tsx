import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { isJsonObject, type Json, type JsonObject, typesOf } from "../../graph";
import { Button, IconButton } from "../../ui";
import { ExpressionField } from "../ExpressionField";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";

interface Pair {
  name: string;
  value: string;
}

/** The names of the two columns where the pairs are stored as a list of objects. */
function columnsOf(props: WidgetProps): [string, string] {
  const names = Object.keys(props.field.schema.items?.properties ?? {});
  return [names.find((name) => /name|key/.test(name)) ?? names[0] ?? "name", names.find((name) => /value/.test(name)) ?? names[1] ?? "value"];
}

function pairsOf(value: Json | undefined, columns: [string, string]): Pair[] {
  if (Array.isArray(value)) {
    return value.map((row) => {
      const object = isJsonObject(row) ? row : {};
      return { name: textOf(object[columns[0]]), value: textOf(object[columns[1]]) };
    });
  }
  if (isJsonObject(value)) return Object.entries(value).map(([name, item]) => ({ name, value: textOf(item) }));
  return [];
}

/** A table of names and values: headers, query, fields. */
export function KeyValue(props: WidgetProps) {
  const { t } = useTranslation(["inspector", "fields"]);
  const { field, node, value, onChange, path, readOnly } = props;
  const asList = typesOf(field.schema).includes("array");
  const columns = columnsOf(props);
  const withData = field.hints.expression === true || field.schema.items?.properties?.[columns[1]]?.["x-ui"]?.expression === true;
  // A row without a name, or with the name of another row, cannot be stored in an object: it is kept here until it can.
  const [draft, setDraft] = useState<Pair[] | null>(null);
  const stored = pairsOf(value, columns);
  const rows = draft ?? stored;
  const save = (next: Pair[]): void => {
    if (asList) {
      onChange(next.map((row) => ({ [columns[0]]: row.name, [columns[1]]: row.value })));
      setDraft(null);
      return;
    }
    const names = next.map((row) => row.name);
    const clean = next.filter((row, at) => row.name !== "" && names.indexOf(row.name) === at);
    setDraft(clean.length === next.length ? null : next);
    const object: JsonObject = {};
    for (const row of clean) object[row.name] = row.value;
    onChange(object);
  };
  const put = (at: number, change: Partial<Pair>): void => save(rows.map((row, index) => (index === at ? { ...row, ...change } : row)));
  const wrong = (row: Pair, at: number): string | undefined => {
    if (row.name === "") return row.value === "" ? undefined : t("fields:pairs.nameless");
    return !asList && rows.findIndex((other) => other.name === row.name) !== at ? t("fields:pairs.twice") : undefined;
  };
  return (
    <div className={rules.pairs} id={props.id} role="group" aria-label={field.title}>
      {rows.map((row, at) => (
        <div key={at} className={rules.pair}>
          <input
            className={css.input}
            aria-label={t("pairs.name", { row: at + 1 })}
            placeholder={t("pairs.namePlaceholder")}
            value={row.name}
            readOnly={readOnly}
            aria-invalid={wrong(row, at) !== undefined || undefined}
            onChange={(event) => put(at, { name: event.currentTarget.value })}
          />
          {withData ? (
            <ExpressionField
              node={node}
              label={t("pairs.value", { row: at + 1 })}
              value={row.value}
              placeholder={t("pairs.valuePlaceholder")}
              onChange={(text) => put(at, { value: text })}
              readOnly={readOnly}
              fieldId={`${path}.${at}`}
            />
          ) : (
            <input className={css.input} aria-label={t("pairs.value", { row: at + 1 })} value={row.value} readOnly={readOnly} onChange={(event) => put(at, { value: event.currentTarget.value })} />
          )}
          {!readOnly && <IconButton size="sm" label={t("pairs.remove", { row: at + 1 })} icon={<X size={14} />} onClick={() => save(rows.filter((_row, index) => index !== at))} />}
          {wrong(row, at) !== undefined && <span className={css.error}>{wrong(row, at)}</span>}
        </div>
      ))}
      {!readOnly && (
        <Button size="sm" variant="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => (asList ? save([...rows, { name: "", value: "" }]) : setDraft([...rows, { name: "", value: "" }]))}>
          {t("pairs.add")}
        </Button>
      )}
    </div>
  );
}
