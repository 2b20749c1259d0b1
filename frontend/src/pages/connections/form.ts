/** Connection kinds describe their fields by a JSON Schema; this reads it as a list of form fields. */
import type { Json, JsonSchema } from "../../api/types";

export interface ConnectionField {
  name: string;
  label: string;
  help: string;
  placeholder: string;
  secret: boolean;
  required: boolean;
  advanced: boolean;
  widget: "text" | "number" | "toggle" | "choice" | "list" | "textarea";
  options: { value: string; label: string }[];
  initial: Json;
}

/** The field's own schema, with the "or nothing" of optional fields and references taken away. */
function plain(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return { ...root.$defs?.[name], ...schema };
  }
  const inner = schema.anyOf?.find((one) => one.type !== "null");
  return inner ? { ...plain(inner, root), ...schema } : schema;
}

function widgetOf(schema: JsonSchema): ConnectionField["widget"] {
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "toggle";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "array") return "list";
  return schema["x-ui"]?.widget === "textarea" || schema["x-ui"]?.lines === true ? "textarea" : "text";
}

function optionsOf(schema: JsonSchema): ConnectionField["options"] {
  const labels = new Map<string, string>();
  const given = schema["x-ui"]?.options;
  if (Array.isArray(given)) {
    for (const one of given as unknown[]) {
      if (Array.isArray(one)) labels.set(String(one[0]), String(one[1]));
      else if (typeof one === "object" && one !== null && "value" in one && "label" in one) {
        labels.set(String(one.value), String(one.label));
      }
    }
  }
  return (schema.enum ?? []).map((value) => ({ value: String(value), label: labels.get(String(value)) ?? String(value) }));
}

export function connectionFields(schema: JsonSchema): ConnectionField[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .map(([name, raw]) => {
      const field = plain(raw, schema);
      const ui = field["x-ui"] ?? {};
      return {
        order: ui.order ?? 1000,
        name,
        label: field.title ?? name,
        help: ui.help ?? field.description ?? "",
        placeholder: ui.placeholder ?? "",
        secret: ui.widget === "secret" || field.writeOnly === true,
        required: required.has(name),
        advanced: ui.advanced === true,
        widget: widgetOf(field),
        options: optionsOf(field),
        initial: field.default ?? null,
      };
    })
    .sort((left, right) => left.order - right.order)
    .map(({ order: _order, ...field }) => field);
}

/** What stands in the inputs: text, or on and off. A list has one item a line. */
export type Values = Record<string, string | boolean>;

function asInput(field: ConnectionField, value: Json | undefined): string | boolean {
  if (field.widget === "toggle") return value === true;
  if (Array.isArray(value)) return value.join("\n");
  return value === null || value === undefined ? "" : String(value);
}

/** What the form begins with: stored plain values, defaults, and nothing for secrets, which never come back. */
export function initialValues(
  fields: readonly ConnectionField[],
  stored: { [field: string]: Json } = {},
  defaults: { [field: string]: Json } = {},
): Values {
  return Object.fromEntries(
    fields.map((field) => [
      field.name,
      field.secret ? "" : asInput(field, stored[field.name] ?? defaults[field.name] ?? field.initial),
    ]),
  );
}

function asJson(field: ConnectionField, value: string | boolean): Json {
  if (typeof value === "boolean") return value;
  if (field.widget === "number") return Number.isNaN(Number(value)) ? value : Number(value);
  if (field.widget === "list") {
    return value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  }
  return value;
}

/** What to send. A secret that was not typed keeps what is stored; an emptied field is taken away by null. */
export function valuesToSend(
  fields: readonly ConnectionField[],
  values: Values,
  stored: { [field: string]: Json } = {},
): { [field: string]: Json } {
  const send: { [field: string]: Json } = {};
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined || (value === "" && field.secret)) continue;
    if (value === "" && field.widget !== "list") {
      if (field.name in stored) send[field.name] = null;
      continue;
    }
    send[field.name] = asJson(field, value);
  }
  return send;
}

/** Names of required fields that are empty; a stored secret need not be typed again. */
export function missingFields(
  fields: readonly ConnectionField[],
  values: Values,
  secretsSet: readonly string[] = [],
): string[] {
  return fields
    .filter((field) => field.required && values[field.name] === "" && !secretsSet.includes(field.name))
    .map((field) => field.name);
}
