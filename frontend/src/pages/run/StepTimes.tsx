import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { GraphDocument, Run } from "../../api/types";
import { useRun } from "../../live";
import { Button, cx, runIsFinished, statusColour, useFormatter, useNow } from "../../ui";
import css from "./dock.module.css";
import { useMoment } from "./Moment";
import past from "./moment.module.css";
import { timelineRows, timelineScale } from "./timeline";
import { useBrush } from "./useBrush";
import { drawn, keyed, shownStretch, type Stretch, zoomedScale, zoomText } from "./zoom";

const SHARES = [0, 0.25, 0.5, 0.75, 1];

interface TimelineProps {
  run: Run;
  graph: GraphDocument;
  selected: string | null;
  onSelect: (node: string) => void;
  squeeze: boolean;
}

/** When each step ran. A stretch of it is drawn, or keyed on the axis, to be seen over the whole width. */
export function Timeline({ run, graph, selected, onSelect, squeeze }: TimelineProps) {
  const { t } = useTranslation(["runs", "common", "lookback"]);
  const format = useFormatter();
  const steps = useRun((state) => state.steps);
  const now = useNow(runIsFinished(run) ? null : 500);
  const { at } = useMoment();
  const rows = useMemo(() => timelineRows(graph, steps), [graph, steps]);
  const whole = useMemo(
    () => timelineScale(run, rows, runIsFinished(run) ? 0 : now, squeeze),
    [run, rows, now, squeeze],
  );
  const { zoom } = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const zero = Date.parse(run.accepted_at);
  const stretch = shownStretch(zoom, zero, whole);
  const scale = zoomedScale(whole, stretch);
  const help = useId();
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
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(event.key, whole, stretch);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    if (next !== "all" || stretch) go(next);
  };
  const between = ({ from, until }: Stretch): string => {
    const clock = until - from > 20_000 ? format.clockSeconds : format.clockMillis;
    return t("lookback:zoom.shown", { from: clock.call(format, from), until: clock.call(format, until) });
  };
  const within = (moment: number) => moment >= scale.from && moment <= scale.until;
  const long = scale.until - scale.from > 5 * 60_000;
  const tick = (share: number) => {
    const moment = scale.moment(share);
    if (long) return format.clock(moment);
    if (scale.until - scale.from > 4000) return format.clockSeconds(moment);
    return stretch ? format.clockMillis(moment) : `+${format.duration(moment - scale.from)}`;
  };
  return (
    <div className={css.gantt} {...handlers}>
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
      <div className={css.rows} role="list" aria-label={t("timeline.label")}>
        <div ref={grid} className={css.grid} aria-hidden>
          {SHARES.map((share) => (
            <u key={share} style={{ insetInlineStart: `${share * 100}%` }} />
          ))}
          {at !== null && within(at) && <i className={past.head} style={{ insetInlineStart: `${scale.at(at) * 100}%` }} />}
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
        {rows.map((row) => {
          const left = row.from === null ? 0 : scale.at(row.from);
          const right = row.from === null ? 0 : scale.at(row.until ?? Math.max(now, row.from));
          const took = row.from === null ? null : (row.until ?? now) - row.from;
          const words =
            row.from === null
              ? t(`common:status.${row.kind}`)
              : row.until === null
                ? t(`common:status.${row.kind}`)
                : format.duration(took ?? 0);
          const hover =
            row.from === null
              ? undefined
              : `${row.name}\n${format.clockMillis(row.from)}${row.until ? ` – ${format.clockMillis(row.until)}` : ""}`;
          return (
            <div role="listitem" key={row.node} className={css.rowBox}>
              <button
                type="button"
                className={css.row}
                aria-current={row.node === selected}
                onClick={() => onSelect(row.node)}
                title={hover}
              >
                <span className={css.name}>{row.name}</span>
                <span className={css.track}>
                  {row.from !== null && row.from <= scale.until && (row.until ?? now) >= scale.from && (
                    <i
                      className={cx(css.barOf, row.waiting && css.waiting)}
                      style={{
                        insetInlineStart: `${left * 100}%`,
                        width: `${Math.max(0, right - left) * 100}%`,
                        ["--tone" as string]: row.waiting ? "var(--wait)" : statusColour(row.kind),
                      }}
                    />
                  )}
                </span>
                <span className={css.took} data-muted={row.from === null}>
                  {row.attempt > 1 && <em>{t("timeline.tries", { count: row.attempt })}</em>}
                  {words}
                </span>
              </button>
            </div>
          );
        })}
      </div>
      <div
        ref={axis}
        className={cx(css.axis, "tn")}
        role="slider"
        aria-label={t("lookback:zoom.axis")}
        aria-describedby={help}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={stretch ? Math.round(((whole.at(stretch.from) + whole.at(stretch.until)) / 2) * 100) : 50}
        aria-valuetext={stretch ? between(stretch) : t("lookback:zoom.whole")}
        tabIndex={0}
        title={t("lookback:zoom.help")}
        data-testid="axis"
        onKeyDown={onKeyDown}
      >
        <span id={help} hidden>
          {t("lookback:zoom.help")}
        </span>
        <div aria-hidden>
          {SHARES.map((share) => (
            <span key={share}>{tick(share)}</span>
          ))}
        </div>
      </div>
    </div>
  );
}
