import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { PlanStep, StepSpec } from "../../api/types";
import { words } from "../../graph/schema";
import { JsonEditor } from "../../inspector/JsonEditor";
import { choicesOf } from "../../inspector/widgetOf";
import { CheckboxField, SelectField, TextAreaField, TextField } from "../../ui";
import ui from "../../ui/ui.module.css";
import { type EditField, editFields, settingsOf, textOf, type Texts } from "./retry";
import css from "./retry.module.css";

interface RetryEditProps {
  step: PlanStep;
  spec: StepSpec | undefined;
  texts: Texts;
  onChange: (texts: Texts) => void;
}

/** The settings that a step had the last time, to be changed for this run alone. */
export function RetryEdit({ step, spec, texts, onChange }: RetryEditProps) {
  const { t } = useTranslation("runs");
  const all = useMemo(
    () => editFields(step.input, spec, (field) => choicesOf(field.schema, field.hints, words)),
    [step.input, spec],
  );
  const { changed, bad } = settingsOf(step.input, texts);
  const show = (field: EditField) => (
    <OneField
      key={field.name}
      field={field}
      text={texts[field.name] ?? textOf(field.before)}
      changed={changed.includes(field.name)}
      bad={bad.includes(field.name)}
      onChange={(text) => onChange({ ...texts, [field.name]: text })}
    />
  );
  const aside = all.filter((field) => field.aside);
  return (
    <div className={css.edit} role="group" aria-label={t("retry.settingsOf", { name: step.name })}>
      {all.filter((field) => !field.aside).map(show)}
      {aside.length > 0 && (
        <details className={ui.details}>
          <summary>{t("retry.moreSettings")}</summary>
          <div className={css.editMore}>{aside.map(show)}</div>
        </details>
      )}
    </div>
  );
}

const SHOWN = 120;

function OneField(props: {
  field: EditField;
  text: string | boolean;
  changed: boolean;
  bad: boolean;
  onChange: (text: string | boolean) => void;
}) {
  const { t } = useTranslation(["runs", "common"]);
  const { field, text, changed, bad, onChange } = props;
  const before = textOf(field.before);
  const was =
    typeof before === "boolean"
      ? t("retry.was", { value: before ? t("common:yes") : t("common:no") })
      : before.trim() === ""
        ? t("retry.wasEmpty")
        : t("retry.was", { value: before.length > SHOWN ? `${before.slice(0, SHOWN)}…` : before });
  const hint = changed ? { hint: was } : {};
  if (field.kind === "switch") {
    return <CheckboxField label={field.label} checked={text === true} onChange={onChange} {...hint} />;
  }
  const value = String(text);
  const typed = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  switch (field.kind) {
    case "choice":
      return <SelectField label={field.label} value={value} options={field.choices} onChange={onChange} {...hint} />;
    case "json":
      return (
        <JsonEditor
          label={field.label}
          rows={Math.min(10, Math.max(3, value.split("\n").length))}
          value={value}
          onChange={onChange}
          {...hint}
        />
      );
    case "long":
      return <TextAreaField label={field.label} rows={3} value={value} onChange={typed} {...hint} />;
    case "number":
      return (
        <TextField
          label={field.label}
          inputMode="decimal"
          value={value}
          onChange={typed}
          error={bad ? t("retry.badNumber") : undefined}
          {...hint}
        />
      );
    case "text":
      return <TextField label={field.label} value={value} onChange={typed} spellCheck={false} {...hint} />;
  }
}
