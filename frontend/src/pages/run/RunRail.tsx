import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { RunFilters } from "../../api/queries";
import type { Run } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import {
  Button,
  FilterChip,
  runStatusKind,
  SearchBox,
  SkeletonRows,
  StatusIcon,
  useFormatter,
  useNow,
} from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { useRunFeed } from "../runs/useRunFeed";
import { useWaitingText } from "../runs/waiting";
import { filterIsOn, runStatusName, runTitle, STATUS_FILTERS, toggleFilter } from "../runs/words";
import css from "./rail.module.css";

const CHIPS = STATUS_FILTERS.filter((filter) => ["failed", "waiting", "running"].includes(filter.key));

function RailRow({ run, current }: { run: Run; current: boolean }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const now = useNow(60_000);
  const waitingText = useWaitingText();
  const today = now - Date.parse(run.accepted_at) < 86_400_000;
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
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

/** The neighbouring runs of the same workflow; `J` and `K` walk through them without leaving. */
export function RunRail({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  const [status, setStatus] = useState<string[] | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const filters = useMemo<RunFilters>(
    () => ({ workflow: run.workflow.id, q: q || undefined, status, mode: run.mode === "test" ? "test" : undefined }),
    [run.workflow.id, run.mode, q, status],
  );
  const feed = useRunFeed(filters, 30);

  const step = (by: number) => {
    const at = feed.runs.findIndex((one) => one.id === run.id);
    const next = feed.runs[at + by];
    if (next) void navigate({ to: "/runs/$runId", params: { runId: next.id } });
  };
  useShortcut("j", () => step(1));
  useShortcut("k", () => step(-1));
  useEffect(() => {
    list.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [run.id, feed.runs.length]);

  return (
    <aside className={css.rail} aria-label={t("rail.label")}>
      <div className={css.railHead}>
        <b>{t("title")}</b>
        <Link to="/workflows/$id/runs" params={{ id: run.workflow.id }}>
          {t("rail.all")}
        </Link>
      </div>
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
          <RailRow key={one.id} run={one} current={one.id === run.id} />
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
