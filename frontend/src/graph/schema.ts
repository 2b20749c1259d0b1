/** Reading the configuration schema of a step type: fields in order, defaults, and what is missing or out of bounds. */
import { ExactNumber } from "./exact";
import { hasExpression } from "./template";
import { same } from "./same";
import { type FieldHints, isJsonObject, type Json, type JsonObject, type JsonSchema } from "./types";

export interface FieldSpec {
  name: string;
  title: string;
  schema: JsonSchema;
  hints: FieldHints;
  required: boolean;
  /** The value may also be null (an optional field of the server's model). */
  nullable: boolean;
}

/** Resolves `$ref` and unwraps `anyOf: [X, null]`, keeping title, description, default and hints of the outside. */
export function resolveSchema(schema: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  let current = schema;
  let nullable = false;
  for (let depth = 0; depth < 8; depth += 1) {
    if (current.$ref?.startsWith("#/$defs/")) {
      const target = root.$defs?.[current.$ref.slice("#/$defs/".length)];
      if (!target) break;
      const { $ref: _ref, ...own } = current;
      current = { ...target, ...own };
      continue;
    }
    const choices = current.anyOf;
    if (choices) {
      const real = choices.filter((choice) => choice.type !== "null");
      if (real.length < choices.length) nullable = true;
      if (real.length === 1 && real[0]) {
        const { anyOf: _anyOf, ...own } = current;
        current = { ...real[0], ...own };
        continue;
      }
    }
    if (current.allOf?.length === 1 && current.allOf[0]) {
      const { allOf: _allOf, ...own } = current;
      current = { ...current.allOf[0], ...own };
      continue;
    }
    break;
  }
  return { schema: current, nullable };
}

export function words(name: string): string {
  const text = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim();
  return text ? text[0]?.toUpperCase() + text.slice(1) : name;
}

const FIELDS = new WeakMap<JsonSchema, FieldSpec[]>();

/** The fields of an object schema in the order in which the form shows them. */
export function fieldsOf(root: JsonSchema): FieldSpec[] {
  const known = FIELDS.get(root);
  if (known) return known;
  const required = new Set(root.required ?? []);
  const fields = Object.entries(root.properties ?? {}).map(([name, raw]) => {
    const { schema, nullable } = resolveSchema(raw, root);
    return {
      name,
      title: schema.title ?? words(name),
      schema,
      hints: schema["x-ui"] ?? {},
      required: required.has(name) || schema["x-ui"]?.["required"] === true,
      nullable,
    };
  });
  fields.sort((a, b) => (a.hints.order ?? 1000) - (b.hints.order ?? 1000));
  FIELDS.set(root, fields);
  return fields;
}

/** The value a field has: its own, or the default of the schema. */
export function valueOf(field: FieldSpec, config: JsonObject): Json | undefined {
  const own = config[field.name];
  return own !== undefined ? own : field.schema.default;
}

/** Whether a field is shown, given the others. */
export function isShown(field: FieldSpec, fields: readonly FieldSpec[], config: JsonObject): boolean {
  const rules = field.hints.showIf;
  if (!rules) return true;
  return Object.entries(rules).every(([name, allowed]) => {
    const other = fields.find((candidate) => candidate.name === name);
    if (other && !isShown(other, fields, config)) return false;
    const value = other ? valueOf(other, config) : config[name];
    if (Array.isArray(value)) return value.some((item) => allowed.includes(item));
    return allowed.includes(value ?? null);
  });
}

export function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.length === 0;
  return false;
}

export function typesOf(schema: JsonSchema): string[] {
  if (Array.isArray(schema.type)) return schema.type;
  if (schema.type) return [schema.type];
  if (schema.properties) return ["object"];
  if (schema.items) return ["array"];
  return [];
}

export interface FieldProblem {
  code: string;
  params: JsonObject;
}

/** What is wrong with the value of one field; null when nothing is. Texts with data in them are checked when they run. */
export function fieldProblem(field: FieldSpec, value: Json | undefined): FieldProblem | null {
  if (isEmpty(value)) return field.required ? { code: "required", params: {} } : null;
  if (value === undefined || value === null) return null;
  if (field.hints.expression && hasExpression(value)) return null;
  return schemaProblem(field.schema, value);
}

function schemaProblem(schema: JsonSchema, value: Json): FieldProblem | null {
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return { code: "type", params: { type: types[0] ?? "" } };
  if (schema.enum && !schema.enum.some((choice) => same(choice, value))) return { code: "choice", params: {} };
  const size = typeof value === "number" || value instanceof ExactNumber ? Number(value) : null;
  if (size !== null) {
    if (schema.minimum !== undefined && size < schema.minimum) return { code: "minimum", params: { limit: schema.minimum } };
    if (schema.maximum !== undefined && size > schema.maximum) return { code: "maximum", params: { limit: schema.maximum } };
    if (schema.exclusiveMinimum !== undefined && size <= schema.exclusiveMinimum) return { code: "above", params: { limit: schema.exclusiveMinimum } };
  }
  if (typeof value === "string") {
    if (schema.maxLength !== undefined && value.length > schema.maxLength) return { code: "maxLength", params: { limit: schema.maxLength } };
    if (schema.minLength !== undefined && value.length < schema.minLength) return { code: "minLength", params: { limit: schema.minLength } };
  }
  if (Array.isArray(value)) {
    if (schema.maxItems !== undefined && value.length > schema.maxItems) return { code: "maxItems", params: { limit: schema.maxItems } };
    if (schema.minItems !== undefined && value.length < schema.minItems) return { code: "minItems", params: { limit: schema.minItems } };
  }
  return null;
}

function isOfType(type: string, value: Json): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number" || value instanceof ExactNumber || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
    case "integer":
      return (typeof value === "number" || value instanceof ExactNumber) && Number.isInteger(Number(value));
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value);
    case "object":
      return isJsonObject(value);
    case "null":
      return value === null;
    default:
      return true;
  }
}
