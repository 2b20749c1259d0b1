import { ArrowRight, CircleAlert, CircleHelp } from "lucide-react";
import { Tooltip } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { type FieldSpec, fieldProblem, hasExpression, type Json, type JsonObject, typesOf } from "../graph";
import css from "./inspector.module.css";
import { useNumberWords } from "./numberWords";
import { useValueLine } from "./preview";
import { readNumber } from "./readNumber";
import { Widget } from "./Widget";
import { type WidgetKind, widgetOf } from "./widgetOf";

export interface FieldRowProps {
  field: FieldSpec;
  /** The step the form belongs to; data is picked from what comes before it. */
  node: string;
  value: Json | undefined;
  /** Where the value stands in the configuration. */
  path: string;
  /** The object the value stands in. */
  config: JsonObject;
  onChange(value: Json | undefined): void;
  problem?: string | undefined;
  readOnly?: boolean;
}

const NUMBERS = new Set<WidgetKind>(["number", "duration"]);

/** Label, control, and beneath it what the value gives, what is wrong with it, or how to fill it in. */
export function FieldRow({ field, node, value, path, config, onChange, problem, readOnly = false }: FieldRowProps) {
  const { t } = useTranslation("inspector");
  const id = useId();
  const widget = widgetOf(field);
  const own = fieldProblem({ ...field, required: false }, value);
  const numberWords = useNumberWords();
  // A text where a number belongs: what about it is unclear, instead of that it is none.
  const typed = NUMBERS.has(widget) && typeof value === "string" && !hasExpression(value) ? numberWords(readNumber(value, typesOf(field.schema).includes("integer"))) : undefined;
  const wrong = typed ?? problem ?? (own ? t(`fieldProblem.${own.code}`, own.params) : undefined);
  const help = field.hints.help ?? (field.schema.description || undefined);
  const inline = widget === "toggle" && !hasExpression(value);
  const unit = typeof field.hints["unit"] === "string" ? field.hints["unit"] : undefined;
  const aside = unit ?? (field.required ? t("form.required") : undefined);
  return (
    <div className={css.row} data-row-field={path} data-inline={inline || undefined} data-testid={`field-${path}`}>
      <div className={css.labelLine}>
        <label className={css.label} htmlFor={id}>
          {field.title}
        </label>
        {help && (
          <Tooltip label={help} multiline w={280} withinPortal events={{ hover: true, focus: true, touch: true }}>
            <button type="button" className={css.help} aria-label={t("form.help", { field: field.title })}>
              <CircleHelp size={14} aria-hidden />
            </button>
          </Tooltip>
        )}
        <span className={css.grow} />
        {aside && <i>{aside}</i>}
      </div>
      <Widget
        id={id}
        kind={widget}
        field={field}
        node={node}
        value={value}
        path={path}
        config={config}
        onChange={onChange}
        invalid={wrong !== undefined}
        describedBy={`${id}-line`}
        readOnly={readOnly}
      />
      {wrong !== undefined ? (
        <span className={css.error} id={`${id}-line`}>
          <CircleAlert size={13} aria-hidden />
          <span>{wrong}</span>
        </span>
      ) : (
        // Formulas of a template that is worked out elsewhere know nothing of the workflow's data.
        !(widget === "code" && !field.hints.expression) && <ValueLine id={`${id}-line`} node={node} value={value} field={path} />
      )}
    </div>
  );
}

/** "→ Brinkmann Papier GmbH": what a text with data in it gives with the sample. */
export function ValueLine({ id, node, value, field }: { id?: string; node: string; value: Json | undefined; field?: string }) {
  const line = useValueLine(node, value, field);
  if (line.state === "none" || line.state === "loading") return null;
  return (
    <span className={css.valueLine} data-state={line.state} id={id}>
      {line.state === "error" ? <CircleAlert size={13} aria-hidden /> : <ArrowRight size={12} aria-hidden />}
      <span>{line.text}</span>
    </span>
  );
}
