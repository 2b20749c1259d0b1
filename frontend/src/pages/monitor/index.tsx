import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { BellRing, Tv, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { MonitorShape } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import { Button, buttonClass, Dialog, EmptyState, ErrorCard, IconButton, PageBody, SelectField, SkeletonRows, TextField, TopBar, useFormatter } from "../../ui";
import { Chart, type Marker } from "./Chart";
import { ConnectionChanges } from "./ConnectionChanges";
import { Published, StuckRuns, Systems, Workers, Workflows } from "./Lists";
import css from "./monitor.module.css";
import { useMonitor, useMonitorLive, useStanding } from "./queries";
import { instantOf, wallOf } from "../../ui/zone";
import { DEFAULT_RANGE, type MonitorSearch, type RangeName, RANGES, runsIn, spanOf, without, wrongWith } from "./range";
import { Tiles } from "./Tiles";

/** How everything goes: figures of a range of time, how things stand now, and what has to be looked at. */
export default function MonitorPage() {
  const { t } = useTranslation("monitor");
  const search = useSearch({ from: "/shell/monitor" });
  const navigate = useNavigate({ from: "/monitor" });
  const allowed = useCan("admin");
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  const change = (next: (before: MonitorSearch) => MonitorSearch) => void navigate({ search: next, replace: true });
  if (!allowed) {
    return (
      <>
        <TopBar title={t("title")} />
        <PageBody>
          <EmptyState plain title={t("forbidden.title")} text={t("forbidden.text")} />
        </PageBody>
      </>
    );
  }
  if (search.tv) return <OnTheWall search={search} onLeave={() => change((before) => without(before, "tv"))} />;
  return (
    <>
      <TopBar
        title={t("title")}
        actions={
          <>
            <Link to="/monitor/alerts" className={buttonClass()} preload="intent">
              <BellRing size={16} aria-hidden />
              {t("alerts")}
            </Link>
            <Button icon={<Tv size={16} aria-hidden />} onClick={() => change((before) => ({ ...before, tv: true as const }))}>
              {t("tv.enter")}
            </Button>
          </>
        }
      />
      <PageBody className={css.page}>
        <Board search={search} onChange={change} />
      </PageBody>
    </>
  );
}

interface BoardProps {
  search: MonitorSearch;
  onChange: (next: (before: MonitorSearch) => MonitorSearch) => void;
}

function Board({ search, onChange }: BoardProps) {
  const { t } = useTranslation("monitor");
  const every = useMonitorLive();
  const figures = useMonitor(search, true, every);
  const standing = useStanding(search.workflow, true, every);
  const found = figures.data;
  return (
    <>
      <Controls search={search} found={found} onChange={onChange} />
      {figures.isError && <ErrorCard title={t("failed")} error={figures.error} onRetry={() => void figures.refetch()} />}
      {standing.isError && <ErrorCard title={t("nowFailed")} error={standing.error} onRetry={() => void standing.refetch()} />}
      {!found && figures.isPending && <SkeletonRows rows={6} label={t("loading")} />}
      {found && (
        <div className={css.board} aria-busy={figures.isPlaceholderData || undefined}>
          <Tiles
            found={found}
            standing={standing.data}
            search={search}
            onPeople={(on) => onChange((before) => ({ ...without(before, "people"), ...(on ? { people: true as const } : {}) }))}
          />
          <Charts found={found} ofAll={search.workflow !== undefined} />
          <Workflows found={found} span={runsIn(search, found)} />
          <div className={css.lists}>
            {standing.data && <StuckRuns standing={standing.data} />}
            {standing.data && <Workers standing={standing.data} />}
            {!search.workflow && <Systems found={found} span={runsIn(search, found)} />}
            <Published found={found} />
            <ConnectionChanges found={found} />
          </div>
        </div>
      )}
    </>
  );
}

function Controls({ search, found, onChange }: BoardProps & { found: MonitorShape | undefined }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const [asks, setAsks] = useState(false);
  const own = search.begin !== undefined;
  const options = [
    ...Object.keys(RANGES).map((one) => ({ value: one, label: t(`range.${one}`) })),
    { value: "own", label: t("range.own") },
  ];
  const names = new Map(found?.workflows.map((one) => [one.workflow_id, one.name]));
  const workflows = useWorkflowNames(names, search.workflow);
  return (
    <div className={css.controls}>
      <SelectField
        label={t("range.label")}
        value={own ? "own" : (search.range ?? DEFAULT_RANGE)}
        options={options}
        onChange={(value) => {
          if (value === "own") setAsks(true);
          else onChange((before) => ({ ...without(before, "begin", "end"), range: value as RangeName }));
        }}
      />
      <SelectField
        label={t("workflow.label")}
        value={search.workflow ?? ""}
        options={[{ value: "", label: t("workflow.all") }, ...workflows]}
        onChange={(value) => onChange((before) => ({ ...without(before, "workflow"), ...(value ? { workflow: value } : {}) }))}
      />
      {found && (
        <p className={css.span}>
          {t("span", { begin: format.dayClock(found.begin), end: format.dayClock(Math.min(Date.parse(found.end), Date.parse(found.now))) })}
        </p>
      )}
      {own && (
        <Button size="sm" onClick={() => setAsks(true)}>
          {t("range.change")}
        </Button>
      )}
      {asks && <OwnRange search={search} onClose={() => setAsks(false)} onChange={onChange} />}
    </div>
  );
}

/** Those that were seen while this page is open: a workflow that is chosen must not take the others out of the list. */
function useWorkflowNames(names: Map<string, string>, chosen: string | undefined) {
  const [known, setKnown] = useState<Map<string, string>>(new Map());
  const fresh = [...names].filter(([id, name]) => known.get(id) !== name);
  if (fresh.length > 0) setKnown(new Map([...known, ...fresh]));
  const { t } = useTranslation("monitor");
  const options = [...known].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
  return chosen && !known.has(chosen) ? [...options, { value: chosen, label: t("workflow.chosen") }] : options;
}

function OwnRange({ search, onClose, onChange }: BoardProps & { onClose: () => void }) {
  const { t } = useTranslation("monitor");
  const form = useId();
  // What is shown now, to begin with: most want a little more or less of it.
  const [shown] = useState(() => spanOf(search, Date.now()));
  // As everything else on the page: in the time zone of the workspace, wherever the person sits.
  const zone = useWorkspace().time_zone;
  const [begin, setBegin] = useState(wallOf(shown.begin, zone));
  const [end, setEnd] = useState(wallOf(shown.end, zone));
  const [tried, setTried] = useState(false);
  const from = instantOf(begin, zone) ?? "";
  const to = instantOf(end, zone) ?? "";
  const wrong = wrongWith(from, to);
  return (
    <Dialog opened onClose={onClose} title={t("range.own")} size={420}>
      <form
        id={form}
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (wrong !== null) return;
          onChange((before) => ({ ...without(before, "range"), begin: from, end: to }));
          onClose();
        }}
      >
        <TextField type="datetime-local" data-autofocus label={t("range.begin")} hint={t("range.zone", { zone: zone.replaceAll("_", " ") })} value={begin} onChange={(event) => setBegin(event.currentTarget.value)} />
        <TextField type="datetime-local" label={t("range.end")} value={end} onChange={(event) => setEnd(event.currentTarget.value)} error={tried && wrong ? t(`range.wrong.${wrong}`) : undefined} />
        <div>
          <Button variant="primary" type="submit">
            {t("range.show")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** `ofAll`: a workflow is chosen, and some of it is told of all of them all the same. */
function Charts({ found, ofAll }: { found: MonitorShape; ofAll: boolean }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const at = found.points.map((point) => point.at);
  const stepMs = found.step_seconds * 1000;
  const markers: Marker[] = [
    ...found.markers.map((one) => ({ at: one.at, text: t("marker", { name: one.name, number: one.number, time: format.dayClock(one.at) }) })),
    ...found.connection_changes.map((one) => ({ at: one.at, text: t(`connections.mark.${one.change}`, { name: one.name, time: format.dayClock(one.at) }), kind: one.change === "broken" ? ("broken" as const) : ("connection" as const) })),
  ];
  const of = (key: string, value: (point: MonitorShape["points"][number]) => number | null) => ({ key, name: t(`series.${key}`), values: found.points.map(value) });
  const enough = found.took.p50 !== null;
  return (
    <div className={css.charts}>
      <Chart
        title={t("charts.runs")}
        stacked
        file="runs"
        {...{ at, stepMs, markers }}
        series={[of("completed", (p) => p.happened.completed), of("failed", (p) => p.happened.failed), of("undone", (p) => p.happened.undone), of("cancelled", (p) => p.happened.cancelled)]}
      />
      <Chart
        title={t("charts.took")}
        time
        file="latency"
        {...{ at, stepMs, markers }}
        series={[of("p50", (p) => p.took.p50), of("p95", (p) => p.took.p95), of("p99", (p) => p.took.p99)]}
        empty={enough ? null : t("tile.notEnough", { count: found.took.count, number: format.number(found.took.count), from: format.number(found.percentiles_from) })}
      />
      <Chart
        title={t("charts.deliveries")}
        stacked
        file="deliveries"
        {...{ at, stepMs, markers }}
        series={[of("first", (p) => p.happened.deliveries - p.happened.repeated), of("repeated", (p) => p.happened.repeated)]}
      />
      <Chart title={t(ofAll ? "charts.queueOfAll" : "charts.queue")} file="queue" {...{ at, stepMs, markers }} series={[of("queue", (p) => p.queue), of("tasks", (p) => p.open_tasks), of("letters", (p) => p.open_letters)]} />
    </div>
  );
}

/** The same, large and dark, over everything else; Escape or the cross leaves. */
function OnTheWall({ search, onLeave }: { search: MonitorSearch; onLeave: () => void }) {
  const { t } = useTranslation("monitor");
  const format = useFormatter();
  const dialog = useRef<HTMLDialogElement>(null);
  const every = useMonitorLive();
  const figures = useMonitor(search, true, every);
  const standing = useStanding(search.workflow, true, every);
  const found = figures.data;
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (!element.open) element.showModal();
    // Where the browser lets it: it does after a click, and not when the page was opened so.
    void element.requestFullscreen?.().catch(() => {});
    return () => {
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
      if (element.open) element.close();
    };
  }, []);
  return (
    <dialog ref={dialog} className={css.wall} data-theme="dark" aria-label={t("title")} onCancel={onLeave} onClose={onLeave}>
      <div className={css.wallHead}>
        <h1>{t("title")}</h1>
        {found && <Stamp>{t("tv.range", { range: search.begin ? t("range.own") : t(`range.${search.range ?? DEFAULT_RANGE}`), time: format.clockSeconds(found.now) })}</Stamp>}
        <IconButton label={t("tv.leave")} icon={<X size={20} aria-hidden />} onClick={onLeave} />
      </div>
      {figures.isError && <ErrorCard title={t("failed")} error={figures.error} onRetry={() => void figures.refetch()} />}
      {found && (
        <div className={css.board}>
          <Tiles found={found} standing={standing.data} search={search} onPeople={() => {}} />
          <Charts found={found} ofAll={search.workflow !== undefined} />
        </div>
      )}
    </dialog>
  );
}

function Stamp({ children }: { children: ReactNode }) {
  return <p className={css.span}>{children}</p>;
}
