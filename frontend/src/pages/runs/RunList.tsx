import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowUp, FlaskConical } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type RunFilters, useWorkflows } from "../../api/queries";
import type { Run } from "../../api/types";
import {
  Button,
  buttonClass,
  Chip,
  cx,
  Duration,
  EmptyState,
  ErrorCard,
  FilterChip,
  numClass,
  PageBody,
  runStatusKind,
  SearchBox,
  SkeletonRows,
  StatusChip,
  StatusIcon,
  tableBoxClass,
  tableClass,
  tableFootClass,
  Time,
} from "../../ui";
import fields from "../../ui/fields.module.css";
import { useShortcut } from "../../ui/shortcuts";
import css from "./runs.module.css";
import { useRunFeed } from "./useRunFeed";
import { useWaitingText } from "./waiting";
import { filterIsOn, runStatusName, runSubtitle, runTitle, STATUS_FILTERS, toggleFilter } from "./words";

export interface RunListSearch {
  q?: string;
  status?: string[];
  workflow?: string;
  mode?: string;
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function RunRow({ run, usual, withWorkflow }: { run: Run; usual: number; withWorkflow: boolean }) {
  const { t } = useTranslation("runs");
  const navigate = useNavigate();
  const waitingText = useWaitingText();
  const words = run.error?.title ?? waitingText(run) ?? run.current_step?.name ?? "";
  const share = usual > 0 && run.duration_ms !== null ? Math.min(1, run.duration_ms / (usual * 2)) : 0;
  return (
    <tr
      data-testid={`run-${run.id}`}
      onClick={(event) => {
        // The whole row is a target for the mouse; the link inside is the one for keyboards and for new tabs.
        if (event.defaultPrevented || event.metaKey || event.ctrlKey || window.getSelection()?.toString()) return;
        void navigate({ to: "/runs/$runId", params: { runId: run.id } });
      }}
    >
      <td data-cell="status">
        <StatusChip kind={runStatusKind(run)} label={runStatusName(run, t)} />
      </td>
      <td data-cell="key">
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          className={css.key}
          onClick={(event) => event.stopPropagation()}
        >
          {runTitle(run)}
        </Link>
        <span className={css.sub}>
          {withWorkflow ? runSubtitle(run, t) : t("version", { version: run.version })}
          {run.business_key && <span className="mono"> · {run.short_id}</span>}
        </span>
      </td>
      <td data-cell="step">
        {words && (
          <span className={css.step} title={words} data-tone={run.error ? "err" : "plain"}>
            {words}
          </span>
        )}
      </td>
      <td data-cell="started">
        <Time at={run.accepted_at} />
      </td>
      <td className={numClass} data-cell="duration">
        {(run.started_at ?? run.finished_at) && (
          <span className={css.duration}>
            <Duration from={run.accepted_at} until={run.finished_at} />
            <span className={css.meter} aria-hidden>
              <i style={{ width: `${Math.round(share * 100)}%` }} />
            </span>
          </span>
        )}
      </td>
      <td data-cell="who">
        {run.mode === "test" ? (
          <Chip icon={<FlaskConical size={12} aria-hidden />}>{t("mode.test")}</Chip>
        ) : (
          <span style={{ color: "var(--ink2)" }}>{startedBy(run.started_by, t)}</span>
        )}
      </td>
    </tr>
  );
}

/** Who or what started it, in words where the server gives a code. */
export function startedBy(by: string, t: (key: string, values: Record<string, unknown>) => string): string {
  const known = ["webhook", "schedule", "api", "run"];
  if (by.startsWith("user:")) return t("startedBy.user", {});
  return known.includes(by) ? t(`startedBy.${by}`, {}) : by;
}

/** The list of runs, of all workflows or of one, with its filters in the address. */
export function RunList({ search, workflow }: { search: RunListSearch; workflow?: string }) {
  const { t } = useTranslation(["runs", "common"]);
  const navigate = useNavigate();
  const [typed, setTyped] = useState(search.q ?? "");
  const box = useRef<HTMLInputElement>(null);
  useShortcut("/", () => box.current?.focus());

  const change = useMemo(
    () => (part: Partial<RunListSearch> | { [Name in keyof RunListSearch]?: undefined }, replace?: boolean) =>
      navigate({
        to: ".",
        search: (before: Record<string, unknown>) =>
          Object.fromEntries(
            Object.entries({ ...before, ...part }).filter(([, value]) => value !== undefined && value !== ""),
          ),
        replace: replace ?? false,
      } as never),
    [navigate],
  );
  useEffect(() => {
    const timer = setTimeout(() => void change({ q: typed.trim() || undefined }, true), 200);
    return () => clearTimeout(timer);
  }, [typed, change]);

  const filters = useMemo<RunFilters>(
    () => ({ q: search.q, status: search.status, mode: search.mode, workflow: workflow ?? search.workflow }),
    [search.q, search.status, search.mode, search.workflow, workflow],
  );
  const { list, runs, freshCount, showFresh } = useRunFeed(filters);
  const workflows = useWorkflows({}, 100).data?.pages[0]?.items ?? [];
  const usual = useMemo(
    () => median(runs.flatMap((run) => (run.duration_ms === null ? [] : [run.duration_ms]))),
    [runs],
  );
  const filtered = Boolean(search.q || search.status || search.mode || search.workflow);

  return (
    <PageBody>
      <div className={css.tools}>
        <SearchBox ref={box} className={css.search} value={typed} onChange={setTyped} label={t("search")} />
        {workflow === undefined && (
          <select
            className={cx(fields.input, css.pick)}
            aria-label={t("filter.workflow")}
            value={search.workflow ?? ""}
            onChange={(event) => void change({ workflow: event.currentTarget.value || undefined })}
          >
            <option value="">{t("filter.allWorkflows")}</option>
            {workflows.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
        <FilterChip on={!search.status} onClick={() => void change({ status: undefined })}>
          {t("filter.all")}
        </FilterChip>
        {STATUS_FILTERS.map((filter) => (
          <FilterChip
            key={filter.key}
            on={filterIsOn(filter, search.status)}
            onClick={() => void change({ status: toggleFilter(filter, search.status) })}
            icon={<StatusIcon kind={filter.kind} size={13} decorative />}
          >
            {t(`filter.${filter.key}`)}
          </FilterChip>
        ))}
        <FilterChip
          on={search.mode === "test"}
          onClick={() => void change({ mode: search.mode === "test" ? undefined : "test" })}
          icon={<FlaskConical size={13} aria-hidden />}
        >
          {t("filter.tests")}
        </FilterChip>
      </div>
      {freshCount > 0 && (
        <div className={css.fresh} role="status">
          <Button
            variant="primary"
            size="sm"
            icon={<ArrowUp size={14} aria-hidden />}
            onClick={() => void showFresh()}
          >
            {t("fresh", { count: freshCount })}
          </Button>
        </div>
      )}
      {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && (
        <div className={tableBoxClass}>
          <SkeletonRows rows={8} height={30} label={t("loading")} />
        </div>
      )}
      {list.data && runs.length === 0 && filtered && (
        <EmptyState
          plain
          title={t("nothingMatches")}
          actions={
            <Button
              onClick={() => {
                setTyped("");
                void change({ q: undefined, status: undefined, mode: undefined, workflow: undefined });
              }}
            >
              {t("common:action.clearFilters")}
            </Button>
          }
        />
      )}
      {list.data && runs.length === 0 && !filtered && (
        <EmptyState
          title={t("empty.title")}
          text={t("empty.text")}
          actions={
            workflow ? (
              <Link to="/workflows/$id/build" params={{ id: workflow }} className={buttonClass("primary")}>
                {t("empty.test")}
              </Link>
            ) : (
              <Link to="/workflows" className={buttonClass("primary")}>
                {t("empty.workflows")}
              </Link>
            )
          }
        />
      )}
      {runs.length > 0 && (
        <div className={tableBoxClass} aria-busy={list.isFetching}>
          <table className={cx(tableClass, css.table)}>
            <thead>
              <tr>
                <th scope="col">{t("column.status")}</th>
                <th scope="col">{t("column.run")}</th>
                <th scope="col">{t("column.step")}</th>
                <th scope="col">{t("column.started")}</th>
                <th scope="col" className={numClass}>
                  {t("column.duration")}
                </th>
                <th scope="col">{t("column.who")}</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((run) => (
                <RunRow key={run.id} run={run} usual={usual} withWorkflow={workflow === undefined} />
              ))}
            </tbody>
          </table>
          {list.hasNextPage && (
            <div className={tableFootClass}>
              <Button size="sm" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                {t("common:action.loadOlder")}
              </Button>
            </div>
          )}
        </div>
      )}
    </PageBody>
  );
}
