/** What was typed into cells and is not saved yet. */
import type { ReviewColumn, ReviewRow, RowChange } from "../../api/reviews";
import type { Cell } from "../../api/tables";
import { inputText, isNumeric, typedCell } from "../tables/words";

/** A row that is being changed: the version that was seen, and what was typed by column. */
export interface Edited {
  version: number;
  cells: Readonly<Record<string, string>>;
}

/** By number of the row. */
export type Edits = Readonly<Record<number, Edited>>;

/** The amount of a cell that holds one with its currency; else what stands in it. */
export function plainCell(cell: unknown): Cell {
  if (typeof cell === "object" && cell !== null && "amount" in cell) return (cell as { amount: Cell }).amount;
  return (cell ?? null) as Cell;
}

function sameCell(one: Cell, other: Cell, column: Pick<ReviewColumn, "type">): boolean {
  const [left, right] = [inputText(one), inputText(other)];
  // 12.50 and 12.5 are one amount.
  return left === right || (isNumeric(column) && left !== "" && right !== "" && Number(left) === Number(right));
}

/** With one cell typed; a cell that is as it was again is none. */
export function withCell(edits: Edits, row: ReviewRow, column: Pick<ReviewColumn, "name" | "type">, typed: string): Edits {
  const { [row.number]: before, ...others } = edits;
  const { [column.name]: _cell, ...rest } = before?.cells ?? {};
  const read = typedCell(typed, column);
  const isSame = read.kind === "value" && sameCell(read.value, plainCell(row.data[column.name]), column);
  const cells = isSame ? rest : { ...rest, [column.name]: typed };
  if (Object.keys(cells).length === 0) return others;
  return { ...others, [row.number]: { version: before?.version ?? row.version, cells } };
}

/** What a paste of cells from a spreadsheet changes: from this row and column on, to the right and down. */
export function withPaste(edits: Edits, text: string, rows: readonly (ReviewRow | undefined)[], columns: readonly ReviewColumn[], at: { row: number; column: number }): Edits {
  let made = edits;
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  lines.forEach((line, down) => {
    const row = rows[at.row + down];
    if (row === undefined) return;
    line.split("\t").forEach((cell, right) => {
      const column = columns[at.column + right];
      if (column?.editable) made = withCell(made, row, column, cell);
    });
  });
  return made;
}

/** What is sent of them; and the cells that cannot be read, as `row/column`. */
export function changesOf(edits: Edits, columns: readonly ReviewColumn[]): { changes: RowChange[]; wrong: Set<string> } {
  const wrong = new Set<string>();
  const changes = Object.entries(edits).map(([number, edited]): RowChange => {
    const values: Record<string, Cell> = {};
    for (const [name, text] of Object.entries(edited.cells)) {
      const column = columns.find((one) => one.name === name);
      const typed = typedCell(text, { type: column?.type ?? "text" });
      if (typed.kind === "wrong") wrong.add(`${number}/${name}`);
      else values[name] = typed.value;
    }
    return { number: Number(number), version: edited.version, values };
  });
  return { changes, wrong };
}
