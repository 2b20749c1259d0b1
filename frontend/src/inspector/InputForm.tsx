import { useTranslation } from "react-i18next";

import { formatExact, type GraphNode, isJsonObject, type Json, type JsonObject } from "../graph";
import { CheckboxField, SelectField, TextAreaField, TextField } from "../ui";
import css from "./inspector.module.css";
import { useNumberWords } from "./numberWords";
import { readNumber } from "./readNumber";

/** One question of a manual start's form. */
export interface InputField {
  name: string;
  label: string;
  type: string;
  required: boolean;
  options: string[];
  help: string;
  placeholder: string;
  currency: string;
  default?: Json;
}

export function inputFields(start: GraphNode): InputField[] {
  const rows = start.config["fields"];
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row): InputField[] => {
    if (!isJsonObject(row) || typeof row["name"] !== "string" || !row["name"]) return [];
    const text = (name: string): string => (typeof row[name] === "string" ? row[name] : "");
    return [
      {
        name: row["name"],
        label: text("label") || row["name"],
        type: text("type") || "text",
        required: row["required"] === true,
        options: Array.isArray(row["options"]) ? row["options"].map(String) : [],
        help: text("help"),
        placeholder: text("placeholder"),
        currency: text("currency") || "EUR",
        ...(row["default"] === undefined || row["default"] === "" ? {} : { default: row["default"] }),
      },
    ];
  });
}

const isNumber = (field: InputField): boolean => field.type === "number" || field.type === "money";

/** Whether every number of the form is one, and only one. */
export function inputIsClear(fields: readonly InputField[], value: JsonObject): boolean {
  return fields.every((field) => {
    const typed = value[field.name];
    return !isNumber(field) || typeof typed !== "string" || ["number", "empty"].includes(readNumber(typed).kind);
  });
}

/** What is sent for a filled-in form: numbers as plain digits, all the others as they were typed. */
export function sentInput(fields: readonly InputField[], value: JsonObject): JsonObject {
  const sent = { ...value };
  for (const field of fields) {
    const typed = sent[field.name];
    if (!isNumber(field) || typeof typed !== "string") continue;
    const read = readNumber(typed);
    // As text: the server reads it exactly, JavaScript would round it.
    if (read.kind === "number") sent[field.name] = String(read.value);
  }
  return sent;
}

/** The form people fill in to start a workflow by hand. */
export function InputForm({ fields, value, onChange }: { fields: readonly InputField[]; value: JsonObject; onChange(value: JsonObject): void }) {
  const { t } = useTranslation("inspector");
  const numberWords = useNumberWords();
  const put = (name: string, next: Json): void => onChange({ ...value, [name]: next });
  if (fields.length === 0) return <p className={css.hint}>{t("inputForm.none")}</p>;
  return fields.map((field) => {
    const current = value[field.name];
    const text = current === undefined || current === null ? "" : typeof current === "string" ? current : formatExact(current);
    const frame = { label: field.label, aside: field.required ? t("form.required") : field.type === "money" ? field.currency : "", ...(field.help ? { hint: field.help } : {}) };
    switch (field.type) {
      case "textarea":
        return <TextAreaField key={field.name} {...frame} value={text} placeholder={field.placeholder} onChange={(event) => put(field.name, event.currentTarget.value)} />;
      case "choice":
        return <SelectField key={field.name} {...frame} value={text} options={[{ value: "", label: t("choice.none") }, ...field.options.map((option) => ({ value: option, label: option }))]} onChange={(next) => put(field.name, next)} />;
      case "yes_no":
        return <CheckboxField key={field.name} label={field.label} checked={current === true} onChange={(next) => put(field.name, next)} />;
      case "number":
      case "money":
        return (
          <TextField
            key={field.name}
            {...frame}
            inputMode="decimal"
            value={text}
            placeholder={field.placeholder}
            error={numberWords(readNumber(text))}
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

