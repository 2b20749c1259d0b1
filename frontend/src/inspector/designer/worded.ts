/** The server's schema in the person's language: names, hints and choices stand in the catalogue. */
import { fieldsOf, type FieldSpec, type JsonSchema } from "../../graph";
import type { Translate } from "../dataWords";

export interface Wording {
  t: Translate;
  has(key: string): boolean;
  language: string;
}

/** Languages whose letters a document can show. */
const LANGUAGES = [
  "bg", "cs", "da", "de", "de_AT", "de_CH", "el", "en", "en_GB", "en_US", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mk", "mt", "nb",
  "nl", "pl", "pt", "pt_BR", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk",
];

const NEEDED = new Set(["rows", "columns", "image"]);

/** `kind`: a kind of block, `page` or `design`; its own words for a field go before those that all share. */
export function worded(schema: JsonSchema, kind: string, wording: Wording): JsonSchema {
  const properties = fieldsOf(schema)
    .filter((field) => field.schema.const === undefined)
    .map((field): [string, JsonSchema] => [field.name, wordedField(field, kind, wording)]);
  // Empty texts are drawn as nothing; only these stop the document.
  return { ...schema, properties: Object.fromEntries(properties), required: (schema.required ?? []).filter((name) => NEEDED.has(name)) };
}

function wordedField(field: FieldSpec, kind: string, wording: Wording): JsonSchema {
  const { t, has } = wording;
  const own = (what: string): string | undefined => [`${what}.${kind}.${field.name}`, `${what}.all.${field.name}`].find(has);
  const title = own("field");
  const help = own("help");
  const options = field.name === "language" ? languages(wording.language) : field.name === "currency" ? currencies(wording.language) : undefined;
  const labels = Object.fromEntries((field.schema.enum ?? []).filter((one) => has(`choice.${String(one)}`)).map((one) => [String(one), t(`choice.${String(one)}`)]));
  const add = `add.${field.name}`;
  const { items } = field.schema;
  const plain: JsonSchema = {
    ...field.schema,
    title: title ? t(title) : field.title,
    "x-ui": {
      ...field.hints,
      ...(help ? { help: t(help) } : {}),
      ...(options ? { widget: "choice", options } : {}),
      ...(has(add) ? { add: t(add) } : {}),
      ...(has(`unit.${field.name}`) ? { unit: t(`unit.${field.name}`) } : {}),
      ...(has(`none.${field.name}`) && field.nullable ? { placeholder: t(`none.${field.name}`) } : {}),
      ...(field.name === "columns" ? { folded: true } : {}),
      labels,
    },
    ...(items?.properties ? { items: worded(items, field.name, wording) } : {}),
  };
  return field.nullable ? { anyOf: [plain, { type: "null" }], title: plain.title ?? field.name, "x-ui": plain["x-ui"] ?? {}, default: null } : plain;
}

interface Option {
  value: string;
  label: string;
}

function languages(language: string): Option[] {
  const names = new Intl.DisplayNames([language], { type: "language" });
  return sorted(LANGUAGES.map((value) => ({ value, label: names.of(value.replace("_", "-")) ?? value })), language);
}

function currencies(language: string): Option[] {
  const names = new Intl.DisplayNames([language], { type: "currency" });
  return Intl.supportedValuesOf("currency").map((value) => ({ value, label: `${value} · ${names.of(value) ?? value}` }));
}

function sorted(options: Option[], language: string): Option[] {
  return options.toSorted((a, b) => a.label.localeCompare(b.label, language));
}
