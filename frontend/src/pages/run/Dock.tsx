import { CirclePlay, Download } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRetries } from "../../api/queries";
import type { GraphDocument, Run } from "../../api/types";
import { localNote } from "../../graph/notes";
import { useRun } from "../../live";
import {
  Button,
  cx,
  runIsFinished,
  runStatusKind,
  statusColour,
  StatusIcon,
  Switch,
  useFormatter,
  useNow,
} from "../../ui";
import page from "../../ui/page.module.css";
import { startedBy } from "../runs/RunList";
import css from "./dock.module.css";
import { useShownGraph } from "./items/shown";
import { type RunEvent, runEvents, timelineRows, timelineScale } from "./timeline";

const KEY = "millrace.dock";
const SMALLEST = 120;
/** Eight rows and the edge of a ninth, which says that there are more. */
const USUAL = 292;
const SHARES = [0, 0.25, 0.5, 0.75, 1];

function storedHeight(): number {
  try {
    return Number(localStorage.getItem(KEY)) || USUAL;
  } catch {
    return USUAL;
  }
}

function useDockHeight() {
  const [height, setHeight] = useState(storedHeight);
  const change = (next: number) => {
    const fitting = Math.round(Math.max(SMALLEST, Math.min(next, window.innerHeight * 0.6)));
    setHeight(fitting);
    try {
      localStorage.setItem(KEY, String(fitting));
    } catch {
      // Remembered until the page is closed.
    }
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const startY = event.clientY;
    const startHeight = height;
    const move = (moved: globalThis.PointerEvent) => change(startHeight + startY - moved.clientY);
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowUp") change(height + 24);
    else if (event.key === "ArrowDown") change(height - 24);
    else return;
    event.preventDefault();
  };
  return { height, onPointerDown, onKeyDown };
}

interface TimelineProps {
  run: Run;
  graph: GraphDocument;
  selected: string | null;
  onSelect: (node: string) => void;
  squeeze: boolean;
}

function Timeline({ run, graph, selected, onSelect, squeeze }: TimelineProps) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const steps = useRun((state) => state.steps);
  const now = useNow(runIsFinished(run) ? null : 500);
  const rows = useMemo(() => timelineRows(graph, steps), [graph, steps]);
  const scale = useMemo(
    () => timelineScale(run, rows, runIsFinished(run) ? 0 : now, squeeze),
    [run, rows, now, squeeze],
  );
  const long = scale.until - scale.from > 5 * 60_000;
  const tick = (share: number) => {
    const moment = scale.moment(share);
    if (long) return format.clock(moment);
    if (scale.until - scale.from > 4000) return format.clockSeconds(moment);
    return `+${format.duration(moment - scale.from)}`;
  };
  return (
    <div className={css.gantt}>
      <div className={css.rows} role="list" aria-label={t("timeline.label")}>
        <div className={css.grid} aria-hidden>
          {SHARES.map((share) => (
            <u key={share} style={{ insetInlineStart: `${share * 100}%` }} />
          ))}
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
                  {row.from !== null && (
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
      <footer className={cx(css.axis, "tn")} aria-hidden>
        <div>
          {SHARES.map((share) => (
            <span key={share}>{tick(share)}</span>
          ))}
        </div>
      </footer>
    </div>
  );
}

function useEventWords(): (event: RunEvent) => string {
  const { t } = useTranslation("runs");
  return (event) => {
    if (event.kind === "accepted") return t("event.accepted", { by: startedBy(event.detail ?? "", t) });
    if (event.kind === "retried") return t("event.retried", { by: startedBy(event.detail ?? t("retry.someone"), t) });
    if (event.kind === "undone") return t("event.undone", { by: startedBy(event.name || t("retry.someone"), t) });
    const words = t(`event.${event.kind}`, { name: event.name, attempt: event.attempt });
    return event.kind === "started" && event.attempt > 1
      ? t("event.startedAgain", { name: event.name, attempt: event.attempt })
      : words;
  };
}

function Events({ events, onSelect }: { events: readonly RunEvent[]; onSelect: (node: string) => void }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const say = useEventWords();
  return (
    <div className={css.events}>
      <table className={css.table}>
        <thead className="srOnly">
          <tr>
            <th scope="col">{t("event.time")}</th>
            <th scope="col">{t("event.what")}</th>
            <th scope="col">{t("event.detail")}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td className="mono">
                <time dateTime={new Date(event.at).toISOString()} title={format.exact(event.at)}>
                  {format.clockMillis(event.at)}
                </time>
              </td>
              <td>
                <span className={css.what}>
                  {event.kind === "started" || event.kind === "begun" ? (
                    <CirclePlay size={15} color="var(--idle)" aria-hidden />
                  ) : (
                    <StatusIcon kind={event.status} size={15} decorative />
                  )}
                  {event.node ? (
                    <button type="button" className={css.plainLink} onClick={() => onSelect(event.node ?? "")}>
                      {say(event)}
                    </button>
                  ) : (
                    say(event)
                  )}
                </span>
              </td>
              <td>{event.kind === "accepted" || event.kind === "retried" ? "" : localNote(event.detail, format)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface DockProps {
  tab: "timeline" | "events";
  onTab: (tab: "timeline" | "events") => void;
  selected: string | null;
  onSelect: (node: string) => void;
}

/** Below the canvas: when each step ran, and what happened in order. */
export function Dock({ tab, onTab, selected, onSelect }: DockProps) {
  const { t } = useTranslation("runs");
  const run = useRun((state) => state.run);
  const graph = useShownGraph();
  const steps = useRun((state) => state.steps);
  const { height, onPointerDown, onKeyDown } = useDockHeight();
  const [squeeze, setSqueeze] = useState(false);
  const retries = useRetries(run).data;
  const events = useMemo(
    () => (run && graph ? runEvents(run, graph, steps, runStatusKind(run), retries) : []),
    [run, graph, steps, retries],
  );
  if (!run || !graph) return null;

  const download = () => {
    const told = events.map((event) => ({ ...event, at: new Date(event.at).toISOString() }));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(
      new Blob([JSON.stringify({ run: run.id, events: told }, null, 2)], { type: "application/json" }),
    );
    link.download = `run-${run.short_id}-events.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  return (
    <section className={css.dock} style={{ height }} aria-label={t("dock")}>
      <div
        className={css.handle}
        role="separator"
        aria-orientation="horizontal"
        aria-label={t("dockResize")}
        aria-valuenow={height}
        aria-valuemin={SMALLEST}
        aria-valuemax={800}
        tabIndex={0}
        onPointerDown={onPointerDown}
        onKeyDown={onKeyDown}
      />
      <header className={css.head}>
        <div className={page.segments} role="tablist" aria-label={t("dock")}>
          {(["timeline", "events"] as const).map((key) => (
            <button
              key={key}
              type="button"
              role="tab"
              className={page.segment}
              aria-selected={tab === key}
              onClick={() => onTab(key)}
            >
              {t(`tabs.${key}`)}
              {key === "events" && <small>{events.length}</small>}
            </button>
          ))}
        </div>
        <span style={{ flex: 1 }} />
        {tab === "timeline" ? (
          <span className={css.squeeze}>
            <Switch checked={squeeze} onChange={setSqueeze} label={t("timeline.squeeze")} />
            <span aria-hidden>{t("timeline.squeeze")}</span>
          </span>
        ) : (
          <Button size="sm" icon={<Download size={14} aria-hidden />} onClick={download}>
            {t("event.download")}
          </Button>
        )}
      </header>
      {tab === "timeline" ? (
        <Timeline run={run} graph={graph} selected={selected} onSelect={onSelect} squeeze={squeeze} />
      ) : (
        <Events events={events} onSelect={onSelect} />
      )}
    </section>
  );
}
