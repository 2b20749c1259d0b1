/** What the answers to a form look like, for formulas that are written before anybody has filled it in. */
import type { ExpectedColumn } from "../api/intake";
import { type GraphNode, type Json, type JsonObject, parseTemplate, simplePath } from "../graph";
import { inputFields, type InputField } from "./inputFields";

const DAY = "2026-11-28";

/** An example of each answer, by its name; undefined where nothing is asked. */
export function formSample(start: GraphNode): JsonObject | undefined {
  const fields = inputFields(start);
  return fields.length === 0 ? undefined : Object.fromEntries(fields.map((field) => [field.name, answer(field)]));
}

function answer(field: InputField): Json {
  switch (field.type) {
    case "number":
      return 12;
    case "money":
      return { amount: 1248.5, currency: field.currency };
    case "date":
      return DAY;
    case "choice":
      return field.options[0] ?? "";
    case "yes_no":
      return true;
    case "email":
      return "ann@example.com";
    case "table":
      return { file: { id: "", name: `${field.label}.csv`, mime: "text/csv", size: 1200, sha256: "" }, rows: 12 };
    default:
      return field.placeholder || field.label;
  }
}

/** An example of a row, where a setting stands for the rows that the start asks for, as `{{ trigger.invoices }}`. */
export function rowSample(start: GraphNode | undefined, setting: Json | undefined): JsonObject | undefined {
  const parts = typeof setting === "string" ? parseTemplate(setting) : [];
  const path = parts.length === 1 && parts[0]?.kind === "expression" ? simplePath(parts[0].source) : null;
  if (!start || path?.root !== "trigger" || path.path.length !== 1) return undefined;
  const field = inputFields(start).find((one) => one.type === "table" && one.name === path.path[0]);
  return field && Object.fromEntries(field.columns.map((column) => [column.name, cell(column)]));
}

function cell(column: ExpectedColumn): Json {
  switch (column.type) {
    case "number":
      return 12;
    case "amount":
      return column.currency ? { amount: 1248.5, currency: column.currency } : 1248.5;
    case "date":
      return DAY;
    case "yes_no":
      return true;
    default:
      return column.label;
  }
}
