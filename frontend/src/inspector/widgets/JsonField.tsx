import { useState } from "react";
import { useTranslation } from "react-i18next";

import { formatExact, type Json, same } from "../../graph";
import { cx } from "../../ui";
import { ExpressionField } from "../ExpressionField";
import css from "../inspector.module.css";
import { jsonWithData, parseJson, parseJsonWithData } from "../jsonText";
import type { WidgetProps } from "../Widget";

/** A text that is one piece of data and nothing else. */
function isWhole(text: string): boolean {
  return /^\s*\{\{[^{}]*\}\}\s*$/.test(text);
}

/** JSON as text; taken over whenever it can be read. Data stands in it as pills. */
export function JsonField({ id, field, node, value, onChange, describedBy, readOnly, path }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const [text, setText] = useState<string | null>(null);
  const withData = field.hints.expression === true;
  const read = withData ? parseJsonWithData : parseJson;
  const stored = value === undefined || value === null ? "" : typeof value === "string" && isWhole(value) ? value : withData ? jsonWithData(value) : formatExact(value, 2);
  const kept = text === null ? null : read(text);
  // What was typed stays as it was typed for as long as it means what is stored.
  const own = text !== null && (isWhole(text) ? text.trim() === value : text.trim() === "" ? value === undefined || value === null : !kept?.ok || same(kept.value, value));
  const shown = own && text !== null ? text : stored;
  const parsed = shown.trim() === "" || isWhole(shown) ? null : read(shown);
  const change = (next: string): void => {
    setText(next);
    if (next.trim() === "") onChange(field.nullable ? null : undefined);
    else if (isWhole(next) && withData) onChange(next.trim());
    else {
      const result = read(next);
      if (result.ok && !same(result.value, value)) onChange(result.value as Json);
    }
  };
  const bad = parsed !== null && !parsed.ok;
  return (
    <>
      {withData ? (
        <ExpressionField node={node} label={field.title} value={shown} onChange={change} multiline mono placeholder={field.hints.placeholder ?? "{}"} invalid={bad} describedBy={describedBy} readOnly={readOnly} fieldId={path} />
      ) : (
        <textarea
          id={id}
          className={cx(css.textarea, css.mono)}
          aria-label={field.title}
          rows={Math.min(14, Math.max(4, shown.split("\n").length + 1))}
          spellCheck={false}
          value={shown}
          readOnly={readOnly}
          placeholder={field.hints.placeholder ?? "{}"}
          aria-invalid={bad || undefined}
          aria-describedby={describedBy}
          onChange={(event) => change(event.currentTarget.value)}
        />
      )}
      {bad && <span className={css.error}>{t("json.bad", { reason: parsed.error })}</span>}
    </>
  );
}
