/** The questions of a form, and what is sent for its answers. */
import { type GraphNode, isJsonObject, type Json, type JsonObject } from "../graph";
import type { ExpectedColumn } from "../api/intake";
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
  /** Of a question for the rows of a file: what these hold. */
  columns: ExpectedColumn[];
  default?: Json;
}

export function inputFields(start: GraphNode): InputField[] {
  return questionsOf(start.config["fields"]);
}

/** The questions of a form as a step type or a task keeps them. */
export function questionsOf(rows: Json | undefined): InputField[] {
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
        columns: expectedColumns(row["columns"]),
        ...(row["default"] === undefined || row["default"] === "" ? {} : { default: row["default"] }),
      },
    ];
  });
}

/** The columns of a question, as settings hold them. */
export function expectedColumns(rows: Json | undefined): ExpectedColumn[] {
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row): ExpectedColumn[] => {
    if (!isJsonObject(row) || typeof row["name"] !== "string" || !row["name"]) return [];
    const type = row["type"];
    return [
      {
        name: row["name"],
        label: typeof row["label"] === "string" && row["label"] ? row["label"] : row["name"],
        type: type === "number" || type === "amount" || type === "date" || type === "yes_no" ? type : "text",
        required: row["required"] === true,
        key: row["key"] === true,
        currency: typeof row["currency"] === "string" ? row["currency"] : "",
        also: Array.isArray(row["also"]) ? row["also"].filter((one) => typeof one === "string") : [],
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
