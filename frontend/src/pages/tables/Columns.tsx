import { ArrowDown, ArrowUp, KeyRound, Plus, Trash2 } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { COLUMN_TYPES, type ColumnDraft, type ColumnType } from "../../api/tables";
import { Button, IconButton } from "../../ui";
import fields from "../../ui/fields.module.css";
import css from "./tables.module.css";
import { columnProblems, newColumn } from "./words";

interface Props {
  columns: readonly ColumnDraft[];
  onChange: (columns: readonly ColumnDraft[]) => void;
  /** The types of these stay: rows hold values of them. */
  fixed?: boolean;
}

/** The columns of a table: their names, what stands in them, and which tell rows apart. */
export function Columns({ columns, onChange, fixed = false }: Props) {
  const { t } = useTranslation("tables");
  const problems = columnProblems(columns);
  const list = useRef<HTMLOListElement>(null);
  const wanted = useRef<number | null>(null);
  const put = (at: number, part: Partial<ColumnDraft>): void => onChange(columns.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const move = (at: number, by: 1 | -1): void => {
    const next = [...columns];
    const [one] = next.splice(at, 1);
    if (one) next.splice(at + by, 0, one);
    onChange(next);
  };
  useEffect(() => {
    if (wanted.current === null) return;
    const input = list.current?.querySelectorAll<HTMLInputElement>("input[type=text]")[wanted.current];
    wanted.current = null;
    input?.focus();
    input?.select();
  });
  return (
    <div className={css.columns}>
      <ol ref={list} aria-label={t("columns.title")}>
        {columns.map((column, at) => {
          const problem = problems.get(at);
          const name = column.name.trim() || t("columns.nth", { number: at + 1 });
          const isKept = fixed && column.id !== undefined;
          return (
            <li key={column.id ?? `new-${at}`}>
              <input
                type="text"
                className={fields.input}
                aria-label={t("columns.name", { number: at + 1 })}
                aria-invalid={problem !== undefined && problem !== "missing" ? true : undefined}
                aria-describedby={problem ? `column-problem-${at}` : undefined}
                value={column.name}
                maxLength={100}
                placeholder={t("columns.placeholder")}
                onChange={(event) => put(at, { name: event.currentTarget.value })}
              />
              <select
                className={fields.input}
                aria-label={t("columns.typeOf", { name })}
                value={column.type}
                disabled={isKept && column.type !== "number" && column.type !== "amount"}
                onChange={(event) => put(at, { type: event.currentTarget.value as ColumnType })}
              >
                {COLUMN_TYPES.filter((type) => !isKept || type === column.type || isPair(type, column.type)).map((type) => (
                  <option key={type} value={type}>
                    {t(`type.${type}`)}
                  </option>
                ))}
              </select>
              <label className={css.tick} title={t("columns.keyHint")}>
                <input type="checkbox" checked={column.key} aria-label={t("columns.keyOf", { name })} onChange={(event) => put(at, { key: event.currentTarget.checked })} />
                <KeyRound size={14} aria-hidden />
                {t("columns.key")}
              </label>
              <label className={css.tick}>
                <input
                  type="checkbox"
                  checked={column.required || column.key}
                  disabled={column.key}
                  aria-label={t("columns.requiredOf", { name })}
                  onChange={(event) => put(at, { required: event.currentTarget.checked })}
                />
                {t("columns.required")}
              </label>
              <span className={css.columnActions}>
                <IconButton size="sm" label={t("columns.up", { name })} icon={<ArrowUp size={14} />} disabled={at === 0} onClick={() => move(at, -1)} />
                <IconButton size="sm" label={t("columns.down", { name })} icon={<ArrowDown size={14} />} disabled={at === columns.length - 1} onClick={() => move(at, 1)} />
                <IconButton size="sm" label={t("columns.remove", { name })} icon={<Trash2 size={14} />} disabled={columns.length === 1} onClick={() => onChange(columns.filter((_one, index) => index !== at))} />
              </span>
              {problem && problem !== "missing" && (
                <small id={`column-problem-${at}`} className={css.wrong}>
                  {t(`columns.problem.${problem}`)}
                </small>
              )}
            </li>
          );
        })}
      </ol>
      <Button
        size="sm"
        icon={<Plus size={14} aria-hidden />}
        disabled={columns.length >= 60}
        onClick={() => {
          wanted.current = columns.length;
          onChange([...columns, newColumn(columns, "")]);
        }}
      >
        {t("columns.add")}
      </Button>
      <p className={css.hint}>{t("columns.keyHint")}</p>
    </div>
  );
}

function isPair(one: ColumnType, other: ColumnType): boolean {
  return (one === "number" || one === "amount") && (other === "number" || other === "amount");
}
