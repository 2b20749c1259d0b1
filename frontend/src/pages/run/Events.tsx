import { useNavigate, useSearch } from "@tanstack/react-router";
import { CirclePlay } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { localNote } from "../../graph/notes";
import { Button, StatusIcon, useFormatter } from "../../ui";
import { useNews } from "../../ui/typed";
import { startedBy } from "../runs/words";
import css from "./dock.module.css";
import { choices, type EventFilter, filterEvents, isFiltered } from "./eventFilter";
import type { RunEvent, RunEventKind } from "./timeline";

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

/** What happened, in order of time: all of it, or what is looked for. */
export function Events({ events, onSelect }: { events: readonly RunEvent[]; onSelect: (node: string) => void }) {
  const { t } = useTranslation(["runs", "lookback"]);
  const format = useFormatter();
  const say = useEventWords();
  const { of, kind, find } = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  // What is typed is shown at once; the address follows.
  const [typed, setTyped] = useState(find ?? "");
  const noteSaid = useNews(find ?? "", setTyped);
  const box = useRef<HTMLInputElement>(null);
  const filter: EventFilter = { of, kind, find: typed };
  const detail = (event: RunEvent): string =>
    event.kind === "accepted" || event.kind === "retried" ? "" : (localNote(event.detail, format) ?? "");
  const shown = filterEvents(events, filter, (event) => `${say(event)} ${detail(event)}`);
  const { steps, kinds } = useMemo(() => choices(events), [events]);
  const filtered = isFiltered(filter);

  const change = (next: EventFilter) => {
    noteSaid(next.find ?? "");
    void navigate({
      search: ({ of: _of, kind: _kind, find: _find, ...rest }) => ({
        ...rest,
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
  return (
    <div className={css.events}>
      <search className={css.filter} aria-label={t("lookback:filter.label")}>
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
          {of && !steps.some((step) => step.node === of) && <option value={of}>{t("lookback:filter.otherStep")}</option>}
          {steps.map((step) => (
            <option key={step.node} value={step.node}>
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
          {filtered
            ? `${t("lookback:filter.some", { shown: shown.length, count: events.length })} ${t("lookback:filter.downloads")}`
            : t("lookback:filter.all", { count: events.length })}
        </span>
        {filtered && shown.length > 0 && (
          <Button size="sm" onClick={showAll}>
            {t("lookback:filter.showAll")}
          </Button>
        )}
      </search>
      {filtered && shown.length === 0 ? (
        <div className={css.none}>
          <p>{t("lookback:filter.none")}</p>
          <Button size="sm" onClick={showAll}>
            {t("lookback:filter.showAll")}
          </Button>
        </div>
      ) : (
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
                <td>{detail(event)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
