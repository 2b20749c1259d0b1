import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type RunTimes, useRunTimes } from "../../api/runTimes";
import type { GraphDocument, Run, RunItem } from "../../api/types";
import { useRun } from "../../live";
import { Button, runIsFinished, useFormatter, useNow } from "../../ui";
import { useWidth } from "../../ui/useWidth";
import css from "./dock.module.css";
import { MANY, shadesOf, ticksOf } from "./gantt/density";
import { ItemPage, pageOf } from "./gantt/ItemPage";
import { around, closedAt, inside, keyedLine, type Line, lineFor, linesOf, shownPlaces, withOpened } from "./gantt/lines";
import { FollowItem, hasContainers, MOST_FOLLOWED, ownerOf, stretchOf, useFollowed } from "./gantt/owners";
import { SHARES, TimeAxis, useStretchText } from "./gantt/TimeAxis";
import { type Bar, TimeRow } from "./gantt/TimeRow";
import { NARROWEST, useNames } from "./gantt/useNames";
import { useShownRows } from "./gantt/useShownRows";
import { useOpened } from "./items/opened";
import { useMoment } from "./Moment";
import past from "./moment.module.css";
import { timelineScale } from "./timeline";
import { useBrush } from "./useBrush";
import { drawn, shownStretch, type Stretch, zoomedScale, zoomText } from "./zoom";

/** Of a row, px: as the style sheet says. */
const ROW = 26;
const ROW_ON_PHONE = 44;

interface TimelineProps {
  run: Run;
  graph: GraphDocument;
  selected: string | null;
  onSelect: (node: string) => void;
  squeeze: boolean;
}

type StepLine = Extract<Line, { kind: "step" }>;

/** Items of one page of a container that stand below one another. */
interface Items {
  key: string;
  page: number;
  lines: { line: Extract<Line, { kind: "item" }>; row: number }[];
}

/** When each step ran, and inside a container each of its items. A stretch of it is drawn, or keyed on the axis, to be seen
 *  over the whole width. */
export function Timeline({ run, graph, selected, onSelect, squeeze }: TimelineProps) {
  const { t } = useTranslation(["runs", "common", "lookback"]);
  const format = useFormatter();
  const steps = useRun((state) => state.steps);
  const now = useNow(runIsFinished(run) ? null : 500);
  const { at } = useMoment();
  const main = useMemo(() => ownerOf(run.id, graph, steps), [run.id, graph, steps]);
  const whole = useMemo(
    () => timelineScale(run, main.rows, runIsFinished(run) ? 0 : now, squeeze),
    [run, main, now, squeeze],
  );
  const { zoom } = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const zero = Date.parse(run.accepted_at);
  const stretch = shownStretch(zoom, zero, whole);
  const scale = zoomedScale(whole, stretch);
  const between = useStretchText();
  const box = useRef<HTMLDivElement>(null);
  const tree = useRef<HTMLDivElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const axis = useRef<HTMLDivElement>(null);
  const go = (next: Stretch | "all") =>
    void navigate({
      search: ({ zoom: _zoom, ...rest }) => (next === "all" ? rest : { ...rest, zoom: zoomText(next, zero) }),
      replace: true,
    });
  const { brushed, handlers } = useBrush(grid, (one, other) => {
    const found = drawn(scale, one, other);
    if (found) go(found);
  });

  // --- the tree ---
  const times = useRunTimes(run.id, steps, stretchOf(stretch, run.accepted_at));
  const { items: shownItems, open: openItem } = useOpened();
  /** Paths of what is opened; of an item, its run. */
  const [opened, setOpened] = useState<ReadonlyMap<string, string | null>>(() => new Map());
  const { followed, hold } = useFollowed();
  const known = useRef(new Map<string, RunItem>());
  const owners = useMemo(() => new Map([...followed].map(([path, { owner }]) => [path, owner])), [followed]);
  const lines = useMemo(() => linesOf(main, opened, owners), [main, opened, owners]);
  const [wanted, setActive] = useState("");
  const active = lineFor(lines, wanted);
  const phone = useWidth() < 900;
  const { first, end } = useShownRows(box, tree, lines.count, phone ? ROW_ON_PHONE : ROW);

  /** An item that is to be opened as soon as it is known which run it is. */
  const awaited = useRef<string | null>(null);
  const toggle = (path: string): void => {
    const line = lines.at(lines.placeOf(path));
    const item = known.current.get(path);
    const unknown = line?.kind === "item" && !line.open && !item;
    awaited.current = unknown ? path : null;
    if (!line || unknown) return;
    setOpened((before) => (before.has(path) ? closedAt(before, path) : withOpened(before, path, line.kind === "item" ? (item?.run_id ?? null) : null, MOST_FOLLOWED)));
  };
  const latest = useRef(toggle);
  useEffect(() => {
    latest.current = toggle;
  });
  const onKnown = useCallback((path: string, item: RunItem) => {
    known.current.set(path, item);
    if (awaited.current === path) latest.current(path);
  }, []);
  const onToggle = (path: string): void => {
    setActive(path);
    toggle(path);
  };
  /** The items around this line, the outermost first: container and item. */
  const itemsAround = (path: string): [string, RunItem][] => {
    const found: [string, RunItem][] = [];
    for (let one: string | null = path; one !== null; one = around(one)) {
      const item = known.current.get(one);
      const container = around(one)?.split(" ").pop();
      if (item && container !== undefined) found.unshift([container, item]);
    }
    return found;
  };
  const onChoose = (path: string): void => {
    setActive(path);
    const line = lines.at(lines.placeOf(path));
    if (line?.kind !== "step" && line?.kind !== "item") return;
    // The canvas and the panel show the same items.
    for (const [container, item] of itemsAround(path)) if (shownItems[container]?.run !== item.run_id) openItem(container, item);
    onSelect(line.kind === "step" ? line.row.node : line.node.id);
  };
  const focusNext = useRef(false);
  const hasFocus = useRef(false);
  useLayoutEffect(() => {
    // The line that had the focus is gone: what was read is there now.
    if (hasFocus.current && document.activeElement === document.body) focusNext.current = true;
    if (!focusNext.current) return;
    focusNext.current = false;
    const row = [...(tree.current?.querySelectorAll<HTMLElement>("[role=treeitem]") ?? [])].find((one) => one.dataset.path === active);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const chosen = event.key === "Enter" || event.key === " ";
    const next = chosen ? null : keyedLine(event.key, lines, lines.placeOf(active));
    if (!chosen && next === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (chosen) onChoose(active);
    else if (next === "open" || next === "close") onToggle(active);
    else if (next) {
      focusNext.current = true;
      setActive(lines.at(next.to)?.path ?? active);
    }
  };

  // --- the column of names ---
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const { names, widest, ...edge } = useNames(width);

  const rowOf = (line: StepLine, row: number): ReactNode => {
    const own = around(line.path);
    const told: RunTimes | undefined = own === null ? times : followed.get(own)?.times;
    const { from, until, kind, name } = line.row;
    const density = line.items ? told?.containers.find((one) => one.node === line.row.node) : undefined;
    // A container that was gone on with: what is inside began before.
    const began = from !== null && density ? Math.min(from, Date.parse(density.first)) : from;
    const bar: Bar | null =
      began === null ? null : { from: began, until, kind, waiting: line.row.waiting, shades: (line.items?.started ?? 0) > MANY ? shadesOf(density) : [] };
    const ofItem = own === null ? undefined : opened.get(own);
    const outer = own === null ? null : around(own)?.split(" ").pop();
    return (
      <TimeRow
        key={line.path}
        path={line.path}
        level={line.level}
        place={line.place}
        of={line.of}
        row={row}
        name={name}
        words={from === null || until === null ? t(`common:status.${kind}`) : format.duration(until - from)}
        muted={from === null}
        tries={line.row.attempt}
        bar={bar}
        ticks={ticksOf(line.row, told?.tries ?? [])}
        open={line.open}
        selected={line.row.node === selected && (outer == null || shownItems[outer]?.run === ofItem)}
        focusable={line.path === active}
        scale={scale}
        now={now}
        onToggle={onToggle}
        onSelect={onChoose}
        onKeyDown={onKeyDown}
        onFocus={setActive}
      />
    );
  };
  const said = (line: Line, row: number, text: string): ReactNode => (
    <div
      key={line.path}
      role="treeitem"
      className={css.row}
      aria-level={line.level}
      aria-posinset={line.place}
      aria-setsize={line.of}
      aria-selected={false}
      tabIndex={line.path === active ? 0 : -1}
      data-path={line.path}
      onKeyDown={onKeyDown}
      onFocus={() => setActive(line.path)}
      style={{ top: `calc(${row} * var(--row))`, ["--level" as string]: line.level - 1 }}
    >
      <span className={css.said}>{text}</span>
    </div>
  );
  /** In the order in which they stand, by which they are read; items that follow one another are asked for together. */
  const parts: (Items | { node: ReactNode })[] = [];
  for (const place of shownPlaces(first, end, lines.placeOf(active))) {
    const line = lines.at(place);
    if (line?.kind === "item") {
      // Items before and behind an opened one are two parts, which keep their keys however they are scrolled.
      const key = `#${around(line.path)} ${pageOf(line)} ${line.after ?? ""}`;
      const last = parts.at(-1);
      if (last && "lines" in last && last.key === key) last.lines.push({ line, row: place });
      else parts.push({ key, page: pageOf(line), lines: [{ line, row: place }] });
    } else if (line?.kind === "step") parts.push({ node: rowOf(line, place) });
    else if (line?.kind === "reading") parts.push({ node: said(line, place, t("lookback:gantt.reading")) });
    else if (line) parts.push({ node: said(line, place, t("lookback:gantt.more", { count: line.count, number: format.number(line.count) })) });
  }
  return (
    <div ref={box} className={css.gantt} style={{ ["--names" as string]: phone ? "0px" : `${names}px` }} {...handlers}>
      <p role="status" className={stretch ? css.shown : "srOnly"}>
        {stretch && (
          <>
            <span>{between(stretch)}</span>
            <Button
              size="sm"
              onClick={() => {
                go("all");
                // The button goes away with the zoom.
                axis.current?.focus();
              }}
            >
              {t("lookback:zoom.showAll")}
            </Button>
          </>
        )}
      </p>
      <div className={css.rows}>
        <div ref={grid} className={css.grid} aria-hidden>
          {SHARES.map((share) => (
            <u key={share} style={{ insetInlineStart: `${share * 100}%` }} />
          ))}
          {at !== null && at >= scale.from && at <= scale.until && <i className={past.head} style={{ insetInlineStart: `${scale.at(at) * 100}%` }} />}
          {brushed && (
            <b
              className={css.brush}
              data-testid="brush"
              style={{
                insetInlineStart: `${Math.min(...brushed) * 100}%`,
                width: `${Math.abs(brushed[1] - brushed[0]) * 100}%`,
              }}
            />
          )}
        </div>
        {!phone && (
          <div
            className={css.edge}
            role="separator"
            aria-orientation="vertical"
            aria-label={t("lookback:gantt.names")}
            aria-valuenow={names}
            aria-valuemin={NARROWEST}
            aria-valuemax={widest}
            tabIndex={0}
            title={t("lookback:gantt.namesHelp")}
            {...edge}
          />
        )}
        <div
          ref={tree}
          role="tree"
          className={css.tree}
          data-flat={!hasContainers(graph)}
          aria-label={t("timeline.label")}
          style={{ height: `calc(${lines.count} * var(--row))` }}
          onFocus={() => (hasFocus.current = true)}
          onBlur={() => (hasFocus.current = false)}
        >
          {parts.map((part) =>
            "lines" in part ? (
              <ItemPage
                key={part.key}
                page={part.page}
                lines={part.lines}
                active={active}
                isChosen={(line, item) => item !== undefined && line.node.id === selected && shownItems[line.node.id]?.run === item.run_id}
                scale={scale}
                now={now}
                onKnown={onKnown}
                onToggle={onToggle}
                onSelect={onChoose}
                onKeyDown={onKeyDown}
                onFocus={setActive}
              />
            ) : (
              part.node
            ),
          )}
        </div>
      </div>
      {[...opened].map(([path, of]) => of !== null && <FollowItem key={inside(path, of)} path={path} run={of} stretch={stretch} hold={hold} />)}
      <TimeAxis axis={axis} whole={whole} scale={scale} stretch={stretch} onZoom={go} />
    </div>
  );
}
