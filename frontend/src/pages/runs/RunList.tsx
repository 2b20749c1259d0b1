import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowUp } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { useRunColumns, useRunCount, useSearchFields, useUsual } from "../../api/runSearch";
import { useCan } from "../../api/session";
import { Button, buttonClass, EmptyState, ErrorCard, PageBody, SkeletonRows, Switch, tableBoxClass, tableFootClass, useFormatter } from "../../ui";
import { shownColumns } from "./columns";
import { ColumnsMenu } from "./ColumnsMenu";
import { ExportMenu } from "./ExportMenu";
import { useLiveChoice } from "./liveChoice";
import css from "./runs.module.css";
import { RunTable } from "./RunTable";
import { carriedBy, changed, filtersOf, isFiltered, NOTHING, type RunAddress, type RunListSearch, type SearchChange } from "./search";
import { SearchTools } from "./SearchTools";
import { SelectionBar } from "./SelectionBar";
import { useRunFeed } from "./useRunFeed";
import { Views } from "./Views";

export type { RunListSearch } from "./search";

/** More rows make a page slow, and nobody reads them: a narrower search does. */
const MOST_ROWS = 1000;

/** The list of runs, of all workflows or of one: everything it is asked for stands in the address. `first`: what it is
 * opened with, where somebody has chosen that. */
export function RunList({ search, first, workflow, above }: { search: RunListSearch; first?: RunListSearch | undefined; workflow?: string; above?: ReactNode }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const navigate = useNavigate();
  const mayAct = useCan("reviewer");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);

  const change = useCallback(
    (part: SearchChange, replace?: boolean) => {
      setAll(false);
      setChosen(new Set());
      void navigate({
        to: ".",
        search: (before: RunAddress) => changed(before, part, first),
        replace: replace ?? false,
      } as never);
    },
    [navigate, first],
  );

  const { q, status, mode, since, until, sort } = search;
  const statuses = status?.join(" ") ?? "";
  // By what they say: a new object for the same search would ask the server again.
  const filters = useMemo(
    () => filtersOf({ q, status: statuses ? statuses.split(" ") : undefined, mode, since, until, sort, workflow: search.workflow } as RunListSearch, workflow),
    [q, statuses, mode, since, until, sort, search.workflow, workflow],
  );
  const [live, setLive] = useLiveChoice();
  const { list, runs, freshCount, showFresh } = useRunFeed(filters, 50, live);
  const carried = useMemo(() => carriedBy(filters as RunListSearch, workflow), [filters, workflow]);
  const known = useSearchFields().data;
  const { columns: picked, choose: pickColumns } = useRunColumns();
  const own = workflow ?? search.workflow;
  const offered = useMemo(() => (known ?? []).filter((field) => !own || field.workflows.includes(own)), [known, own]);
  const columns = shownColumns(picked, offered);
  // A file holds every business field, whether or not there is room for it on the screen.
  const kept = useMemo(() => [...new Set([...columns, ...offered.map((field) => `field:${field.name}`)])], [columns, offered]);
  const usual = useUsual(runs.map((run) => run.workflow.id));
  const filtered = isFiltered(search);
  const refused = list.error instanceof ApiError && list.error.status === 422;
  const matching = useRunCount(filters, list.data !== undefined && !refused && (filtered || chosen.size > 0), live).data;
  const atEnd = !list.hasNextPage;

  const chooseRuns = (ids: readonly string[], on: boolean): void => {
    setAll(false);
    setChosen((before) => {
      const next = new Set(before);
      for (const id of ids) {
        if (on) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  };

  const two = chosen.size === 2 ? runs.filter((run) => chosen.has(run.id)) : [];
  const pair = two[0] && two[1] && two[0].workflow.id === two[1].workflow.id ? ([two[0].id, two[1].id] as const) : null;

  return (
    <PageBody>
      <Views search={search} ofAll={workflow === undefined} onChoose={(next) => change({ ...NOTHING, ...next })} />
      {above}
      <SearchTools key={workflow ?? ""} search={search} workflow={workflow} change={change} error={list.error} />
      <div className={css.line}>
        <span role="status" className={css.count}>
          {filtered && matching && !refused && (matching.more ? t("count.more", { number: format.number(matching.count) }) : t("count.some", { count: matching.count, number: format.number(matching.count) }))}
        </span>
        <span className={css.lineDeeds}>
          <span className={css.live} title={t(live ? "live.onHint" : "live.offHint")}>
            <Switch
              label={t("live.label")}
              checked={live}
              onChange={(on) => {
                setLive(on);
                // What happened meanwhile is not told again.
                if (on) void showFresh();
              }}
            />
            <span aria-hidden>{t("live.label")}</span>
          </span>
          {runs.length > 0 && <ExportMenu quiet chosen={{ search: filters }} columns={kept} />}
          <ColumnsMenu shown={columns} fields={offered} onChoose={pickColumns} />
        </span>
      </div>
      {freshCount > 0 && (
        <div className={css.fresh} role="status">
          <Button variant="primary" size="sm" icon={<ArrowUp size={14} aria-hidden />} onClick={() => void showFresh()}>
            {t("fresh", { count: freshCount })}
          </Button>
        </div>
      )}
      {list.isError && !refused && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && (
        <div className={tableBoxClass}>
          <SkeletonRows rows={8} height={30} label={t("loading")} />
        </div>
      )}
      {list.data && runs.length === 0 && filtered && (
        <EmptyState plain title={t("nothingMatches")} actions={<Button onClick={() => change(NOTHING)}>{t("common:action.clearFilters")}</Button>} />
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
          <RunTable
            runs={runs}
            columns={columns}
            fields={offered}
            usual={usual}
            withWorkflow={workflow === undefined}
            sort={sort ?? "newest"}
            onSort={(next) => change({ sort: next === "newest" ? undefined : next })}
            chosen={mayAct ? chosen : null}
            onChoose={chooseRuns}
            carried={carried}
          />
          {!atEnd && (
            <div className={tableFootClass}>
              {runs.length >= MOST_ROWS ? (
                <span className={css.count}>{t("narrow", { number: format.number(runs.length) })}</span>
              ) : (
                <Button size="sm" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  {t(sort === undefined || sort === "newest" ? "common:action.loadOlder" : "loadMore")}
                </Button>
              )}
            </div>
          )}
        </div>
      )}
      <SelectionBar
        chosen={chosen}
        pair={pair}
        all={all}
        matching={matching}
        filters={filters}
        columns={kept}
        mayTakeAll={!atEnd && runs.every((run) => chosen.has(run.id))}
        onAll={() => setAll(true)}
        onClear={() => {
          setAll(false);
          setChosen(new Set());
        }}
      />
    </PageBody>
  );
}
