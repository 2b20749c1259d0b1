/** The columns of the list, and what each sorts by. */
import type { SearchField } from "../../api/runSearch";
import type { Run } from "../../api/types";

export const PLAIN_COLUMNS = ["status", "run", "workflow", "step", "started", "duration", "who"] as const;
const BEFORE_FIELDS = ["status", "run"];
const DEFAULT = ["status", "run", "step", "started", "duration", "who"];

export function fieldOf(column: string): string | null {
  return column.startsWith("field:") ? column.slice(6) : null;
}

/** Every column there is, in the order in which they stand. */
export function allColumns(fields: readonly SearchField[]): string[] {
  const own = fields.map((field) => `field:${field.name}`);
  return [...BEFORE_FIELDS, ...own, ...PLAIN_COLUMNS.filter((column) => !BEFORE_FIELDS.includes(column))];
}

/** The columns to show: what was chosen, as far as it is there; else the plain ones and the first amount. */
export function shownColumns(chosen: readonly string[] | null | undefined, fields: readonly SearchField[]): string[] {
  const amount = fields.find((field) => field.kind === "amount");
  const wanted = chosen ?? (amount ? [...DEFAULT, `field:${amount.name}`] : DEFAULT);
  return allColumns(fields).filter((column) => column === "run" || wanted.includes(column));
}

/** What a column sorts by, the order that is wanted first before the other one. */
export function sortsOf(column: string, fields: readonly SearchField[]): [string, string] | null {
  if (column === "started") return ["newest", "oldest"];
  if (column === "duration") return ["longest", "shortest"];
  const name = fieldOf(column);
  const field = name === null ? undefined : fields.find((one) => one.name === name);
  return field && field.kind !== "text" ? [`largest:${field.name}`, `smallest:${field.name}`] : null;
}

/** Beside the key: the first text that says more about it. */
export function saidBeside(run: Pick<Run, "fields">, shown: readonly string[]): string | null {
  return run.fields.find((field) => field.kind === "text" && !shown.includes(`field:${field.name}`))?.text ?? null;
}
