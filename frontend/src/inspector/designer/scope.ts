/** What formulas of a design read: the document's data, and within a table the row. */
import { isJsonObject, type Json, type JsonObject, parseTemplate, simplePath, valueAt } from "../../graph";
import type { DataScope } from "../DataScope";
import type { DataSource, Translate } from "../dataWords";

/** Fields of a table that are worked out for each row. */
const OF_A_ROW = /^(columns\.\d+\.value|group)$/;

/** `rows`: of the table whose settings are shown; null where it is none. */
export function scopeOf(sample: JsonObject, rows: Json, t: Translate): DataScope {
  const data = source("data", t("scope.data"), "file-text", sample);
  const row = rows === null ? null : source("item", t("scope.row"), "list", firstRow(rows, sample));
  return { sources: (field) => (row && field !== null && OF_A_ROW.test(field) ? [row, data] : [data]) };
}

function source(root: string, title: string, icon: string, sample: Json | undefined): DataSource {
  return { id: root, node: null, title, root, key: null, sample, origin: "example", category: "data", icon };
}

/** The first of the rows that a formula names, as far as it can be told without working it out. */
export function firstRow(rows: Json | undefined, sample: JsonObject): Json | undefined {
  const parts = typeof rows === "string" ? parseTemplate(rows) : [];
  const path = parts.length === 1 && parts[0]?.kind === "expression" ? simplePath(parts[0].source) : null;
  const list = path?.root === "data" ? valueAt(sample, path.path) : undefined;
  return Array.isArray(list) ? list[0] : undefined;
}

/** The step's data with what formulas give in their place; null where it is none for a document. */
export async function dataOfStep(setting: Json | undefined, evaluate: (template: string) => Promise<Json>): Promise<JsonObject | null> {
  const found = await filled(setting ?? null, evaluate);
  return isJsonObject(found) ? found : null;
}

async function filled(value: Json, evaluate: (template: string) => Promise<Json>): Promise<Json> {
  if (typeof value === "string") return value.includes("{{") ? await evaluate(value) : value;
  if (Array.isArray(value)) return await Promise.all(value.map((one) => filled(one, evaluate)));
  if (!isJsonObject(value)) return value;
  const entries = await Promise.all(Object.entries(value).map(async ([name, one]) => [name, await filled(one, evaluate)] as const));
  return Object.fromEntries(entries);
}
