import { ArrowRight, ChevronDown, ChevronRight, X } from "lucide-react";
import { createElement, type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";

import { type DataRow, isBehindFailure, isJsonObject, type Json } from "../graph";
import { cx, IconButton, Kbd, SearchBox } from "../ui";
import { stepIcon } from "../ui/stepIcons";
import { FLYOUT_WIDTH as WIDTH, liesBeside, picker, usePicker } from "./dataPicker";
import { type DataSource, linksOf, rowsOf, shortValue, sourcesFor, type Translate } from "./dataWords";
import { useDataScope } from "./DataScope";
import { useEditor, useEnvironment } from "./EditorContext";
import { FormulaList } from "./FormulaList";
import pick from "./data.module.css";

const TYPE_BADGES = { text: "T", number: "12", date: "▦", bool: "✓", object: "{ }", list: "[ ]", empty: "–" } as const;

/** Where a dialog offers data of its own, its fields are not the step's. */
const OWN = "[data-own-data]";

/** Data of earlier steps, nearest first, or what else formulas read here, beside the field that has the focus. */
export function DataFlyout({ node }: { node: string }) {
  const target = usePicker((state) => state.target);
  const dismissed = usePicker((state) => state.dismissed);
  const own = useDataScope() !== null;
  if (!target || dismissed === target.id || !target.element.isConnected) return null;
  const dialog = target.element.closest(OWN);
  if ((dialog !== null) !== own) return null;
  return createPortal(<Flyout key={node} node={node} />, dialog ?? document.body);
}

/** How high it is where a place is kept for it. */
const DOCKED = 400;

interface Place {
  left: number;
  top: number;
  width: number;
  maxHeight: number;
  below: boolean;
}

function usePlace(): Place | null {
  const target = usePicker((state) => state.target);
  const [place, setPlace] = useState<Place | null>(null);
  useLayoutEffect(() => {
    if (!target) return;
    const measure = (): void => {
      const field = target.element.getBoundingClientRect();
      const panel = target.element.closest("[data-panel]")?.getBoundingClientRect();
      const edge = panel ? panel.left : field.left;
      const height = 440;
      const dock = target.element.closest(OWN)?.querySelector("[data-flyout-dock]")?.getBoundingClientRect();
      if (dock && dock.width > 0) {
        const room = Math.min(DOCKED, dock.height - 120);
        setPlace({ left: dock.left + 8, top: dock.bottom - room - 8, width: dock.width - 16, maxHeight: room, below: true });
      } else if (panel ? liesBeside(edge) : edge >= WIDTH + 8) {
        const top = Math.max(64, Math.min(field.top - 40, window.innerHeight - height - 16));
        setPlace({ left: edge - WIDTH, top, width: WIDTH, maxHeight: Math.min(height, window.innerHeight - top - 12), below: false });
      } else {
        // No room beside the panel: under the field, never over it.
        const under = window.innerHeight - field.bottom - 12;
        const above = field.top - 12;
        const useUnder = under >= 220 || under >= above;
        const room = Math.min(360, useUnder ? under : above);
        setPlace({ left: Math.max(8, Math.min(field.left, window.innerWidth - Math.max(WIDTH, field.width) - 8)), top: useUnder ? field.bottom + 4 : field.top - room - 4, width: Math.max(WIDTH, field.width), maxHeight: room, below: true });
      }
    };
    measure();
    window.addEventListener("resize", measure);
    document.addEventListener("scroll", measure, true);
    return () => {
      window.removeEventListener("resize", measure);
      document.removeEventListener("scroll", measure, true);
    };
  }, [target]);
  return place;
}

function Flyout({ node }: { node: string }) {
  const { t } = useTranslation("inspector");
  const place = usePlace();
  const scope = useDataScope();
  const [tab, setTab] = useState<"steps" | "formulas">("steps");
  const [query, setQuery] = useState("");
  const box = useRef<HTMLElement>(null);
  const shown = place !== null;
  useEntry(box, shown);
  useEffect(() => {
    const element = box.current;
    if (!shown || !element) return;
    const keep = (event: MouseEvent): void => {
      // The field keeps its cursor while something is picked here; inputs still take the focus.
      if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
    };
    const close = (event: globalThis.KeyboardEvent): void => {
      if (event.key === "Escape") {
        // A search with words in it gives these up first.
        if (event.target instanceof HTMLInputElement && event.target.value !== "") return;
        event.preventDefault();
        event.stopPropagation();
        toField();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        // Rows of data move by themselves; from the search, and among formulas, this does.
        if (event.target instanceof HTMLElement && event.target.role === "treeitem") return;
        const rows = [...element.querySelectorAll<HTMLElement>(ROWS)];
        const at = rows.indexOf(event.target as HTMLElement);
        const next = rows[event.key === "ArrowDown" ? at + 1 : at - 1];
        if (!next) return;
        event.preventDefault();
        event.stopPropagation();
        next.focus();
      }
    };
    element.addEventListener("mousedown", keep);
    element.addEventListener("keydown", close);
    return () => {
      element.removeEventListener("mousedown", keep);
      element.removeEventListener("keydown", close);
    };
  }, [shown]);
  if (!place) return null;
  return (
    <section
      ref={box}
      className={cx(pick.flyout, place.below && pick.flyoutBelow)}
      style={{ left: place.left, top: place.top, width: place.width, maxHeight: place.maxHeight }}
      data-flyout
      aria-label={t("flyout.title")}
    >
      <header>
        <b>{t("flyout.title")}</b>
        <span className={pick.flyoutTabs} role="tablist">
          {(["steps", "formulas"] as const).map((name) => (
            <button key={name} type="button" role="tab" aria-selected={tab === name} className={cx(pick.flyoutTab, tab === name && pick.flyoutTabOn)} onClick={() => setTab(name)}>
              {name === "steps" && scope ? t("flyout.data") : t(`flyout.${name}`)}
            </button>
          ))}
        </span>
        <IconButton size="sm" label={t("flyout.close")} icon={<X size={14} />} onClick={() => picker.dismiss()} />
      </header>
      <SearchBox value={query} onChange={setQuery} label={tab === "steps" ? t("flyout.search") : t("flyout.searchFormulas")} className={pick.flyoutSearch ?? ""} />
      {tab === "steps" ? <SourceTree node={node} query={query} /> : <div data-formula-list className={pick.formulas}><FormulaList query={query} /></div>}
      <footer>
        <ArrowRight size={13} aria-hidden /> {t("flyout.hint")} <Kbd>↑</Kbd>
        <Kbd>↓</Kbd> <Kbd>Enter</Kbd>
      </footer>
    </section>
  );
}

const ROWS = "[role=treeitem], [data-formula-list] button";

/** The text field that data is picked for gets its cursor back. */
function toField(): void {
  const element = usePicker.getState().target?.element;
  (element?.querySelector<HTMLElement>("[contenteditable=true]") ?? element)?.focus();
}

/** From the field, ↓ (on its last line) or Ctrl+Space leads into the list. */
function useEntry(box: RefObject<HTMLElement | null>, shown: boolean): void {
  const field = usePicker((state) => state.target?.element);
  useEffect(() => {
    if (!shown || !field) return;
    const enter = (event: globalThis.KeyboardEvent): void => {
      const down = event.key === "ArrowDown" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && onLastLine();
      const asked = event.key === " " && event.ctrlKey;
      if ((!down && !asked) || document.querySelector(".cm-tooltip-autocomplete")) return;
      const first = box.current?.querySelector<HTMLElement>(ROWS) ?? box.current?.querySelector<HTMLElement>("input");
      if (!first) return;
      event.preventDefault();
      event.stopPropagation();
      first.focus();
    };
    field.addEventListener("keydown", enter, true);
    return () => field.removeEventListener("keydown", enter, true);
  }, [box, field, shown]);
}

/** Whether the cursor of a text stands where ↓ leads nowhere. */
function onLastLine(): boolean {
  const selection = window.getSelection();
  const node = selection?.focusNode;
  const line = (node instanceof Element ? node : node?.parentElement)?.closest(".cm-line");
  if (!selection || !line) return true;
  if (line.nextElementSibling) return false;
  const caret = selection.getRangeAt(0).getBoundingClientRect();
  return caret.height === 0 || caret.bottom > line.getBoundingClientRect().bottom - caret.height;
}

interface Shown {
  source: DataSource;
  rows: DataRow[];
}

function SourceTree({ node, query }: { node: string; query: string }) {
  const { t: translate } = useTranslation("inspector");
  const t = translate as unknown as Translate;
  const { samples } = useEnvironment();
  const field = usePicker((state) => state.target?.element.dataset["field"] ?? null);
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set());
  const scope = useDataScope();
  const list = useRef<HTMLDivElement>(null);
  const sources = useMemo(() => {
    if (scope) return scope.sources(field);
    const found = sourcesFor(document, specs, samples, node, t, field);
    const run: DataSource = {
      id: "run", node: null, title: t("flyout.run"), root: "run", key: null, origin: "example", category: "start", icon: "play",
      sample: { id: "0198…", started_at: new Date().toISOString(), mode: "live", version: 1, attempt: 1, ...linksOf(document) },
    };
    const error: DataSource = {
      id: "error", node: null, title: t("flyout.error"), root: "error", key: null, origin: "example", category: "people", icon: "circle-alert",
      sample: { title: "…", message: "…", code: "…", step: "…" },
    };
    return [...(isBehindFailure(document, node) ? [error] : []), ...found, run];
  }, [document, specs, samples, node, field, scope, t]);
  const wanted = query.trim().toLowerCase();
  const shown = useMemo<Shown[]>(() => {
    const all = sources.map((source) => ({ source, rows: bodyFirst(rowsOf(source, t)) }));
    if (!wanted) return all;
    return all
      .map(({ source, rows }) => ({ source, rows: rows.filter((row) => matches(row, source, wanted)) }))
      .filter((group) => group.rows.length > 0);
  }, [sources, wanted, t]);
  const toggle = (expression: string): void => {
    const next = new Set(open);
    if (!next.delete(expression)) next.add(expression);
    setOpen(next);
  };
  const move = (event: KeyboardEvent, expression: string, hasChildren: boolean): void => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[role=treeitem]") ?? [])];
    const at = rows.indexOf(event.currentTarget as HTMLElement);
    if (event.key === "ArrowDown") rows[at + 1]?.focus();
    else if (event.key === "ArrowUp" && at > 0) rows[at - 1]?.focus();
    else if (event.key === "ArrowUp") toField();
    else if (event.key === "ArrowRight" && hasChildren && !isOpen(expression)) toggle(expression);
    else if (event.key === "ArrowLeft" && hasChildren && isOpen(expression)) toggle(expression);
    else if (event.key === "Enter" || event.key === " ") usePicker.getState().target?.insert(expression);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isOpen = (expression: string): boolean => wanted !== "" || open.has(expression);
  /** A row is shown while everything it lies in is open; what a start's body holds is open from the beginning. */
  const visible = (row: DataRow, rows: readonly DataRow[]): boolean => {
    if (wanted) return true;
    return rows.every((other) => other === row || !isInside(row.expression, other.expression) || open.has(other.expression) || isEnvelope(other));
  };
  if (shown.length === 0) return <p className={pick.flyoutNone}>{t("flyout.none", { query })}</p>;
  return (
    <div ref={list} className={pick.flyoutList} role="tree" aria-label={t(scope ? "flyout.data" : "flyout.steps")}>
      {shown.map(({ source, rows }) => (
        <div key={source.id} role="group" aria-label={source.title}>
          <div className={pick.group}>
            <span data-category={source.category}>{createElement(stepIcon(source.icon), { size: 14, "aria-hidden": true })}</span>
            <b>{source.title}</b>
            {source.node && <small>{t(`flyout.origin.${source.origin}`)}</small>}
          </div>
          {rows
            .filter((row) => visible(row, rows) && !(isEnvelope(row) && !wanted))
            .map((row, at) => (
              <div
                key={row.expression}
                role="treeitem"
                aria-selected={false}
                aria-level={row.depth + 1}
                aria-expanded={row.hasChildren ? isOpen(row.expression) : undefined}
                tabIndex={at === 0 ? 0 : -1}
                className={pick.dataRow}
                style={{ paddingInlineStart: 10 + Math.max(0, row.depth - (rows.some((other) => isEnvelope(other) && isInside(row.expression, other.expression)) ? 1 : 0)) * 14 }}
                title={row.expression}
                data-testid={`data-${row.expression}`}
                onClick={() => usePicker.getState().target?.insert(row.expression)}
                onKeyDown={(event) => move(event, row.expression, row.hasChildren)}
              >
                {row.hasChildren && !wanted ? (
                  <button
                    type="button"
                    tabIndex={-1}
                    aria-label={t("flyout.expand", { name: row.label })}
                    onClick={(event) => {
                      event.stopPropagation();
                      toggle(row.expression);
                    }}
                  >
                    {isOpen(row.expression) ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
                  </button>
                ) : (
                  <i className={pick.indent} />
                )}
                <span className={pick.type}>{TYPE_BADGES[row.type]}</span>
                <b>{wanted && row.trail.length > 0 ? `${row.trail.at(-1)} › ${labelOf(row, t)}` : labelOf(row, t)}</b>
                <em>{source.node || scope ? shortValue(row.value as Json, t) : ""}</em>
                <span className={pick.insert} aria-hidden>
                  {t("flyout.insert")}
                </span>
              </div>
            ))}
          {rows.length === 0 && <p className={pick.flyoutNone}>{t("flyout.noSample")}</p>}
        </div>
      ))}
    </div>
  );
}

/** The fields of the body before status, headers and the like. */
function bodyFirst(rows: DataRow[]): DataRow[] {
  const body = rows.find(isEnvelope);
  if (!body) return rows;
  const inside = rows.filter((row) => row === body || isInside(row.expression, body.expression));
  return [...inside, ...rows.filter((row) => !inside.includes(row))];
}

function labelOf(row: DataRow, t: Translate): string {
  return row.label === "first" ? t("flyout.first") : row.label;
}

function isInside(expression: string, parent: string): boolean {
  return expression.length > parent.length && expression.startsWith(parent) && /[.[]/.test(expression[parent.length] ?? "");
}

/** What came in, or what another system answered: its fields are what people look for, not the word "body". */
function isEnvelope(row: DataRow): boolean {
  return row.hasChildren && /^(trigger|steps\.\w+)\.body$/.test(row.expression);
}

function matches(row: DataRow, source: DataSource, wanted: string): boolean {
  const value = Array.isArray(row.value) || isJsonObject(row.value) ? "" : String(row.value);
  const plain = value.replace(/[\s,.']/g, "");
  return (
    row.label.toLowerCase().includes(wanted) ||
    row.expression.toLowerCase().includes(wanted) ||
    value.toLowerCase().includes(wanted) ||
    (/\d/.test(wanted) && plain.includes(wanted.replace(/[\s,.']/g, ""))) ||
    (source.title.toLowerCase().includes(wanted) && row.depth === 0)
  );
}

