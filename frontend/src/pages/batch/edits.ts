/** Entries that are mended in a table: which fields there are, what was typed, and what comes of it. */

/** Cells that were changed, by entry and field. */
export type Edits = Readonly<Record<number, Readonly<Record<string, string>>>>;

const MOST_FIELDS = 12;

export function isFields(item: unknown): item is Record<string, unknown> {
  return typeof item === "object" && item !== null && !Array.isArray(item);
}

/** The fields that can be mended in a table: those that hold one value. */
export function fieldsOf(items: readonly unknown[]): string[] {
  const found = new Set<string>();
  for (const item of items) {
    if (!isFields(item)) continue;
    for (const [name, value] of Object.entries(item)) if (typeof value !== "object" || value === null) found.add(name);
  }
  return [...found].slice(0, MOST_FIELDS);
}

export function textOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** What was typed, as what stood there before; null where it is no such thing. */
export function valueOf(before: unknown, typed: string): { value: unknown } | null {
  const text = typed.trim();
  if (typeof before === "boolean") return text === "true" || text === "false" ? { value: text === "true" } : null;
  if (typeof before === "number") return text !== "" && /^-?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : null;
  if (before === null && text === "") return { value: null };
  return { value: typed };
}

/** The entry with what was typed; or the names of fields that are wrong. */
export function mended(item: unknown, typed: Readonly<Record<string, string>>): { item: unknown; wrong: string[] } {
  if (!isFields(item)) return { item, wrong: [] };
  const made: Record<string, unknown> = { ...item };
  const wrong: string[] = [];
  for (const [name, text] of Object.entries(typed)) {
    const found = valueOf(item[name], text);
    if (found === null) wrong.push(name);
    else made[name] = found.value;
  }
  return { item: made, wrong };
}

/** What a paste of cells from a spreadsheet changes: from this entry and field on, to the right and down. */
export function pasted(edits: Edits, text: string, numbers: readonly number[], fields: readonly string[], at: { row: number; field: number }): Edits {
  const made: Record<number, Record<string, string>> = Object.fromEntries(Object.entries(edits).map(([number, cells]) => [Number(number), { ...cells }]));
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  lines.forEach((line, down) => {
    const number = numbers[at.row + down];
    if (number === undefined) return;
    line.split("\t").forEach((cell, right) => {
      const field = fields[at.field + right];
      if (field !== undefined) (made[number] ??= {})[field] = cell;
    });
  });
  return made;
}

/** The same without those of these entries, which are given nothing else. */
export function withoutFixed(edits: Edits, entries: readonly { index: number; fixed: unknown }[]): Edits {
  const fixed = new Set(entries.filter((one) => one.fixed !== null).map((one) => one.index));
  return Object.fromEntries(Object.entries(edits).filter(([number]) => !fixed.has(Number(number))));
}

export function isPasteOfCells(text: string): boolean {
  return /[\t\n]/.test(text.replace(/\r?\n$/, ""));
}

/** What was typed beyond what was sent: nobody waits for an answer before they go on. */
export function typedSince(typed: Edits, sent: Edits): Edits {
  const left = Object.entries(typed).map(([number, cells]) => {
    const cellsSent = sent[Number(number)] ?? {};
    return [Number(number), Object.fromEntries(Object.entries(cells).filter(([name, text]) => cellsSent[name] !== text))] as const;
  });
  return Object.fromEntries(left.filter(([, cells]) => Object.keys(cells).length > 0));
}
