import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChartColumn, CircleX, Table2 } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { HourShape, HoursShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import { IconButton, numClass, tableClass, useFormatter } from "../../ui";
import { briefly } from "../../ui/zone";
import css from "./hours.module.css";

/** What was added up changes every two seconds; a glance at a day needs no more. */
const EVERY = 10_000;
/** Under every so many of them stands when it began. */
const LABELLED = 6;

/** The last 24 hours, as the monitor counts them: never read from the runs. */
function useHours() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "runs", "hours"],
    queryFn: async ({ signal }) => (await api.get<HoursShape>(`${workspacePath(workspace)}/runs/hours`, { signal })).hours,
    refetchInterval: EVERY,
    staleTime: 0,
  });
}

/** The live runs of that hour. */
const runsOf = (hour: HourShape) => ({ since: briefly(hour.begin), until: briefly(hour.end), mode: "live" });

/** How the day went, hour by hour: how many runs began, and where some failed; each leads to its runs. */
export function Hours() {
  const { t } = useTranslation("workflows");
  const [asTable, setAsTable] = useState(false);
  const hours = useHours().data;
  if (!hours || hours.every((one) => one.started === 0 && one.failed === 0)) return null;
  return (
    <div className={css.hours}>
      <div className={css.head}>
        <h3>{t("home.hours.title")}</h3>
        {!asTable && hours.some((one) => one.failed > 0) && (
          <span className={css.key} aria-hidden>
            <CircleX size={12} /> {t("home.hours.failedIn")}
          </span>
        )}
        <IconButton
          size="sm"
          label={t(asTable ? "home.hours.asBars" : "home.hours.asTable")}
          icon={asTable ? <ChartColumn size={15} aria-hidden /> : <Table2 size={15} aria-hidden />}
          onClick={() => setAsTable(!asTable)}
        />
      </div>
      {asTable ? <AsTable hours={hours} /> : <Bars hours={hours} />}
    </div>
  );
}

function useHourText() {
  const format = useFormatter();
  return (hour: HourShape) => `${format.clock(hour.begin)} – ${format.clock(hour.end)}`;
}

/** One of them is reached with Tab, the others from it with the arrow keys. */
function Bars({ hours }: { hours: readonly HourShape[] }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const text = useHourText();
  const most = Math.max(1, ...hours.map((one) => one.started));
  const [at, setAt] = useState(hours.length - 1);
  const list = useRef<HTMLOListElement>(null);
  const move = (event: KeyboardEvent) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: hours.length - 1 }[event.key];
    if (to === undefined || !hours[to]) return;
    event.preventDefault();
    setAt(to);
    list.current?.querySelectorAll("a")[to]?.focus();
  };
  return (
    <ol ref={list} className={css.bars} aria-label={t("home.hours.label")}>
      {hours.map((hour, index) => {
        const words = [
          text(hour),
          t("home.hours.began", { count: hour.started, number: format.number(hour.started) }),
          hour.failed > 0 && t("home.hours.failed", { count: hour.failed, number: format.number(hour.failed) }),
        ]
          .filter(Boolean)
          .join(" · ");
        return (
          <li key={hour.begin}>
            <Link
              to="/runs"
              search={runsOf(hour)}
              className={css.bar}
              tabIndex={index === at ? 0 : -1}
              aria-label={words}
              title={words}
              onFocus={() => setAt(index)}
              onKeyDown={move}
            >
              <span className={css.room}>
                {hour.started > 0 && <i style={{ height: `${Math.max(6, (hour.started / most) * 100)}%` }} data-failed={hour.failed > 0 || undefined} />}
              </span>
              <span className={css.mark}>{hour.failed > 0 && <CircleX size={12} aria-hidden />}</span>
            </Link>
            {index % LABELLED === 0 && (
              <small aria-hidden>{format.clock(hour.begin)}</small>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** The same in numbers, the hour that is not over first. */
function AsTable({ hours }: { hours: readonly HourShape[] }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const text = useHourText();
  return (
    // Reached by keyboard to be scrolled.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={css.table} tabIndex={0} role="region" aria-label={t("home.hours.label")}>
      <table className={tableClass}>
        <thead>
          <tr>
            <th scope="col">{t("home.hours.hour")}</th>
            <th scope="col" className={numClass}>{t("home.hours.beganColumn")}</th>
            <th scope="col" className={numClass}>{t("home.failed")}</th>
          </tr>
        </thead>
        <tbody>
          {[...hours].reverse().map((hour) => (
            <tr key={hour.begin}>
              <th scope="row">
                <Link to="/runs" search={runsOf(hour)}>
                  {text(hour)}
                </Link>
              </th>
              <td className={numClass}>{format.number(hour.started)}</td>
              <td className={numClass}>{format.number(hour.failed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
