import { ChevronRight } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, memo, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";

import { failureTitle } from "../../../i18n/server";
import { cx, statusColour, type StatusKind, useFormatter } from "../../../ui";
import css from "../dock.module.css";
import type { Scale } from "../timeline";
import { busiest, failedStrip, shadeAt, type Shade, strip, type Tick } from "./density";

/** A bar: when something began and ended (null: it has not), and how it is drawn. Moments, ms. */
export interface Bar {
  from: number;
  until: number | null;
  kind: StatusKind;
  waiting: boolean;
  /** Of many items: how many were at work when. */
  shades: readonly Shade[];
}

export interface TimeRowProps {
  path: string;
  level: number;
  place: number;
  of: number;
  /** Which row from the top. */
  row: number;
  name: string;
  words: string;
  muted: boolean;
  tries: number;
  bar: Bar | null;
  ticks: readonly Tick[];
  /** Undefined: there is nothing inside. */
  open: boolean | undefined;
  selected: boolean;
  focusable: boolean;
  scale: Scale;
  now: number;
  onToggle(path: string): void;
  onSelect(path: string): void;
  onKeyDown(event: KeyboardEvent): void;
  onFocus(path: string): void;
}

/** One line of the timeline: a name, a bar with its ticks, and how long it took. Its keys are those of the tree. */
export const TimeRow = memo(function TimeRow(props: TimeRowProps) {
  const { path, name, bar, ticks, scale, now, open } = props;
  const { t } = useTranslation(["lookback", "runs"]);
  const format = useFormatter();
  const hover = bar ? `${name}\n${format.clockMillis(bar.from)}${bar.until === null ? "" : ` – ${format.clockMillis(bar.until)}`}` : name;
  const most = busiest(bar?.shades ?? []);
  const said = [
    ...(most ? [t("gantt.busiest", { busy: format.number(Math.round(most.busy * 10) / 10), time: format.clockSeconds(most.from) })] : []),
    ...ticks.filter((tick) => tick.attempt > 1).map((tick) => tickWords(tick)),
  ];
  function tickWords({ attempt, at, error }: Tick): string {
    const time = format.clockMillis(at);
    return error ? t("gantt.tickAfter", { attempt, time, reason: failureTitle(error) }) : t("gantt.tick", { attempt, time });
  }
  const inView = (from: number, until: number) => from <= scale.until && until >= scale.from;
  const place = (moment: number): CSSProperties => ({ insetInlineStart: `${scale.at(moment) * 100}%` });
  return (
    <div
      role="treeitem"
      className={css.row}
      aria-level={props.level}
      aria-posinset={props.place}
      aria-setsize={props.of}
      aria-expanded={open}
      aria-selected={props.selected}
      tabIndex={props.focusable ? 0 : -1}
      data-path={path}
      style={{ top: `calc(${props.row} * var(--row))`, ["--level" as string]: props.level - 1 }}
      title={hover}
      onClick={() => props.onSelect(path)}
      onKeyDown={props.onKeyDown}
      onFocus={() => props.onFocus(path)}
    >
      <span className={css.name}>
        {open === undefined ? (
          <i className={css.noChevron} />
        ) : (
          <i
            className={css.chevron}
            aria-hidden
            data-open={open}
            data-testid={`open-${path.replaceAll(" ", "-")}`}
            onClick={(event) => {
              event.stopPropagation();
              props.onToggle(path);
            }}
          >
            <ChevronRight size={14} />
          </i>
        )}
        <span>{name}</span>
      </span>
      <span className={css.track}>
        {bar && inView(bar.from, bar.until ?? now) && <BarOf bar={bar} scale={scale} now={now} />}
        {ticks
          .filter((tick) => inView(tick.at, tick.at))
          .map((tick) => (
            <i key={`${tick.attempt} ${tick.at}`} className={css.tick} data-testid="tick" style={place(tick.at)} title={tickWords(tick)} />
          ))}
      </span>
      <span className={css.took} data-muted={props.muted}>
        {props.tries > 1 && <em>{t("runs:timeline.tries", { count: props.tries })}</em>}
        {props.words}
        {said.length > 0 && <span className="srOnly">. {said.join(". ")}</span>}
      </span>
    </div>
  );
});

function BarOf({ bar, scale, now }: { bar: Bar; scale: Scale; now: number }) {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  const { from, shades, waiting } = bar;
  const until = bar.until ?? Math.max(now, from);
  const left = scale.at(from);
  const tone = waiting ? "var(--wait)" : statusColour(bar.kind);
  const style = { insetInlineStart: `${left * 100}%`, width: `${Math.max(0, scale.at(until) - left) * 100}%`, ["--tone" as string]: tone };
  if (shades.length === 0) return <i className={cx(css.barOf, waiting && css.waiting)} style={style} />;
  const failed = failedStrip(shades, scale, from, until);
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    if (event.buttons !== 0 || box.width === 0) return;
    const moment = scale.moment(left + ((event.clientX - box.left) / box.width) * (scale.at(until) - left));
    const found = shadeAt(shades, moment);
    event.currentTarget.title = found
      ? t("gantt.slice", { time: format.clockMillis(found.from), busy: format.number(Math.round(found.busy * 10) / 10), done: format.number(found.done), failed: format.number(found.failed) })
      : "";
  };
  const work = statusColour(bar.until === null ? "running" : "done");
  return (
    <i className={css.dense} data-testid="density" style={{ ...style, backgroundImage: strip(shades, scale, from, until, work) }} onPointerMove={onPointerMove}>
      {failed && <b style={{ backgroundImage: failed }} />}
    </i>
  );
}
