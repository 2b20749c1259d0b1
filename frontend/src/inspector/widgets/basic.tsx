import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { type FieldSpec, formatExact, isEmpty, type Json, typesOf, words } from "../../graph";
import { cx, PasswordField, Switch } from "../../ui";
import css from "../inspector.module.css";
import { readNumber } from "../readNumber";
import type { WidgetProps } from "../Widget";
import { choicesOf } from "../widgetOf";

export function textOf(value: Json | undefined): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : formatExact(value);
}

export function PlainText({ id, kind, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const common = {
    id,
    className: cx(css.input, (kind === "code" || kind === "cron") && css.mono),
    placeholder: field.hints.placeholder ?? "",
    value: textOf(value),
    readOnly,
    "aria-invalid": invalid || undefined,
    "aria-describedby": describedBy,
    "aria-required": field.required || undefined,
    spellCheck: kind === "textarea",
  };
  const change = (text: string): void => onChange(text === "" ? emptied(field) : text);
  if (kind === "textarea" || kind === "code") return <textarea {...common} rows={kind === "code" ? 16 : 4} onChange={(event) => change(event.currentTarget.value)} />;
  return <input type={kind === "url" ? "url" : "text"} {...common} maxLength={field.schema.maxLength} onChange={(event) => change(event.currentTarget.value)} />;
}

/** What an emptied field stores: nothing, unless what the type starts with would come back then. */
export function emptied(field: FieldSpec): Json | undefined {
  if (field.nullable) return null;
  return isEmpty(field.schema.default) ? undefined : "";
}

/** Numbers as people type them. What is none yet is stored as typed, so that it is neither lost nor taken for another number. */
export function NumberField({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const [text, setText] = useState<string | null>(null);
  const whole = typesOf(field.schema).includes("integer");
  const shown = text ?? textOf(value);
  return (
    <input
      id={id}
      className={cx(css.input, css.numberInput)}
      inputMode={whole ? "numeric" : "decimal"}
      value={shown}
      placeholder={field.hints.placeholder ?? ""}
      readOnly={readOnly}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      aria-required={field.required || undefined}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        const read = readNumber(next, whole);
        onChange(read.kind === "number" ? read.value : read.kind === "empty" ? (field.nullable ? null : undefined) : next);
      }}
      onBlur={() => setText(null)}
    />
  );
}

export function ChoiceField({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const choices = choicesOf(field.schema, field.hints, words);
  const current = value === undefined || value === null ? "" : String(value);
  const known = choices.some((choice) => choice.value === current);
  const pick = (text: string): void => onChange(choices.find((choice) => choice.value === text)?.raw ?? (field.nullable ? null : undefined));
  const few = choices.length <= 4 && choices.every((choice) => choice.label.length <= 14) && choices.reduce((sum, choice) => sum + choice.label.length, 0) <= 34;
  if (few && known && !field.nullable) {
    return (
      <div className={css.segments} role="radiogroup" aria-label={field.title} aria-describedby={describedBy} id={id}>
        {choices.map((choice) => (
          <label key={choice.value} className={cx(css.segment, choice.value === current && css.on)}>
            <input type="radio" name={id} className="srOnly" value={choice.value} checked={choice.value === current} disabled={readOnly} onChange={() => pick(choice.value)} />
            {choice.label}
          </label>
        ))}
      </div>
    );
  }
  return (
    <select id={id} className={cx(css.input, css.select)} value={current} disabled={readOnly} aria-invalid={invalid || undefined} aria-describedby={describedBy} onChange={(event) => pick(event.currentTarget.value)}>
      {(!known || field.nullable) && <option value={known ? "" : current}>{known || current === "" ? (field.hints.placeholder ?? t("choice.none")) : current}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

export function MultiChoice({ id, field, value, onChange, readOnly }: WidgetProps) {
  const items = field.schema.items ?? {};
  const choices = choicesOf(items, { ...items["x-ui"], ...field.hints }, words);
  const chosen = Array.isArray(value) ? value : [];
  return (
    <div className={css.chips} id={id} role="group" aria-label={field.title}>
      {choices.map((choice) => {
        const on = chosen.includes(choice.raw);
        return (
          <button
            key={choice.value}
            type="button"
            aria-pressed={on}
            disabled={readOnly}
            className={cx(css.chipToggle, on && css.on)}
            // The order of the choices, not of the clicks.
            onClick={() => onChange(choices.map((other) => other.raw).filter((raw) => (raw === choice.raw ? !on : chosen.includes(raw))))}
          >
            {choice.label}
          </button>
        );
      })}
    </div>
  );
}

export function ToggleField({ field, value, onChange, readOnly }: WidgetProps) {
  return <Switch label={field.title} checked={value === true} onChange={onChange} disabled={readOnly} />;
}

export function DateField({ id, kind, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  return (
    <input
      id={id}
      type={kind === "date" ? "date" : "datetime-local"}
      className={css.input}
      value={textOf(value).slice(0, kind === "date" ? 10 : 16)}
      readOnly={readOnly}
      aria-invalid={invalid || undefined}
      aria-describedby={describedBy}
      onChange={(event) => onChange(event.currentTarget.value === "" ? (field.nullable ? null : undefined) : event.currentTarget.value)}
    />
  );
}

const UNITS = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
] as const;

/** Seconds, as a number with a unit. */
export function DurationField({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const seconds = Number(value ?? 0) || 0;
  const fitting = UNITS.find(([, size]) => seconds !== 0 && seconds % size === 0)?.[0] ?? "seconds";
  const [unit, setUnit] = useState<(typeof UNITS)[number][0] | null>(null);
  const [text, setText] = useState<string | null>(null);
  const used = unit ?? fitting;
  const size = UNITS.find(([name]) => name === used)?.[1] ?? 1;
  const stored = value === undefined || value === null ? "" : typeof value === "string" ? value : String(Number((seconds / size).toFixed(3)));
  return (
    <div className={css.duration}>
      <input
        id={id}
        inputMode="decimal"
        className={cx(css.input, css.numberInput)}
        value={text ?? stored}
        readOnly={readOnly}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        onChange={(event) => {
          const next = event.currentTarget.value;
          // 60 seconds stay seconds while somebody types.
          setUnit(used);
          setText(next);
          const read = readNumber(next);
          if (read.kind === "empty") onChange(field.nullable ? null : undefined);
          else onChange(read.kind === "number" ? Math.round(Number(read.value) * size * 1000) / 1000 : next);
        }}
        onBlur={() => setText(null)}
      />
      <select
        className={cx(css.input, css.select)}
        aria-label={t("duration.unit", { field: field.title })}
        value={used}
        disabled={readOnly}
        onChange={(event) => {
          const next = event.currentTarget.value as typeof used;
          const nextSize = UNITS.find(([name]) => name === next)?.[1] ?? 1;
          setUnit(next);
          if (value !== undefined && value !== null && typeof value !== "string") onChange((seconds / size) * nextSize);
        }}
      >
        {[...UNITS].reverse().map(([name]) => (
          <option key={name} value={name}>
            {t(`duration.${name}`)}
          </option>
        ))}
      </select>
    </div>
  );
}

export function TimeZoneField({ id, value, onChange, readOnly, describedBy, field }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const zones = useMemo(() => {
    const known = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
    return known.includes("UTC") ? known : ["UTC", ...known];
  }, []);
  const current = textOf(value);
  return (
    <select id={id} className={cx(css.input, css.select)} value={current} disabled={readOnly} aria-describedby={describedBy} onChange={(event) => onChange(event.currentTarget.value || (field.nullable ? null : ""))}>
      {(current === "" || field.nullable) && <option value="">{t("timezone.workspace")}</option>}
      {current !== "" && !zones.includes(current) && <option value={current}>{current}</option>}
      {zones.map((zone) => (
        <option key={zone} value={zone}>
          {zone.replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}

export function SecretField({ field, value, onChange }: WidgetProps) {
  return <PasswordField label={field.title} value={textOf(value)} autoComplete="new-password" onChange={(event) => onChange(event.currentTarget.value)} />;
}
