import { Braces, List } from "lucide-react";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ExactNumber, formatExact } from "../../graph/exact";
import { FileLines } from "../../preview/FileLine";
import { filesOf } from "../../preview/value";
import { CopyButton, cx, SearchBox, useFormatter } from "../../ui";
import page from "../../ui/page.module.css";
import ui from "../../ui/ui.module.css";
import css from "./data.module.css";
import { findIn, type Found, type Path, placeOf } from "./dataSearch";
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

/** How a value at a place is written in the editor; null where it has no name there. */
export type PathOf = (path: Path) => string | null;

/** What every row has to know: how it is called in the editor, and what is looked for. */
const Rowwise = createContext<{ pathOf: PathOf | null; found: Found | null }>({ pathOf: null, found: null });

function CopyPath({ path }: { path: Path }) {
  const { t } = useTranslation("runs");
  const text = useContext(Rowwise).pathOf?.(path);
  if (!text) return null;
  return (
    <span className={css.copyPath}>
      <CopyButton text={text} label={t("data.copyPath", { path: text })} />
    </span>
  );
}

/** Of these places those that are shown, each with where it stands. */
function useShown<T>(list: readonly T[], pathOf: (one: T, index: number) => Path): { one: T; path: Path; fits: boolean }[] {
  const { found } = useContext(Rowwise);
  return list.flatMap((one, index) => {
    const path = pathOf(one, index);
    if (found === null) return [{ one, path, fits: false }];
    const place = placeOf(path);
    return found.shows.has(place) ? [{ one, path, fits: found.fits.has(place) }] : [];
  });
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
function Rows({ rows, path: whole }: { rows: readonly Fields[]; path: Path }) {
  const { t } = useTranslation("runs");
  const { pathOf, found } = useContext(Rowwise);
  const [all, setAll] = useState(false);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const meant = useShown(rows, (_row, index) => [...whole, index]);
  const shown = all ? meant : meant.slice(0, SHOWN_ITEMS);
  // Where a row as a whole has no name in the editor, its cells may have.
  const byRow = pathOf !== null && pathOf([...whole, 0]) !== null;
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
            {byRow && (
              <th scope="col">
                <span className="srOnly">{t("data.paths")}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ one: row, path }) => (
            <tr key={String(path.at(-1))}>
              {columns.map((column) => (
                <td key={column} className={isNumber(row[column]) ? css.num : undefined} data-fits={found?.fits.has(placeOf([...path, column])) || undefined}>
                  <Scalar value={row[column]} />
                  {!byRow && <CopyPath path={[...path, column]} />}
                </td>
              ))}
              {byRow && (
                <td>
                  <CopyPath path={path} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < meant.length && <More hidden={meant.length - shown.length} onClick={() => setAll(true)} />}
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

function Items({ list, depth, path: whole }: { list: readonly unknown[]; depth: number; path: Path }) {
  const { t } = useTranslation("runs");
  const [all, setAll] = useState(false);
  const meant = useShown(list, (_one, index) => [...whole, index]);
  if (list.length === 0) return <span className={css.none}>{t("data.emptyList")}</span>;
  if (isTable(list)) return <Rows rows={list} path={whole} />;
  const shown = all ? meant : meant.slice(0, SHOWN_ITEMS);
  return (
    <>
      <ol className={css.items}>
        {shown.map(({ one, path, fits }) => (
          <li key={String(path.at(-1))} style={{ counterSet: `item ${Number(path.at(-1)) + 1}` }} data-fits={fits || undefined}>
            <span className={css.withPath}>
              <Value value={one} depth={depth + 1} path={path} />
              <CopyPath path={path} />
            </span>
          </li>
        ))}
      </ol>
      {shown.length < meant.length && <More hidden={meant.length - shown.length} onClick={() => setAll(true)} />}
    </>
  );
}

function FieldsView({ fields, depth, path: whole }: { fields: Fields; depth: number; path: Path }) {
  const { t } = useTranslation("runs");
  const [all, setAll] = useState(false);
  const entries = Object.entries(fields);
  const meant = useShown(entries, ([key]) => [...whole, key]);
  if (entries.length === 0) return <span className={css.none}>{t("data.emptyObject")}</span>;
  const shown = all ? meant : meant.slice(0, SHOWN_ITEMS);
  return (
    <>
      <dl className={css.fields} data-depth={depth}>
        {shown.map(({ one: [key, value], path, fits }) => {
          const nested = isFields(value) || Array.isArray(value);
          return (
            <div key={key} className={css.field} data-nested={nested} data-fits={fits || undefined}>
              <dt title={key}>
                {labelOf(key)}
                {nested && <CopyPath path={path} />}
              </dt>
              <dd>
                <Value value={value} depth={depth + 1} path={path} />
                {!nested && <CopyPath path={path} />}
              </dd>
            </div>
          );
        })}
      </dl>
      {shown.length < meant.length && <More hidden={meant.length - shown.length} onClick={() => setAll(true)} />}
    </>
  );
}

function Value({ value, depth, path }: { value: unknown; depth: number; path: Path }): ReactNode {
  const { t } = useTranslation("runs");
  const [chosen, setOpen] = useState(depth < 3);
  // What is looked for is seen wherever it lies.
  const open = useContext(Rowwise).found !== null || chosen;
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
  return Array.isArray(value) ? <Items list={value} depth={depth} path={path} /> : <FieldsView fields={value} depth={depth} path={path} />;
}

interface DataViewProps {
  value: unknown;
  empty: string;
  /** Gives each row a button that copies how the editor writes its value. */
  pathOf?: PathOf;
  /** Offers to look for names and values. */
  searchable?: boolean;
}

/** Data for people: labelled fields, lists as tables; the exact JSON is one click away. */
export function DataView({ value, empty, pathOf, searchable = false }: DataViewProps) {
  const { t } = useTranslation("runs");
  const [json, setJson] = useState(false);
  const [typed, setTyped] = useState("");
  const looks = searchable && !json && (Array.isArray(value) || isFields(value));
  const found = useMemo(() => (looks ? findIn(value, typed, labelOf) : null), [looks, value, typed]);
  const rowwise = useMemo(() => ({ pathOf: pathOf ?? null, found }), [pathOf, found]);
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
      {looks && (
        <div className={css.search}>
          <SearchBox value={typed} onChange={setTyped} label={t("data.search")} />
          <small role="status">{found && t("data.hits", { count: found.hits })}</small>
        </div>
      )}
      {json ? (
        <pre className={css.json} tabIndex={0}>
          {text}
        </pre>
      ) : found?.hits === 0 ? (
        <p className={css.none}>{t("data.noHit")}</p>
      ) : (
        <Rowwise.Provider value={rowwise}>
          <Value value={value} depth={0} path={NOWHERE} />
        </Rowwise.Provider>
      )}
    </div>
  );
}

const NOWHERE: Path = [];
