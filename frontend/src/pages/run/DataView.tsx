import { Braces, List } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import { ExactNumber, formatExact } from "../../graph/exact";
import { FileLines } from "../../preview/FileLine";
import { filesOf } from "../../preview/value";
import { CopyButton, cx, useFormatter } from "../../ui";
import page from "../../ui/page.module.css";
import ui from "../../ui/ui.module.css";
import css from "./data.module.css";
import { Masked } from "./Masked";
import { dotted, isMark } from "./marks";

const SHOWN_ITEMS = 50;
const SHOWN_TEXT = 600;
const WIDEST_TABLE = 8;

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber) && !isMark(value);
}

/** `customer_name` and `customerName` as "Customer name". */
export function labelOf(key: string): string {
  const words = key
    .replace(/[_\-.]+/g, " ")
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, (_all, left: string, right: string) => `${left} ${right.toLowerCase()}`)
    .trim();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : key;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function LongText({ text }: { text: string }) {
  const { t } = useTranslation("runs");
  const [all, setAll] = useState(false);
  if (text.length <= SHOWN_TEXT || all) return <span className={css.text}>{text}</span>;
  return (
    <span className={css.text}>
      {text.slice(0, SHOWN_TEXT)}…{" "}
      <button type="button" className={ui.link} onClick={() => setAll(true)}>
        {t("data.showAllText", { count: text.length })}
      </button>
    </span>
  );
}

function Scalar({ value }: { value: unknown }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  if (isMark(value)) return <Masked mark={value} />;
  if (value === null || value === undefined) return <span className={css.none}>{t("data.null")}</span>;
  if (value === "") return <span className={css.none}>{t("data.emptyText")}</span>;
  if (typeof value === "boolean") return <span>{value ? t("common:yes") : t("common:no")}</span>;
  if (value instanceof ExactNumber) return <span className="tn">{value.source}</span>;
  if (typeof value === "number") return <span className="tn">{String(value)}</span>;
  if (typeof value === "string") {
    if (INSTANT.test(value)) {
      return (
        <time dateTime={value} title={value}>
          {format.exact(value)}
        </time>
      );
    }
    return <LongText text={value} />;
  }
  return <span>{String(value)}</span>;
}

function More({ hidden, onClick }: { hidden: number; onClick: () => void }) {
  const { t } = useTranslation("runs");
  return (
    <button type="button" className={cx(ui.link, css.more)} onClick={onClick}>
      {t("data.showMore", { count: hidden })}
    </button>
  );
}

/** A list of similar objects as a table. */
function Rows({ rows }: { rows: readonly Fields[] }) {
  const [all, setAll] = useState(false);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = all ? rows : rows.slice(0, SHOWN_ITEMS);
  return (
    <div className={css.tableBox} tabIndex={0} role="group">
      <table className={css.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" title={column}>
                {labelOf(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <td key={column} className={isNumber(row[column]) ? css.num : undefined}>
                  <Scalar value={row[column]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && <More hidden={rows.length - shown.length} onClick={() => setAll(true)} />}
    </div>
  );
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || value instanceof ExactNumber;
}

function isTable(list: readonly unknown[]): list is Fields[] {
  if (list.length === 0 || !list.every(isFields)) return false;
  const columns = new Set(list.flatMap((row) => Object.keys(row as Fields)));
  if (columns.size === 0 || columns.size > WIDEST_TABLE) return false;
  return list.every((row) => Object.values(row as Fields).every((cell) => typeof cell !== "object" || cell === null || cell instanceof ExactNumber || isMark(cell)));
}

function Items({ list, depth }: { list: readonly unknown[]; depth: number }) {
  const { t } = useTranslation("runs");
  const [all, setAll] = useState(false);
  if (list.length === 0) return <span className={css.none}>{t("data.emptyList")}</span>;
  if (isTable(list)) return <Rows rows={list} />;
  const shown = all ? list : list.slice(0, SHOWN_ITEMS);
  return (
    <>
      <ol className={css.items}>
        {shown.map((item, index) => (
          <li key={index}>
            <Value value={item} depth={depth + 1} />
          </li>
        ))}
      </ol>
      {shown.length < list.length && <More hidden={list.length - shown.length} onClick={() => setAll(true)} />}
    </>
  );
}

function FieldsView({ fields, depth }: { fields: Fields; depth: number }) {
  const { t } = useTranslation("runs");
  const [all, setAll] = useState(false);
  const entries = Object.entries(fields);
  if (entries.length === 0) return <span className={css.none}>{t("data.emptyObject")}</span>;
  const shown = all ? entries : entries.slice(0, SHOWN_ITEMS);
  return (
    <>
      <dl className={css.fields} data-depth={depth}>
        {shown.map(([key, value]) => {
          const nested = isFields(value) || Array.isArray(value);
          return (
            <div key={key} className={css.field} data-nested={nested}>
              <dt title={key}>{labelOf(key)}</dt>
              <dd>
                <Value value={value} depth={depth + 1} />
              </dd>
            </div>
          );
        })}
      </dl>
      {shown.length < entries.length && <More hidden={entries.length - shown.length} onClick={() => setAll(true)} />}
    </>
  );
}

function Value({ value, depth }: { value: unknown; depth: number }): ReactNode {
  const { t } = useTranslation("runs");
  const [open, setOpen] = useState(depth < 3);
  const files = filesOf(value);
  if (files.length > 0) return <FileLines files={files} />;
  const nested = Array.isArray(value) || isFields(value);
  if (!nested) return <Scalar value={value} />;
  if (!open) {
    const count = Array.isArray(value) ? value.length : Object.keys(value).length;
    return (
      <button type="button" className={ui.link} onClick={() => setOpen(true)}>
        {Array.isArray(value) ? t("data.items", { count }) : t("data.fields", { count })}
      </button>
    );
  }
  return Array.isArray(value) ? <Items list={value} depth={depth} /> : <FieldsView fields={value} depth={depth} />;
}

/** Data for people: labelled fields, lists as tables; the exact JSON is one click away. */
export function DataView({ value, empty }: { value: unknown; empty: string }) {
  const { t } = useTranslation("runs");
  const [json, setJson] = useState(false);
  if (value === undefined || value === null) return <p className={css.none}>{empty}</p>;
  const text = formatExact(dotted(value), 2);
  return (
    <div className={css.view}>
      <div className={css.bar}>
        <div className={page.segments} role="radiogroup" aria-label={t("data.viewAs")}>
          <button
            type="button"
            role="radio"
            aria-checked={!json}
            className={page.segment}
            onClick={() => setJson(false)}
          >
            <List size={14} aria-hidden />
            {t("data.human")}
          </button>
          <button type="button" role="radio" aria-checked={json} className={page.segment} onClick={() => setJson(true)}>
            <Braces size={14} aria-hidden />
            {t("data.json")}
          </button>
        </div>
        <CopyButton text={text} label={t("data.copy")} />
      </div>
      {json ? (
        <pre className={css.json} tabIndex={0}>
          {text}
        </pre>
      ) : (
        <Value value={value} depth={0} />
      )}
    </div>
  );
}
