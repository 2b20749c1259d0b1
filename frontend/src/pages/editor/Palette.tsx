import { GripVertical } from "lucide-react";
import { type RefObject, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";

import type { CanvasHandle } from "../../canvas";
import { type Anchor, type Category, indexOf, type StepSpec } from "../../graph";
import { useEditor } from "../../inspector/EditorContext";
import { cx, Kbd, SearchBox, Tile } from "../../ui";
import add from "./add.module.css";
import { findSteps, groupByCategory, newest, suggest } from "./search";

const TABS: readonly (Category | "all")[] = ["all", "start", "app", "logic", "people", "data"];
const GAP_MS = 150;

export interface PaletteProps {
  canvas: RefObject<CanvasHandle | null>;
  search: RefObject<HTMLInputElement | null>;
  onAdd(spec: StepSpec, anchor: Anchor | null): void;
}

export function Palette({ canvas, search, onAdd }: PaletteProps) {
  const { t } = useTranslation("editor");
  const specs = useEditor((state) => state.specs);
  const [query, setQuery] = useState("");
  const [tab, setTab] = useState<Category | "all">("all");
  const all = useMemo(() => newest(specs), [specs]);
  const groups = useSections(all, query, tab);
  const tabs = TABS.filter((name) => name === "all" || all.some((spec) => inTab(spec, name)));
  return (
    <aside className={add.palette} data-palette aria-label={t("palette.title")}>
      <div className={add.paletteSearch}>
        <SearchBox ref={search} value={query} onChange={setQuery} label={t("palette.search", { count: all.length })} />
        {!query && <Kbd>/</Kbd>}
      </div>
      <div className={add.categories} role="toolbar" aria-label={t("palette.categories")}>
        {tabs.map((name) => (
          <button key={name} type="button" aria-pressed={tab === name} className={cx(add.category, tab === name && add.on)} onClick={() => setTab(name)}>
            {t(`palette.tab.${name}`)}
          </button>
        ))}
      </div>
      <div className={add.paletteList}>
        {groups.length === 0 && <p className={add.quickNone}>{t("quickAdd.none", { query })}</p>}
        {groups.map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h4>{group.title}</h4>
            {group.specs.map((spec) => (
              <PaletteItem key={spec.type} spec={spec} canvas={canvas} onAdd={onAdd} />
            ))}
          </section>
        ))}
      </div>
    </aside>
  );
}

function inTab(spec: StepSpec, tab: Category): boolean {
  return tab === "logic" ? spec.category === "logic" || spec.category === "loop" : spec.category === tab;
}

function useSections(all: readonly StepSpec[], query: string, tab: Category | "all"): { title: string; specs: StepSpec[] }[] {
  const { t } = useTranslation("editor");
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const selected = useEditor((state) => (state.selection.length === 1 ? state.selection[0] : undefined));
  return useMemo(() => {
    const shown = tab === "all" ? all : all.filter((spec) => inTab(spec, tab));
    if (query.trim()) {
      const found = findSteps(shown, query);
      return found.length > 0 ? [{ title: t("quickAdd.found"), specs: found }] : [];
    }
    const groups = groupByCategory(shown).map((group) => ({ title: t(`category.${group.category}`), specs: group.specs }));
    if (tab !== "all") return groups;
    const { byId } = indexOf(document);
    const type = (id: string): string => byId.get(id)?.type ?? "";
    const after = specs[type(selected ?? "")];
    const pairs = document.edges.map((edge): [string, string] => [type(edge.source), type(edge.target)]);
    const next = after || document.nodes.length === 0 ? suggest(after, all, pairs) : [];
    return next.length > 0 ? [{ title: t("palette.suggested"), specs: next }, ...groups] : groups;
  }, [all, document, query, selected, specs, t, tab]);
}

interface ItemProps {
  spec: StepSpec;
  canvas: RefObject<CanvasHandle | null>;
  onAdd(spec: StepSpec, anchor: Anchor | null): void;
}

/** Click or Enter adds after the selection; dragging puts it where it is dropped: on a link or on empty canvas. */
function PaletteItem({ spec, canvas, onAdd }: ItemProps) {
  const [ghost, setGhost] = useState<{ x: number; y: number } | null>(null);
  const drag = useRef<{ x: number; y: number; moved: boolean; link: string | null; since: number } | null>(null);
  const stop = (): void => {
    drag.current = null;
    canvas.current?.markDrop(null, null);
    setGhost(null);
  };
  return (
    <>
      <button
        type="button"
        className={add.item}
        data-testid={`palette-${spec.type.split("@")[0]}`}
        title={spec.description}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.pointerType === "touch") return;
          drag.current = { x: event.clientX, y: event.clientY, moved: false, link: null, since: 0 };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const state = drag.current;
          if (!state) return;
          if (!state.moved && Math.hypot(event.clientX - state.x, event.clientY - state.y) < 5) return;
          state.moved = true;
          setGhost({ x: event.clientX, y: event.clientY });
          const over = canvas.current?.contains(event) && !spec.trigger ? canvas.current.linkAt(event) : null;
          if (over !== state.link) {
            state.link = over;
            state.since = event.timeStamp;
          }
          const into = over === null && !spec.trigger && canvas.current?.contains(event) ? canvas.current.containerAt(event) : null;
          canvas.current?.markDrop(over !== null && event.timeStamp - state.since >= GAP_MS ? over : null, into);
        }}
        onPointerUp={(event) => {
          const state = drag.current;
          stop();
          if (!state?.moved || !canvas.current?.contains(event)) return;
          const at = canvas.current.toFlow(event);
          const position = { x: at.x, y: at.y };
          onAdd(spec, state.link ? { kind: "link", edge: state.link } : { kind: "free", position, inside: canvas.current.containerAt(event) });
        }}
        onPointerCancel={stop}
        onClick={(event) => {
          // The click that ends a drag is not a click; `detail` is 0 for Enter and Space.
          if (event.detail > 0 && Math.hypot(event.clientX - (lastDown.x || event.clientX), event.clientY - (lastDown.y || event.clientY)) >= 5) return;
          onAdd(spec, null);
        }}
        onPointerDownCapture={(event) => {
          lastDown.x = event.clientX;
          lastDown.y = event.clientY;
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") stop();
        }}
      >
        <Tile icon={spec.icon} category={spec.category} size="sm" />
        <span>
          <b>{spec.title}</b>
          <small>{spec.badge || spec.description}</small>
        </span>
        <GripVertical size={14} aria-hidden />
      </button>
      {ghost &&
        createPortal(
          <div className={add.ghost} style={{ transform: `translate(${ghost.x}px, ${ghost.y}px)` }} aria-hidden>
            <Tile icon={spec.icon} category={spec.category} />
            <b>{spec.title}</b>
          </div>,
          document.body,
        )}
    </>
  );
}

/** Where the pointer went down last, to tell a click from the end of a drag. */
const lastDown = { x: 0, y: 0 };
