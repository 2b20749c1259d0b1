import { type FieldSpec, type Json, type JsonSchema, typesOf } from "../graph";

export const KINDS = [
  "text", "textarea", "number", "choice", "multi-choice", "toggle", "key-value", "conditions", "connection", "json", "code",
  "duration", "cron", "schedule", "timezone", "form-fields", "cases", "assignments", "list", "secret", "url", "email-list", "people", "date",
  "date-time", "object", "rows", "rules", "workflow", "design", "file", "data-table", "table-column", "colour", "picture", "calendar",
] as const;
export type WidgetKind = (typeof KINDS)[number];

/** Which control edits a field: what the step type says, else what the type of the value suggests. */
export function widgetOf(field: FieldSpec): WidgetKind {
  const hinted = field.hints.widget;
  if (hinted !== undefined && (KINDS as readonly string[]).includes(hinted)) return hinted as WidgetKind;
  return widgetOfSchema(field.schema);
}

function widgetOfSchema(schema: JsonSchema): WidgetKind {
  if (schema.enum) return "choice";
  const types = typesOf(schema);
  if (types.includes("boolean")) return "toggle";
  if (types.includes("number") || types.includes("integer")) return "number";
  if (types.includes("array")) {
    if (schema.items?.enum) return "multi-choice";
    return schema.items?.properties ? "rows" : "list";
  }
  if (types.includes("object")) return schema.properties ? "object" : "key-value";
  if (schema.format === "date") return "date";
  if (schema.format === "date-time") return "date-time";
  return (schema.maxLength ?? 0) > 500 ? "textarea" : "text";
}

export interface Choice {
  value: string;
  label: string;
  raw: Json;
}

/** The choices of a field: with the labels of the step type, else the values in words. */
export function choicesOf(schema: JsonSchema, hints: FieldSpec["hints"], words: (name: string) => string): Choice[] {
  const options = hints["options"];
  if (Array.isArray(options)) {
    return options.flatMap((option: unknown): Choice[] => {
      if (option === null || typeof option !== "object") return [];
      const { value, label } = option as { value?: Json; label?: unknown };
      return value === undefined ? [] : [{ value: String(value), label: String(label ?? value), raw: value }];
    });
  }
  const labels = hints["labels"];
  const named = labels !== null && typeof labels === "object" ? (labels as Record<string, string>) : {};
  return (schema.enum ?? []).filter((value) => value !== null).map((value) => ({ value: String(value), label: named[String(value)] ?? words(String(value)), raw: value }));
}
