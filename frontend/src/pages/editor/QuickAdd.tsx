import { Search } from "lucide-react";
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslation } from "react-i18next";

import { type Anchor, indexOf, isAction, type StepSpec, UNDO_HANDLE } from "../../graph";
import { useEditor } from "../../inspector/EditorContext";
import { cx, Tile } from "../../ui";
import add from "./add.module.css";
import { useLayer } from "./layers";
import { findSteps, groupByCategory, newest, suggest } from "./search";
import type { Place } from "./uiStore";

interface Group {
  title: string;
  specs: StepSpec[];
}

export interface QuickAddProps {
  anchor: Anchor;
  place: Place;
  onPick(spec: StepSpec): void;
  onClose(): void;
}

/** One input, results grouped; arrows and Enter choose. */
export function QuickAdd({ anchor, place, onPick, onClose }: QuickAddProps) {
  const { t } = useTranslation("editor");
  const box = useRef<HTMLDivElement>(null);
  const [position, setPosition] = useState<{ left: number; top: number } | null>(null);
  const [opener] = useState(() => document.activeElement);
  const close = useCallback(() => {
    onClose();
    // The row or button that opened it gets the focus back; a card has it from the canvas.
    const back = opener?.closest<HTMLElement>("[role=treeitem]") ?? opener;
    if (back instanceof HTMLElement && back.isConnected && back !== document.body && !back.closest(".react-flow")) back.focus();
  }, [opener, onClose]);
  useLayer(true, close);
  useLayoutEffect(() => {
    const own = box.current?.getBoundingClientRect();
    if (!own) return;
    const left = Math.max(8, Math.min(place.clientX - own.width / 2, window.innerWidth - own.width - 8));
    const below = place.clientY + 8;
    const top = below + own.height > window.innerHeight - 8 ? Math.max(8, window.innerHeight - own.height - 8) : below;
    setPosition({ left, top });
  }, [place]);
  useEffect(() => {
    const away = (event: PointerEvent): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) onClose();
    };
    window.addEventListener("pointerdown", away, true);
    return () => window.removeEventListener("pointerdown", away, true);
  }, [onClose]);
  return createPortal(
    <div
      ref={box}
      className={add.quickAdd}
      style={position ?? { left: place.clientX, top: place.clientY, visibility: "hidden" }}
      role="dialog"
      aria-label={t(isUndo(anchor) ? "quickAdd.undo" : "quickAdd.title")}
    >
      <StepChooser anchor={anchor} onPick={onPick} onClose={close} />
    </div>,
    document.body,
  );
}

interface ChooserProps {
  anchor: Anchor;
  onPick(spec: StepSpec): void;
  onClose?: () => void;
}

export function StepChooser({ anchor, onPick, onClose }: ChooserProps) {
  const { t } = useTranslation("editor");
  const list = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const groups = useGroups(anchor, query);
  const flat = groups.flatMap((group) => group.specs);
  const current = Math.min(at, Math.max(0, flat.length - 1));
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    scroller.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current]);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (flat.length > 0) setAt((current + step + flat.length) % flat.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const spec = flat[current];
      if (spec) onPick(spec);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (query) setQuery("");
      else onClose?.();
    }
  };
  const focus = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // After the click that opened it, else the canvas takes the focus back.
    const timer = setTimeout(() => focus.current?.focus({ preventScroll: true }), 0);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      <div className={add.quickInput}>
        <Search size={15} aria-hidden />
        <input
          ref={focus}
          type="text"
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={flat[current] ? `${list}-${current}` : undefined}
          aria-label={t(isUndo(anchor) ? "quickAdd.searchUndo" : "quickAdd.search")}
          placeholder={t(isUndo(anchor) ? "quickAdd.searchUndo" : "quickAdd.search")}
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div ref={scroller} className={add.quickList} id={list} role="listbox" aria-label={t(isUndo(anchor) ? "quickAdd.undo" : "quickAdd.title")}>
        {flat.length === 0 && <p className={add.quickNone}>{t("quickAdd.none", { query })}</p>}
        {groups.map((group) => (
          <div key={group.title} role="group" aria-label={group.title}>
            <div className={add.groupTitle} aria-hidden>
              {group.title}
            </div>
            {group.specs.map((spec) => {
              const index = flat.indexOf(spec);
              return (
                <div
                  key={spec.type}
                  id={`${list}-${index}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === current}
                  className={cx(add.option, index === current && add.optionOn)}
                  data-testid={`add-${spec.type.split("@")[0]}`}
                  onPointerMove={() => setAt(index)}
                  onClick={() => onPick(spec)}
                  onKeyDown={onKeyDown}
                >
                  <Tile icon={spec.icon} category={spec.category} size="sm" />
                  <span>
                    <b>{spec.title}</b>
                    <small>{spec.description}</small>
                  </span>
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </>
  );
}

/** A step is looked for that undoes another one. */
function isUndo(anchor: Anchor): boolean {
  return anchor.kind === "after" && anchor.handle === UNDO_HANDLE;
}

const QUESTIONS: [string, (type: string) => boolean][] = [
  ["arrives", (type) => /webhook|email|file|form|api/.test(type)],
  ["time", (type) => /schedule|cron|timer/.test(type)],
  ["person", (type) => /manual|button/.test(type)],
];

function useGroups(anchor: Anchor, query: string): Group[] {
  const { t } = useTranslation("editor");
  const specs = useEditor((state) => state.specs);
  const document = useEditor((state) => state.document);
  return useMemo(() => {
    const all = newest(specs);
    const empty = document.nodes.length === 0;
    const wantsStart = anchor.kind === "free" && (empty || !document.nodes.some((node) => specs[node.type]?.trigger));
    const usable = anchor.kind === "free" ? all : all.filter(isUndo(anchor) ? isAction : (spec) => !spec.trigger);
    const byCategory = (list: readonly StepSpec[]): Group[] =>
      groupByCategory(list).map((group) => ({ title: t(`category.${group.category}`), specs: group.specs }));
    if (query.trim()) {
      const found = findSteps(usable, query);
      return found.length > 0 ? [{ title: t("quickAdd.found"), specs: found }] : [];
    }
    if (wantsStart) {
      const starts = all.filter((spec) => spec.trigger);
      const groups = QUESTIONS.map(([name, matches]) => ({ title: t(`start.${name}`), specs: starts.filter((spec) => matches(spec.type)) }));
      const rest = starts.filter((spec) => !QUESTIONS.some(([, matches]) => matches(spec.type)));
      const found = [...groups, { title: t("start.other"), specs: rest }].filter((group) => group.specs.length > 0);
      return empty ? found : [...found, ...byCategory(usable.filter((spec) => !spec.trigger))];
    }
    const source = anchor.kind === "after" ? anchor.source : anchor.kind === "link" ? document.edges.find((edge) => edge.id === anchor.edge)?.source : undefined;
    const node = source ? indexOf(document).byId.get(source) : undefined;
    const pairs = document.edges.map((edge): [string, string] => [
      indexOf(document).byId.get(edge.source)?.type ?? "",
      indexOf(document).byId.get(edge.target)?.type ?? "",
    ]);
    const next = node && !isUndo(anchor) ? suggest(specs[node.type], usable, pairs) : [];
    const rest = usable.filter((spec) => !next.includes(spec));
    return [...(next.length > 0 ? [{ title: t("palette.suggested"), specs: next }] : []), ...byCategory(rest)];
  }, [anchor, document, query, specs, t]);
}
