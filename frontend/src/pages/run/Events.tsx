import { useNavigate, useSearch } from "@tanstack/react-router";
import { CirclePlay, Download, Server, User } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useReadOn } from "../../api/readOn";
import type { GraphDocument, Run, RunStep } from "../../api/types";
import { Button, ErrorCard, FilterChip, SkeletonRows, StatusIcon, useErrorText, useFormatter } from "../../ui";
import { useNews } from "../../ui/typed";
import css from "./dock.module.css";
import { type EventFilter, filterEvents, isFiltered, kindsOf, type RunEventKind, SHOWN } from "./eventFilter";
import { eventsCsv, eventsOf, type RunEvent } from "./events";
import { useEventWords } from "./eventWords";
import { AT_ONCE, useHappenings } from "./useHappenings";
import { stepsOfRun } from "./undo";

/** Looking for words reads on by itself up to so many events. */
const LOOKED_THROUGH = 2000;

interface EventsProps {
  run: Run;
  graph: GraphDocument;
  steps: Readonly<Record<string, RunStep>>;
  onSelect: (node: string) => void;
}

function Mark({ event }: { event: RunEvent }) {
  if (event.kind === "started" || event.kind === "begun") return <CirclePlay size={15} color="var(--idle)" aria-hidden />;
  if (event.kind === "worker") return <Server size={15} color="var(--idle)" aria-hidden />;
  if (event.deed !== null && event.kind !== "retried" && event.kind !== "undone") return <User size={15} color="var(--idle)" aria-hidden />;
  return <StatusIcon kind={event.status} size={15} decorative />;
}

/** Keeps all that happened as a file, whatever is shown of it. */
function Downloads({ run, known, whole }: { run: Run; known: Omit<EventsProps, "onSelect">; whole: ReturnType<typeof useHappenings>["whole"] }) {
  const { t } = useTranslation(["runs", "lookback"]);
  const errorText = useErrorText();
  const [state, setState] = useState<"json" | "csv" | { error: unknown } | null>(null);
  const download = async (kind: "json" | "csv") => {
    setState(kind);
    try {
      const events = eventsOf(await whole(), known);
      const told = events.map(({ id: _id, ...event }) => ({ ...event, at: new Date(event.at).toISOString() }));
      const text = kind === "csv" ? eventsCsv(events) : JSON.stringify({ run: run.id, events: told }, null, 2);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: kind === "csv" ? "text/csv;charset=utf-8" : "application/json" }));
      link.download = `run-${run.short_id}-events.${kind}`;
      link.click();
      URL.revokeObjectURL(link.href);
      setState(null);
    } catch (error) {
      setState({ error });
    }
  };
  return (
    <span className={css.downloads}>
      {typeof state === "object" && state !== null && <small role="alert">{errorText(state.error).title}</small>}
      <Button size="sm" busy={state === "json"} icon={<Download size={14} aria-hidden />} onClick={() => void download("json")}>
        {t("event.download")}
      </Button>
      <Button size="sm" busy={state === "csv"} icon={<Download size={14} aria-hidden />} aria-label={t("lookback:csv")} onClick={() => void download("csv")}>
        CSV
      </Button>
    </span>
  );
}

/** What happened, in order of time: what steps did and what people did, or what is looked for of it. */
export default function Events({ run, graph, steps, onSelect }: EventsProps) {
  const { t } = useTranslation(["runs", "lookback", "happenings"]);
  const format = useFormatter();
  const { only, of, kind, find } = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  // What is typed is shown at once; the address follows.
  const [typed, setTyped] = useState(find ?? "");
  const noteSaid = useNews(find ?? "", setTyped);
  const box = useRef<HTMLInputElement>(null);
  const filter: EventFilter = { only, of, kind, find: typed };
  const { list, told, whole } = useHappenings(run, { only, node: of });
  const names = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node.name])), [graph]);
  const { say, detail } = useEventWords((node) => names.get(node) ?? node);
  const events = useMemo(() => eventsOf(told, { run, graph, steps }, { only, node: of }), [told, run, graph, steps, only, of]);
  const shown = filterEvents(events, filter, (event) => `${say(event)} ${detail(event)}`);
  const choices = useMemo(() => stepsOfRun(graph, steps), [graph, steps]);
  const kinds = useMemo(() => kindsOf(events), [events]);
  const filtered = isFiltered(filter);
  const { hasNextPage, fetchNextPage } = list;
  // A page that is not full is as far as the server looked at a time: what is looked for may be behind it.
  const short = (list.data?.pages.at(-1)?.items.length ?? AT_ONCE) < AT_ONCE;
  const readsOn = useReadOn(list, short || (Boolean(kind || typed.trim()) && events.length < LOOKED_THROUGH));

  const change = (next: EventFilter) => {
    noteSaid(next.find ?? "");
    void navigate({
      search: ({ only: _only, of: _of, kind: _kind, find: _find, ...rest }) => ({
        ...rest,
        ...(next.only ? { only: next.only } : {}),
        ...(next.of ? { of: next.of } : {}),
        ...(next.kind ? { kind: next.kind } : {}),
        ...(next.find ? { find: next.find } : {}),
      }),
      replace: true,
    });
  };
  const showAll = () => {
    setTyped("");
    change({});
    // The button goes away with the filter; the keyboard stays where looking began.
    box.current?.focus();
  };
  const counts = { shown: shown.length, count: events.length };
  const counted = [
    shown.length < events.length ? t("lookback:filter.some", counts) : filtered ? t("happenings:fit", counts) : t("lookback:filter.all", counts),
    hasNextPage ? t("happenings:soFar") : "",
    filtered ? t("lookback:filter.downloads") : "",
  ];
  return (
    <div className={css.events}>
      <search className={css.filter} aria-label={t("lookback:filter.label")}>
        <span className={css.only} role="group" aria-label={t("happenings:only.label")}>
          <FilterChip on={!only} onClick={() => change({ ...filter, only: undefined })}>
            {t("happenings:only.all")}
          </FilterChip>
          {SHOWN.map((one) => (
            <FilterChip key={one} on={only === one} onClick={() => change({ ...filter, only: one, kind: undefined })}>
              {t(`happenings:only.${one}`)}
            </FilterChip>
          ))}
        </span>
        <input
          ref={box}
          type="search"
          className={css.find}
          value={typed}
          placeholder={t("lookback:filter.find")}
          aria-label={t("lookback:filter.find")}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            change({ ...filter, find: event.currentTarget.value });
          }}
        />
        <select
          className={css.choice}
          aria-label={t("lookback:filter.step")}
          value={of ?? ""}
          onChange={(event) => change({ ...filter, of: event.currentTarget.value })}
        >
          <option value="">{t("lookback:filter.everyStep")}</option>
          {of && !choices.some((step) => step.id === of) && <option value={of}>{names.get(of) ?? t("lookback:filter.otherStep")}</option>}
          {choices.map((step) => (
            <option key={step.id} value={step.id}>
              {step.name}
            </option>
          ))}
        </select>
        <select
          className={css.choice}
          aria-label={t("lookback:filter.kind")}
          value={kind ?? ""}
          onChange={(event) => change({ ...filter, kind: (event.currentTarget.value || undefined) as RunEventKind | undefined })}
        >
          <option value="">{t("lookback:filter.everyKind")}</option>
          {(kind && !kinds.includes(kind) ? [...kinds, kind] : kinds).map((one) => (
            <option key={one} value={one}>
              {t(`lookback:eventKind.${one}`)}
            </option>
          ))}
        </select>
        <span role="status" className={css.count}>
          {list.data && counted.filter(Boolean).join(" ")}
        </span>
        {filtered && shown.length > 0 && (
          <Button size="sm" onClick={showAll}>
            {t("lookback:filter.showAll")}
          </Button>
        )}
        <Downloads run={run} known={{ run, graph, steps }} whole={whole} />
      </search>
      {list.isPending && <SkeletonRows rows={4} height={26} label={t("happenings:loading")} />}
      {list.isError && <ErrorCard title={t("happenings:loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && filtered && shown.length === 0 && !readsOn && (
        <div className={css.none}>
          <p>{t("lookback:filter.none")}</p>
          <Button size="sm" onClick={showAll}>
            {t("lookback:filter.showAll")}
          </Button>
        </div>
      )}
      {shown.length > 0 && (
        <table className={css.table}>
          <thead className="srOnly">
            <tr>
              <th scope="col">{t("event.time")}</th>
              <th scope="col">{t("event.what")}</th>
              <th scope="col">{t("event.detail")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((event) => (
              <tr key={event.id} data-kind={event.kind}>
                <td className="mono">
                  <time dateTime={new Date(event.at).toISOString()} title={format.exact(event.at)}>
                    {format.clockMillis(event.at)}
                  </time>
                </td>
                <td>
                  <span className={css.what}>
                    <Mark event={event} />
                    {event.node && names.has(event.node) ? (
                      <button type="button" className={css.plainLink} onClick={() => onSelect(event.node ?? "")}>
                        {say(event)}
                      </button>
                    ) : (
                      say(event)
                    )}
                  </span>
                </td>
                <td>{detail(event)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {hasNextPage && (
        <Button size="sm" busy={list.isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t("happenings:more")}
        </Button>
      )}
    </div>
  );
}
