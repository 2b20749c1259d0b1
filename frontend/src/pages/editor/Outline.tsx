import { CircleX, ListTree, Plus, Repeat, TriangleAlert, Undo2, Workflow, Zap } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useConnections } from "../../api/queries";
import {
  addStep, type Anchor, BODY_HANDLE, ERROR_HANDLE, indexOf, isRepeat, moveTo, nextStart, outline, type OutlineRow, type StepSpec, UNDO_HANDLE,
} from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { summaryText } from "../../i18n/summaries";
import { Button, cx, IconButton, Tile } from "../../ui";
import css from "./editor.module.css";
import tree from "./outline.module.css";
import { useLayer } from "./layers";
import { prefilled } from "./prefill";
import { ProblemsBar } from "./ProblemsBar";
import { QuickAdd, StepChooser } from "./QuickAdd";
import { ui, useUi } from "./uiStore";
import type { EditorCommands } from "./useEditorKeys";

/** The same document as a list: everything can be built here without a pointer, and on a phone. */
export interface OutlineProps {
  narrow: boolean;
  /** How the workflow stands, where the bar on top has no room to say it. */
  chips: ReactNode;
  onClose(): void;
  keys: EditorCommands;
}

export function Outline({ narrow, chips, onClose, keys }: OutlineProps) {
  const { t } = useTranslation("editor");
  const { store, timeZone } = useEnvironment();
  const connections = useConnections();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const readOnly = useEditor((state) => state.readOnly);
  const quickAdd = useUi((state) => state.quickAdd);
  const rows = useMemo(() => outline(document, specs), [document, specs]);
  const leave = (): void => {
    onClose();
    // The canvas takes the place of the list first.
    keys.backToMain(80);
  };
  useLayer(!narrow, leave);
  useEffect(() => {
    if (narrow) return;
    const timer = setTimeout(() => {
      if (window.document.activeElement === window.document.body) keys.toMain();
    }, 60);
    return () => clearTimeout(timer);
  }, [narrow, keys]);
  const add = (spec: StepSpec, anchor: Anchor): void => {
    const id = addStep(store, prefilled(spec, { timeZone, connections: connections.data ?? [] }), anchor);
    ui.set({ quickAdd: null, panelOpen: true, panelTab: "setup", focusField: { node: id, field: "", stamp: Date.now() } });
  };
  return (
    <section className={tree.outline} aria-label={t("outline.title")}>
      <header>
        <h2 className={cx(narrow && "srOnly")}>
          <ListTree size={17} aria-hidden /> {t("outline.title")}
        </h2>
        {chips}
        {!narrow && <span className={css.grow} />}
        {!readOnly && document.nodes.length > 0 && (
          <Button
            size="sm"
            className={css.wordless}
            aria-label={t("outline.addStart")}
            icon={<Plus size={14} aria-hidden />}
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              ui.quickAdd({ kind: "free", position: nextStart(store.getState().document, store.getState().specs) }, { clientX: box.left, clientY: box.bottom });
            }}
          >
            <span>{t("outline.addStart")}</span>
          </Button>
        )}
        {!narrow && (
          <Button size="sm" icon={<Workflow size={14} aria-hidden />} onClick={leave}>
            {t("outline.canvas")}
          </Button>
        )}
      </header>
      {document.nodes.length === 0 && !readOnly ? (
        <div className={css.blankInline}>
          <h2>{t("start.question")}</h2>
          <StepChooser anchor={{ kind: "free", position: { x: 0, y: 0 } }} onPick={(spec) => add(spec, { kind: "free", position: { x: 0, y: 0 } })} />
        </div>
      ) : (
        <Tree hint={narrow ? t("outline.small") : ""} rows={rows} keys={keys} onLeave={narrow ? undefined : leave} />
      )}
      {document.nodes.length > 0 && <ProblemsBar />}
      {quickAdd && <QuickAdd anchor={quickAdd.anchor} place={quickAdd.place} onPick={(spec) => add(spec, quickAdd.anchor)} onClose={() => ui.set({ quickAdd: null })} />}
    </section>
  );
}

interface Flat {
  row: OutlineRow;
  level: number;
  parent: string | null;
}

function flatten(rows: readonly OutlineRow[], closed: ReadonlySet<string>, level = 1, parent: string | null = null): Flat[] {
  return rows.flatMap((row) => [
    { row, level, parent },
    ...(row.kind !== "goto" && !closed.has(row.id) ? flatten(row.children, closed, level + 1, row.id) : []),
  ]);
}

interface TreeProps {
  rows: readonly OutlineRow[];
  keys: EditorCommands;
  onLeave: (() => void) | undefined;
  hint: string;
}

function Tree({ rows, keys, onLeave, hint }: TreeProps) {
  const { t } = useTranslation("editor");
  const { store } = useEnvironment();
  const selection = useEditor((state) => state.selection);
  const readOnly = useEditor((state) => state.readOnly);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const flat = useMemo(() => flatten(rows, closed), [rows, closed]);
  const current = flat.find((item) => item.row.id === active) ?? flat.find((item) => item.row.id === selection[0]) ?? flat[0];

  const focus = (id: string): void => {
    setActive(id);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`)?.focus());
  };
  const choose = (row: OutlineRow, open: boolean): void => {
    store.select([row.node]);
    if (open) ui.set({ panelOpen: true, panelTab: row.kind !== "way" ? "setup" : row.failure ? "fails" : row.handle === UNDO_HANDLE ? "undo" : "setup" });
  };
  const toggle = (id: string): void => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  const swap = (row: OutlineRow, by: 1 | -1): void => {
    // Moving in the list moves the card on the canvas; the order of the flow itself is made of links.
    const node = store.getState().document.nodes.find((other) => other.id === row.node);
    if (node) moveTo(store, new Map([[node.id, { x: node.position.x, y: node.position.y + by * 128 }]]));
  };
  /** The links a row stands for: all of a way out, or the one that leads to a step that stands elsewhere. */
  const linksOf = ({ row, parent }: Flat): string[] => {
    const { edges } = store.getState().document;
    if (row.kind === "way") return edges.filter((edge) => edge.source === row.node && edge.sourceHandle === row.handle).map((edge) => edge.id);
    const way = flat.find((other) => other.row.id === parent)?.row;
    if (row.kind !== "goto" || way?.kind !== "way") return [];
    return edges.filter((edge) => edge.source === way.node && edge.sourceHandle === way.handle && edge.target === row.node).map((edge) => edge.id);
  };
  const onKeyDown = (event: KeyboardEvent, item: Flat): void => {
    if (event.ctrlKey || event.metaKey) return;
    const at = flat.indexOf(item);
    const { row } = item;
    const open = row.kind !== "goto" && row.children.length > 0 && !closed.has(row.id);
    const handled = ((): boolean => {
      switch (event.key) {
        case "ArrowDown":
          if (event.altKey) swap(row, 1);
          else if (flat[at + 1]) focus(flat[at + 1]?.row.id ?? row.id);
          return true;
        case "ArrowUp":
          if (event.altKey) swap(row, -1);
          else if (flat[at - 1]) focus(flat[at - 1]?.row.id ?? row.id);
          return true;
        case "ArrowRight":
          if (row.kind !== "goto" && row.children.length > 0 && !open) toggle(row.id);
          else if (open && flat[at + 1]) focus(flat[at + 1]?.row.id ?? row.id);
          return true;
        case "ArrowLeft":
          if (open) toggle(row.id);
          else if (item.parent) focus(item.parent);
          return true;
        case "Home":
          if (flat[0]) focus(flat[0].row.id);
          return true;
        case "End":
          focus(flat[flat.length - 1]?.row.id ?? row.id);
          return true;
        case "Enter":
        case " ":
          choose(row, true);
          return true;
        case "a":
        case "+":
          if (!readOnly) addAfter(row, event.currentTarget as HTMLElement);
          return true;
        case "l":
          store.select([row.node]);
          keys.connectTo();
          return true;
        case "o":
          onLeave?.();
          return onLeave !== undefined;
        case "F2":
          store.select([row.node]);
          keys.rename();
          return true;
        case "Delete":
        case "Backspace": {
          if (row.kind !== "step") {
            keys.disconnect(linksOf(item));
            return true;
          }
          store.select([row.node]);
          keys.remove();
          return true;
        }
        default:
          return false;
      }
    })();
    if (handled) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  return (
    <div className={tree.scroll}>
      <div ref={list} role="tree" aria-label={t("outline.title")} className={tree.tree}>
        {flat.map((item) => (
          <OutlineLine
            key={item.row.id}
            item={item}
            tabIndex={item === current ? 0 : -1}
            open={item.row.kind !== "goto" && item.row.children.length > 0 ? !closed.has(item.row.id) : undefined}
            selected={selection.includes(item.row.id)}
            onKeyDown={onKeyDown}
            onChoose={choose}
            onFocus={setActive}
          />
        ))}
      </div>
      {hint && <p className={tree.outlineHint}>{hint}</p>}
    </div>
  );
}

function addAfter(row: OutlineRow, element: HTMLElement): void {
  const box = element.getBoundingClientRect();
  const place = { clientX: box.left + 160, clientY: box.bottom };
  if (row.kind === "way" && row.handle === BODY_HANDLE) {
    ui.quickAdd({ kind: "inside", container: row.node }, place);
    return;
  }
  ui.quickAdd(row.kind === "way" && row.handle !== UNDO_HANDLE ? { kind: "after", source: row.node, handle: row.handle } : { kind: "after", source: row.node }, place);
}

interface LineProps {
  item: Flat;
  tabIndex: number;
  open: boolean | undefined;
  selected: boolean;
  onKeyDown(event: KeyboardEvent, item: Flat): void;
  onChoose(row: OutlineRow, open: boolean): void;
  onFocus(id: string): void;
}

function OutlineLine({ item, tabIndex, open, selected, onKeyDown, onChoose, onFocus }: LineProps) {
  const { t } = useTranslation("editor");
  const { row, level } = item;
  const node = useEditor((state) => state.document.nodes.find((other) => other.id === row.node));
  const spec = useEditor((state) => (node ? state.specs[node.type] : undefined));
  const summary = useEditor((state) => state.summaries[row.node]);
  const readOnly = useEditor((state) => state.readOnly);
  const problems = useEditor((state) => state.problems.filter((problem) => problem.node === row.node && problem.severity !== "hint").length);
  const unset = useEditor((state) => state.problems.some((problem) => problem.node === row.node && problem.severity === "error"));
  const undoes = useEditor((state) => indexOf(state.document).undoes.has(row.node));
  const inside = useEditor((state) => indexOf(state.document).children.get(row.node)?.length ?? 0);
  if (!node) return null;
  const undo = row.kind === "way" && row.handle === UNDO_HANDLE;
  const body = row.kind === "way" && row.handle === BODY_HANDLE;
  const common = {
    role: "treeitem",
    "aria-level": level,
    "aria-expanded": open,
    "aria-selected": selected,
    tabIndex,
    "data-row": row.id,
    style: { paddingInlineStart: 8 + (level - 1) * 22 },
    onKeyDown: (event: KeyboardEvent) => onKeyDown(event, item),
    onFocus: () => onFocus(row.id),
    onClick: () => onChoose(row, true),
  } as const;
  // A step has one undo step, and nothing follows that.
  const plus = !readOnly && !undo && !undoes && (
    <span
      role="presentation"
      onClick={(event) => event.stopPropagation()}
    >
      <IconButton
        size="sm"
        tabIndex={-1}
        label={body ? t("canvas:addInside", { name: node.name }) : row.kind === "way" ? t("outline.addHere") : t("outline.addAfter", { name: node.name })}
        icon={<Plus size={15} />}
        onClick={(event) => addAfter(row, event.currentTarget)}
      />
    </span>
  );
  if (row.kind === "goto") {
    return (
      <div {...common} className={tree.row}>
        <span className={tree.rowGoto}>{t("outline.goto", { number: row.number, name: node.name })}</span>
      </div>
    );
  }
  if (row.kind === "way") {
    return (
      <div {...common} className={tree.row} data-kind={row.handle === ERROR_HANDLE ? "failure" : undo ? "undo" : body ? "body" : "way"}>
        {body && <Repeat size={13} aria-hidden />}
        {undo && <Undo2 size={13} aria-hidden />}
        {row.failure && <Zap size={13} aria-hidden />}
        <span className={tree.rowWay}>{row.failure ? t("outline.ifFails") : body ? t(isRepeat(node) ? "outline.turns" : "outline.body", { count: inside }) : undo ? t("outline.undo") : row.label || t("outline.then")}</span>
        {row.children.length === 0 && <small>{t("outline.nothing")}</small>}
        <span className={css.grow} />
        {plus}
      </div>
    );
  }
  return (
    <div {...common} className={cx(tree.row, selected && tree.rowOn)} data-undoes={undoes || undefined} data-testid={`outline-${node.key}`}>
      <span className={tree.rowNumber}>{undoes ? "" : row.number}</span>
      <Tile icon={spec?.icon} category={spec?.category ?? "app"} size="sm" />
      <span className={tree.rowText}>
        <b data-off={node.settings.disabled ?? false}>{node.name}</b>
        <small>{node.settings.disabled ? t("canvas:disabled") : summaryText(node, summary) || (unset ? t("canvas:needsSetup") : spec?.description) || node.type}</small>
      </span>
      {problems > 0 && (
        <span className={tree.rowProblem} title={t("problems.count", { count: problems })}>
          {spec ? <TriangleAlert size={15} aria-hidden /> : <CircleX size={15} aria-hidden />}
          <span className="srOnly">{t("problems.count", { count: problems })}</span>
        </span>
      )}
      {plus}
    </div>
  );
}
