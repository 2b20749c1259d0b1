import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowUp, ChevronDown, ChevronUp, Filter, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { RunFilters } from "../../api/queries";
import { useReadOn } from "../../api/readOn";
import type { Run } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import {
  Button,
  FilterChip,
  IconButton,
  runStatusKind,
  SearchBox,
  SkeletonRows,
  StatusIcon,
  useFormatter,
  useNow,
} from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { filtersOf, type RunListSearch } from "../runs/search";
import { useRunFeed } from "../runs/useRunFeed";
import { useWaitingText } from "../runs/waiting";
import { filterIsOn, runStatusName, runTitle, STATUS_FILTERS, toggleFilter } from "../runs/words";
import css from "./rail.module.css";

const CHIPS = STATUS_FILTERS.filter((filter) => ["failed", "waiting", "running"].includes(filter.key));

/** Looking for the open run in the list that it was opened from, so many runs are read at most. */
const MOST_READ = 600;

function RailRow({ run, current, carried }: { run: Run; current: boolean; carried: { list?: RunListSearch } }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const now = useNow(60_000);
  const waitingText = useWaitingText();
  const today = now - Date.parse(run.accepted_at) < 86_400_000;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
      search={carried}
      className={css.railRow}
      aria-current={current ? "page" : undefined}
    >
      <StatusIcon kind={runStatusKind(run)} size={17} />
      <span className={css.railText}>
        <b>{runTitle(run)}</b>
        <small>
          {(run.error && failureTitle(run.error)) ??
            waitingText(run) ??
            run.current_step?.name ??
            [
              runStatusName(run, t),
              run.mode === "test" ? t("mode.test") : t("version", { version: run.version }),
            ].join(" · ")}
        </small>
      </span>
      <span className={css.railEnd}>
        <span>{run.duration_ms === null ? "" : format.duration(run.duration_ms)}</span>
        <small>
          <time dateTime={run.accepted_at} title={format.exact(run.accepted_at)}>
            {today ? format.clock(run.accepted_at) : format.day(run.accepted_at)}
          </time>
        </small>
      </span>
    </Link>
  );
}

/** The neighbouring runs: of the list that the run was opened from, else of its workflow; `J` and `K` walk through them
 * without leaving. */
export function RunRail({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const asked = JSON.stringify(useSearch({ from: "/shell/runs/$runId" }).list ?? null);
  // By what it says: a new object for the same search would ask the server again.
  const carried = useMemo<{ list?: RunListSearch }>(() => (asked === "null" ? {} : { list: JSON.parse(asked) as RunListSearch }), [asked]);
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  const [status, setStatus] = useState<string[] | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const filters = useMemo<RunFilters>(
    () => (carried.list ? filtersOf(carried.list) : { workflow: run.workflow.id, q: q || undefined, status, mode: run.mode === "test" ? "test" : undefined }),
    [carried, run.workflow.id, run.mode, q, status],
  );
  const feed = useRunFeed(filters, 30);

  const at = feed.runs.findIndex((one) => one.id === run.id);
  // A run that does not belong to the list any more leaves its place to the next one.
  const [stood, setStood] = useState(0);
  if (at >= 0 && at !== stood) setStood(at);
  const { hasNextPage, fetchNextPage } = feed.list;
  useReadOn(feed.list, carried.list !== undefined && at < 0 && feed.runs.length < MOST_READ);
  const placeOf = (by: number) => (at >= 0 ? at + by : by > 0 ? stood : stood - 1);
  const step = async (by: number) => {
    const place = placeOf(by);
    const known = feed.runs[place];
    const read = !known && by > 0 && hasNextPage ? (await fetchNextPage()).data?.pages.flatMap((page) => page.items) : undefined;
    const next = known ?? read?.[place];
    if (next) void navigate({ to: "/runs/$runId", params: { runId: next.id }, search: carried });
  };
  useShortcut("j", () => void step(1));
  useShortcut("k", () => void step(-1));
  useEffect(() => {
    list.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [run.id, feed.runs.length]);

  return (
    <aside className={css.rail} aria-label={t("rail.label")}>
      <div className={css.railHead}>
        <b>{t("title")}</b>
        {carried.list ? (
          <Link to="/runs" search={carried.list}>
            {t("rail.toList")}
          </Link>
        ) : (
          <Link to="/workflows/$id/runs" params={{ id: run.workflow.id }}>
            {t("rail.all")}
          </Link>
        )}
        <span className={css.railWalk}>
          <IconButton size="sm" label={t("rail.previous")} icon={<ChevronUp size={16} />} aria-disabled={placeOf(-1) < 0} onClick={() => void step(-1)} />
          <IconButton size="sm" label={t("rail.next")} icon={<ChevronDown size={16} />} aria-disabled={!feed.runs[placeOf(1)] && !hasNextPage} onClick={() => void step(1)} />
        </span>
      </div>
      {carried.list && (
        <div className={css.railCarried}>
          <Filter size={14} aria-hidden />
          <span title={carried.list.q}>{carried.list.q ? t("rail.asListOf", { q: carried.list.q }) : t("rail.asList")}</span>
          <IconButton
            size="sm"
            label={t("rail.drop")}
            icon={<X size={15} />}
            onClick={() => void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: ({ list: _list, ...rest }) => rest, replace: true })}
          />
        </div>
      )}
      {!carried.list && (
        <>
      <div className={css.railSearch}>
        <SearchBox className={css.railBox} value={typed} onChange={setTyped} label={t("search")} />
      </div>
      <div className={css.railFilters}>
        <FilterChip on={!status} onClick={() => setStatus(undefined)}>
          {t("filter.all")}
        </FilterChip>
        {CHIPS.map((filter) => (
          <FilterChip
            key={filter.key}
            on={filterIsOn(filter, status)}
            onClick={() => setStatus(toggleFilter(filter, status))}
            icon={<StatusIcon kind={filter.kind} size={13} />}
          >
            <span className="srOnly">{t(`filter.${filter.key}`)}</span>
          </FilterChip>
        ))}
      </div>
        </>
      )}
      <div className={css.railList} ref={list}>
        {feed.freshCount > 0 && (
          <div className={css.railFresh} role="status">
            <Button size="sm" variant="soft" icon={<ArrowUp size={13} aria-hidden />} onClick={() => void feed.showFresh()}>
              {t("fresh", { count: feed.freshCount })}
            </Button>
          </div>
        )}
        {feed.list.isPending && <SkeletonRows rows={6} height={34} label={t("loading")} />}
        {feed.runs.map((one) => (
          <RailRow key={one.id} run={one} current={one.id === run.id} carried={carried} />
        ))}
        {feed.list.data && feed.runs.length === 0 && <p className={css.railNone}>{t("nothingMatches")}</p>}
        {feed.list.hasNextPage && (
          <div style={{ padding: 10, textAlign: "center" }}>
            <Button
              size="sm"
              variant="quiet"
              busy={feed.list.isFetchingNextPage}
              onClick={() => void feed.list.fetchNextPage()}
            >
              {t("rail.older")}
            </Button>
          </div>
        )}
      </div>
    </aside>
  );
}
