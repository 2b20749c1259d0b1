import { Popover } from "@mantine/core";
import { ArrowDownToLine, Columns3, Undo2 } from "lucide-react";
import { type ClipboardEvent, type KeyboardEvent, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { fixedText, retell } from "../../i18n/server";
import { Button, cx, tableBoxClass, tableClass } from "../../ui";
import { isPasteOfCells } from "../batch/edits";
import { DOTS } from "../run/marks";
import { runTitle } from "../runs/words";
import css from "./editGrid.module.css";
import { cellOf, type Column, filledDown, type GridRow, isOpen, shownAtFirst, type Typed, withCell, withPaste, type Wrong } from "./grid";

const FEWEST_LETTERS = 8;
const MOST_LETTERS = 30;

interface GridProps {
  rows: readonly GridRow[];
  /** What all of them failed of. */
  code: string;
  columns: readonly Column[];
  typed: Typed;
  wrong: Readonly<Record<string, Readonly<Record<string, Wrong>>>>;
  /** What the server has said of rows. */
  said: Readonly<Record<string, string>>;
  onChange: (typed: Typed) => void;
}

/** The table: a row for each run, a column for each value that can be changed. */
export function EditGrid({ rows, code, columns, typed, wrong, said, onChange }: GridProps) {
  const { t } = useTranslation("deadLetters");
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<readonly string[]>(() => shownAtFirst(columns));
  const [at, setAt] = useState<{ row: number; column: number } | null>(null);
  const shown = columns.filter((column) => chosen.includes(column.id));
  const messageOf = (row: GridRow) => (row.fixed === null ? retell("failures", code, row.message) : fixedText(row.fixed));
  const cell = (row: number, column: number) => box.current?.querySelector<HTMLInputElement>(`[data-cell="${row}/${column}"]`);
  /** To the next cell in this direction that there is, past those that cannot be changed. */
  const go = (row: number, column: number, down: number, right: number): boolean => {
    const next = { row: row + down, column: column + right };
    while (next.row >= 0 && next.row < rows.length && next.column >= 0 && next.column < shown.length) {
      const found = cell(next.row, next.column);
      if (found) {
        found.focus();
        found.select();
        return true;
      }
      next.row += down;
      next.column += right;
    }
    return false;
  };
  const keyed = (event: KeyboardEvent<HTMLInputElement>, row: number, place: number) => {
    const input = event.currentTarget;
    const all = input.selectionStart === 0 && input.selectionEnd === input.value.length;
    const one = rows[row];
    const column = shown[place];
    if (!one || !column || event.nativeEvent.isComposing) return;
    const held = event.ctrlKey || event.metaKey;
    let done = true;
    if (event.key === "Enter" && !held) go(row, place, event.shiftKey ? -1 : 1, 0);
    else if (event.key === "ArrowDown" && !held) go(row, place, 1, 0);
    else if (event.key === "ArrowUp" && !held) go(row, place, -1, 0);
    else if (event.key === "ArrowLeft" && !held && !event.shiftKey && (all || (input.selectionStart === 0 && input.selectionEnd === 0))) done = go(row, place, 0, -1);
    else if (event.key === "ArrowRight" && !held && !event.shiftKey && (all || input.selectionStart === input.value.length)) done = go(row, place, 0, 1);
    else if (event.key.toLowerCase() === "d" && held) onChange(filledDown(typed, rows, column, row));
    else if (event.key === "Escape" && typed[one.run.id]?.[column.id] !== undefined) onChange(withCell(typed, one, column, cellOf(one, column).text));
    else done = false;
    if (done) event.preventDefault();
  };
  const pasted = (event: ClipboardEvent<HTMLInputElement>, row: number, column: number) => {
    const text = event.clipboardData.getData("text/plain");
    if (!isPasteOfCells(text)) return;
    event.preventDefault();
    onChange(withPaste(typed, text, rows, shown, { row, column }));
  };
  const focused = at && shown[at.column];
  return (
    <div className={css.grid}>
      <div className={css.tools}>
        <p id={`${id}-keys`}>{t("edit.keys")}</p>
        <span className={css.toolButtons}>
          <Button
            size="sm"
            icon={<ArrowDownToLine size={14} aria-hidden />}
            disabled={!focused || at.row >= rows.length - 1}
            onClick={() => at && focused && onChange(filledDown(typed, rows, focused, at.row))}
          >
            {t("edit.fillDown")}
          </Button>
          <Button size="sm" icon={<Undo2 size={14} aria-hidden />} disabled={Object.keys(typed).length === 0} onClick={() => onChange({})}>
            {t("edit.undoAll")}
          </Button>
          {columns.length > 1 && <Choose columns={columns} chosen={chosen} typed={typed} onChoose={setChosen} />}
        </span>
      </div>
      <div ref={box} className={cx(tableBoxClass, css.box)}>
        <table className={cx(tableClass, css.table)} aria-label={t("edit.table")} aria-describedby={`${id}-keys`}>
          <thead>
            <tr>
              <th scope="col">{t("edit.run")}</th>
              {shown.map((column) => (
                <th key={column.id} scope="col">
                  {column.label}
                  {column.within && <small>{column.within}</small>}
                </th>
              ))}
              <th scope="col">{t("edit.error")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, number) => {
              const told = said[row.run.id];
              const why = Object.values(wrong[row.run.id] ?? {})[0];
              return (
                <tr key={row.run.id} data-testid={`edit-${row.run.business_key ?? row.run.short_id}`} data-changed={typed[row.run.id] !== undefined || undefined}>
                  <th scope="row">
                    <a href={`/runs/${row.run.id}`} target="_blank" rel="noreferrer">
                      {runTitle(row.run)}
                      <span className="srOnly"> {t("edit.newTab")}</span>
                    </a>
                  </th>
                  {shown.map((column, place) => (
                    <td key={column.id}>
                      <OneCell
                        row={row}
                        column={column}
                        text={typed[row.run.id]?.[column.id]}
                        wrong={wrong[row.run.id]?.[column.id] !== undefined || told !== undefined}
                        place={`${number}/${place}`}
                        described={`${id}-why-${number}`}
                        onType={(text) => onChange(withCell(typed, row, column, text))}
                        onKey={(event) => keyed(event, number, place)}
                        onPaste={(event) => pasted(event, number, place)}
                        onFocus={() => setAt({ row: number, column: place })}
                      />
                    </td>
                  ))}
                  <td className={css.why} id={`${id}-why-${number}`}>
                    {why && <span className={css.wrong}>{t(`edit.wrong.${why}`)}</span>}
                    {told && <span className={css.wrong}>{told}</span>}
                    {!why && !told && (
                      <span className={css.message} title={messageOf(row)}>
                        {messageOf(row)}
                      </span>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface CellProps {
  row: GridRow;
  column: Column;
  /** What was typed, where anything was. */
  text: string | undefined;
  wrong: boolean;
  place: string;
  described: string;
  onType: (text: string) => void;
  onKey: (event: KeyboardEvent<HTMLInputElement>) => void;
  onPaste: (event: ClipboardEvent<HTMLInputElement>) => void;
  onFocus: () => void;
}

function OneCell({ row, column, text, wrong, place, described, onType, onKey, onPaste, onFocus }: CellProps) {
  const { t } = useTranslation("deadLetters");
  const { kind, text: before } = cellOf(row, column);
  if (!isOpen(row, column)) {
    const shown = kind === "masked" ? DOTS : kind === "none" ? "–" : before;
    return (
      <span className={css.still} title={kind === "long" ? t("edit.long") : undefined}>
        {shown || "–"}
      </span>
    );
  }
  const changed = text !== undefined;
  const was = kind === "masked" ? t("edit.wasHidden") : before === "" ? t("edit.wasEmpty") : t("edit.was", { value: before });
  return (
    <>
      <input
        className={cx(css.cell, kind === "number" && css.number)}
        style={{ minWidth: `calc(${Math.min(MOST_LETTERS, Math.max(FEWEST_LETTERS, before.length))}ch + 20px)` }}
        aria-label={`${column.label}, ${runTitle(row.run)}`}
        aria-invalid={(wrong && changed) || undefined}
        aria-describedby={wrong && changed ? described : undefined}
        data-cell={place}
        data-changed={changed || undefined}
        // Takes back what was typed here, and does not close what is around it.
        data-mantine-stop-propagation={changed || undefined}
        autoComplete="off"
        spellCheck={false}
        inputMode={kind === "number" ? "decimal" : undefined}
        placeholder={kind === "masked" ? DOTS : undefined}
        value={text ?? before}
        onChange={(event) => onType(event.currentTarget.value)}
        onKeyDown={onKey}
        onPaste={onPaste}
        onFocus={onFocus}
      />
      {changed && <small className={css.was}>{was}</small>}
    </>
  );
}

/** Which values are columns; one in which something was typed stays. */
function Choose({ columns, chosen, typed, onChoose }: { columns: readonly Column[]; chosen: readonly string[]; typed: Typed; onChoose: (ids: readonly string[]) => void }) {
  const { t } = useTranslation("deadLetters");
  const used = new Set(Object.values(typed).flatMap((cells) => Object.keys(cells)));
  return (
    <Popover position="bottom-end" shadow="md" radius={10} trapFocus withinPortal>
      <Popover.Target>
        <Button size="sm" icon={<Columns3 size={14} aria-hidden />}>
          {t("edit.columns")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={css.choose} role="dialog" aria-label={t("edit.columns")} data-mantine-stop-propagation>
        {columns.map((column) => {
          const on = chosen.includes(column.id);
          return (
            <label key={column.id}>
              <input
                type="checkbox"
                // Escape closes these choices, and not the table around them.
                data-mantine-stop-propagation
                checked={on}
                disabled={on && (used.has(column.id) || chosen.length === 1)}
                onChange={() => onChoose(on ? chosen.filter((one) => one !== column.id) : [...chosen, column.id])}
              />
              <span>
                {column.label}
                {column.within && <small>{column.within}</small>}
              </span>
            </label>
          );
        })}
      </Popover.Dropdown>
    </Popover>
  );
}
