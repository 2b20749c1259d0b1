import { Link } from "@tanstack/react-router";
import { ArrowDownRight, ArrowRight, ArrowUpRight } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { MonitorShape, StandingShape } from "../../api/schema.gen";
import type { InboxSearch } from "../inbox/search";
import { cx, Switch, useFormatter, useNow } from "../../ui";
import css from "./monitor.module.css";
import { changeOf, FAILED, longest, rateOf, waysFrom, wholeSeconds } from "./figures";
import { type MonitorSearch, runsIn } from "./range";

/** All that is late, whoever is asked. */
const LATE = { who: "anybody", due: "late" } as InboxSearch;

interface TileProps {
  id: string;
  label: string;
  value: ReactNode;
  /** Where its list is. */
  to?: ReactNode;
  foot?: ReactNode;
  tone?: "err" | "wait" | "ok" | undefined;
  wide?: boolean;
  children?: ReactNode;
}

function Tile({ id, label, value, foot, tone, wide, children }: TileProps) {
  return (
    <div className={cx(css.tile, wide && css.wide)} data-testid={`tile-${id}`} data-tone={tone}>
      <dt>{label}</dt>
      <dd>
        <span className={css.value}>{value}</span>
        {foot !== undefined && <span className={css.foot}>{foot}</span>}
        {children}
      </dd>
    </div>
  );
}

/** How it was in the range before: an arrow, by how much, and in words for whoever sees neither. */
function Change({ now, before, good }: { now: number | null; before: number | null; good: "more" | "less" | "neither" }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const change = changeOf(now, before);
  if (change === null) return <span className={css.quiet}>{before === null ? "" : t("change.none", { number: format.number(before) })}</span>;
  const Icon = change === 0 ? ArrowRight : change > 0 ? ArrowUpRight : ArrowDownRight;
  const tone = change === 0 || good === "neither" ? undefined : change > 0 === (good === "more") ? "ok" : "err";
  const size = format.number(Math.abs(change), { style: "percent", maximumFractionDigits: Math.abs(change) < 0.1 ? 1 : 0 });
  return (
    <span className={css.change} data-tone={tone}>
      <Icon size={13} aria-hidden />
      {t(change === 0 ? "change.same" : change > 0 ? "change.more" : "change.less", { size })}
    </span>
  );
}

/** The figures at a glance; each leads to its list. */
export function Tiles({ found, standing, search, onPeople }: { found: MonitorShape; standing: StandingShape | undefined; search: MonitorSearch; onPeople: (on: boolean) => void }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const now = useNow(10_000);
  const { happened, before, took, took_before } = found;
  const workflow = search.workflow ? { workflow: search.workflow } : {};
  const span = runsIn(search, found);
  const hours = (Math.min(Date.parse(found.end), Date.parse(found.now)) - Date.parse(found.begin)) / 3_600_000;
  const percent = (value: number) => format.number(value, { style: "percent", maximumFractionDigits: 1 });
  const ways = waysFrom(found);
  const workers = standing?.workers.filter((one) => one.kind === "worker" || one.kind === "embedded") ?? [];
  const alive = workers.filter((one) => one.alive);
  const lastSeen = workers.map((one) => Date.parse(one.seen_at)).sort((a, b) => b - a)[0];
  const errors = found.systems.reduce((sum, one) => sum + one.errors, 0);
  const errorsBefore = found.systems.reduce((sum, one) => sum + one.before, 0);
  const stuck = standing?.stuck.reduce((sum, one) => sum + one.count, 0) ?? 0;
  return (
    <dl className={css.tiles}>
      <Tile
        id="started"
        label={t("tile.started")}
        value={
          <Link to="/runs" search={{ ...workflow, ...span }}>
            {format.number(happened.started)}
          </Link>
        }
        foot={
          <>
            <span>{t("tile.rate", { number: format.number(rateOf(happened.started, hours), { maximumFractionDigits: 1 }) })}</span> · <Change now={happened.started} before={before.started} good="neither" />
          </>
        }
      />
      <Tile
        id="completed"
        label={t("tile.completed")}
        value={
          <Link to="/runs" search={{ ...workflow, ...span, status: ["completed"] }}>
            {format.number(happened.completed)}
          </Link>
        }
        foot={<Change now={happened.completed} before={before.completed} good="more" />}
      />
      <Tile
        id="failed"
        label={t("tile.failed")}
        tone={happened.failed > 0 ? "err" : undefined}
        value={
          <Link to="/runs" search={{ ...workflow, ...span, status: ["dead_lettered"] }}>
            {format.number(happened.failed)}
          </Link>
        }
        foot={<Change now={happened.failed} before={before.failed} good="less" />}
      />
      <Tile
        id="success"
        label={t("tile.success")}
        tone={happened.success !== null && happened.success < 0.95 ? "wait" : undefined}
        value={
          happened.success === null ? (
            "–"
          ) : (
            <Link to="/runs" search={{ ...workflow, ...span, status: ["completed", "dead_lettered", "compensated"] }}>
              {percent(happened.success)}
            </Link>
          )
        }
        foot={before.success === null ? "" : t("tile.before", { value: percent(before.success) })}
      />
      <Tile
        id="took"
        wide
        label={t("tile.took")}
        value={
          took.p50 === null ? (
            <span className={css.notYet}>{t("tile.notEnough", { count: took.count, number: format.number(took.count), from: format.number(found.percentiles_from) })}</span>
          ) : (
            <span className={css.percentiles}>
              {(["p50", "p95", "p99"] as const).map((one) => (
                <span key={one} data-testid={one}>
                  <small>{one}</small>{" "}
                  <Link to="/runs" search={{ ...workflow, ...longest(span) }}>
                    {format.duration(took[one] ?? 0)}
                  </Link>
                </span>
              ))}
            </span>
          )
        }
        foot={took.p95 !== null && took_before.p95 !== null ? <Change now={took.p95} before={took_before.p95} good="less" /> : undefined}
      >
        <span className={css.people}>
          <Switch checked={search.people ?? false} onChange={onPeople} label={t("tile.people")} />
          <span aria-hidden>{t("tile.people")}</span>
        </span>
      </Tile>
      <Tile
        id="letters"
        label={t("tile.letters")}
        tone={standing && standing.letters > 0 ? "err" : undefined}
        value={
          <Link to="/dead-letters" search={workflow}>
            {standing ? format.number(standing.letters) : "…"}
          </Link>
        }
        foot={
          <Link to="/runs" search={{ ...workflow, ...span, status: FAILED }}>
            {t("tile.newLetters", { count: happened.letters, number: format.number(happened.letters) })}
          </Link>
        }
      />
      <Tile
        id="repeated"
        label={t("tile.repeated")}
        value={
          ways.starts === null ? (
            <a href="#by-workflow">{percent(happened.deliveries ? happened.repeated / happened.deliveries : 0)}</a>
          ) : (
            <Link to="/workflows/$id/starts" params={{ id: ways.starts }}>
              {percent(happened.deliveries ? happened.repeated / happened.deliveries : 0)}
            </Link>
          )
        }
        foot={t("tile.repeatedOf", { number: format.number(happened.repeated), total: format.number(happened.deliveries) })}
      />
      <Tile
        id="stuck"
        label={t("tile.stuck")}
        tone={stuck > 0 ? "err" : undefined}
        value={standing ? <a href="#stuck">{format.number(stuck)}</a> : "…"}
        foot={standing && (stuck === 0 ? t("stuck.none") : t(`stuck.reason.${standing.stuck[0]?.reason ?? ""}`))}
      />
      <Tile
        id="queue"
        label={t("tile.queue")}
        value={
          <Link to="/runs" search={{ ...workflow, status: ["accepted", "running"] }}>
            {standing ? format.number(standing.queue) : "…"}
          </Link>
        }
        foot={standing && (standing.queue_since ? t("tile.oldest", { time: format.duration(wholeSeconds(now - Date.parse(standing.queue_since))) }) : t("tile.noneWaits"))}
      />
      <Tile
        id="workers"
        label={t("tile.workers")}
        tone={standing && alive.length === 0 ? "err" : undefined}
        value={standing ? <a href="#workers">{t("tile.workersOf", { alive: format.number(alive.length), all: format.number(workers.length) })}</a> : "…"}
        foot={
          standing &&
          (alive.length === 0
            ? t("tile.noWorkers")
            : t("tile.load", {
                count: alive.reduce((sum, one) => sum + one.running, 0),
                number: format.number(alive.reduce((sum, one) => sum + one.running, 0)),
                seen: lastSeen === undefined ? "" : format.duration(wholeSeconds(now - lastSeen)),
              }))
        }
      />
      <Tile
        id="late"
        label={t("tile.late")}
        tone={standing && standing.tasks_late > 0 ? "wait" : undefined}
        value={
          <Link to="/inbox" search={LATE}>
            {standing ? format.number(standing.tasks_late) : "…"}
          </Link>
        }
        foot={
          standing &&
          [t("tile.openTasks", { count: standing.tasks, number: format.number(standing.tasks) }), search.workflow && t("tile.ofAll")].filter(Boolean).join(" · ")
        }
      />
      <Tile
        id="errors"
        label={t("tile.errors")}
        tone={errors > 0 ? "wait" : undefined}
        value={search.workflow ? "–" : <a href="#systems">{format.number(errors)}</a>}
        foot={search.workflow ? t("tile.errorsOfAll") : <Change now={errors} before={errorsBefore} good="less" />}
      />
      <Tile
        id="database"
        label={t("tile.database")}
        value={<Link to="/settings/data">{standing ? format.bytes(standing.database_bytes) : "…"}</Link>}
        foot={
          standing && (
            <>
              <Link to="/files">{t("tile.filesSize", { size: format.bytes(standing.files_bytes) })}</Link> · {t("tile.free", { size: format.bytes(standing.free_bytes) })}
            </>
          )
        }
      />
    </dl>
  );
}
