import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { formatExact, type Json, type JsonObject } from "../graph";
import { CheckboxField, SelectField, TextAreaField, TextField } from "../ui";
import type { InputField } from "./inputFields";
import css from "./inspector.module.css";
import { useNumberWords } from "./numberWords";
import { readNumber } from "./readNumber";

interface InputFormProps {
  fields: readonly InputField[];
  value: JsonObject;
  onChange(value: JsonObject): void;
  /** What is wrong with answers, by question. */
  errors?: Readonly<Record<string, string>>;
  /** Draws a question for the rows of a file; only starts have such. */
  renderTable?(field: InputField): ReactNode;
}

/** The form people fill in to start a workflow by hand, or to answer what a step asks. */
export function InputForm({ fields, value, onChange, errors = {}, renderTable }: InputFormProps) {
  const { t } = useTranslation("inspector");
  const numberWords = useNumberWords();
  const put = (name: string, next: Json): void => onChange({ ...value, [name]: next });
  if (fields.length === 0) return <p className={css.hint}>{t("inputForm.none")}</p>;
  return fields.map((field) => {
    const current = value[field.name];
    const text = current === undefined || current === null ? "" : typeof current === "string" ? current : formatExact(current);
    const frame = { label: field.label, aside: field.required ? t("form.required") : field.type === "money" ? field.currency : "", ...(field.help ? { hint: field.help } : {}), error: errors[field.name] };
    switch (field.type) {
      case "table":
        return <Fragment key={field.name}>{renderTable?.(field)}</Fragment>;
      case "textarea":
        return <TextAreaField key={field.name} {...frame} value={text} placeholder={field.placeholder} onChange={(event) => put(field.name, event.currentTarget.value)} />;
      case "choice":
        return <SelectField key={field.name} {...frame} value={text} options={[{ value: "", label: t("choice.none") }, ...field.options.map((option) => ({ value: option, label: option }))]} onChange={(next) => put(field.name, next)} />;
      case "yes_no":
        return <CheckboxField key={field.name} label={field.label} checked={current === true} onChange={(next) => put(field.name, next)} {...(field.help ? { hint: field.help } : {})} />;
      case "number":
      case "money":
        return (
          <TextField
            key={field.name}
            {...frame}
            inputMode="decimal"
            value={text}
            placeholder={field.placeholder}
            error={numberWords(readNumber(text)) ?? errors[field.name]}
            // Kept as the text that was typed; `sentInput` makes it the number that it says.
            onChange={(event) => put(field.name, event.currentTarget.value)}
          />
        );
      default:
        return (
          <TextField
            key={field.name}
            {...frame}
            type={field.type === "date" ? "date" : field.type === "email" ? "email" : "text"}
            value={text}
            placeholder={field.placeholder}
            onChange={(event) => put(field.name, event.currentTarget.value)}
          />
        );
    }
  });
}
