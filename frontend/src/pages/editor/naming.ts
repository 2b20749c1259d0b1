/** What people call a run, as the author says it: short names made from labels, and rows that can be chosen. */
import { type FieldKind, MOST_FIELDS, type Naming, type NamingField } from "../../graph";

/** Words of the search that no field can have as its name; the server knows the same. */
const RESERVED = new Set(
  "asks by cause connection error from is key longer mode run shorter since sort status step tag until version workflow".split(" "),
);

/** `Due date` → `due_date`, different from those that are taken. */
export function shortName(label: string, taken: readonly string[]): string {
  const plain = label
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/ß/g, "ss")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, 28);
  const base = plain === "" ? "field" : RESERVED.has(plain) ? `${plain}_1` : plain;
  let name = base;
  for (let number = 2; taken.includes(name); number += 1) name = `${base}_${number}`;
  return name;
}

/** What a value looks like it is. */
export function kindOf(label: string, value: unknown): FieldKind {
  const text = value === undefined || value === null ? "" : String(value);
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) return "date";
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return /total|amount|sum|price|betrag|summe|preis/i.test(label) ? "amount" : "number";
  return "text";
}

export function withField(naming: Naming | undefined, field: NamingField): Naming {
  const now = naming ?? { key: "", fields: [] };
  return now.fields.length >= MOST_FIELDS ? now : { ...now, fields: [...now.fields, field] };
}

/** Without anything said nothing is kept. */
export function tidied(naming: Naming): Naming | undefined {
  return naming.key.trim() === "" && naming.fields.length === 0 ? undefined : naming;
}
