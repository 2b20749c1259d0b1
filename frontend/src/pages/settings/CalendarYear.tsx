import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useTranslation } from "react-i18next";

import { type Calendar, type CalendarYearShape, useCalendarYear } from "../../api/calendars";
import { Chip, cx, EmptyState, ErrorCard, IconButton, sectionTitleClass, segmentClass, segmentsClass, SkeletonRows, tableBoxClass, tableCardsClass, tableClass, useFormatter } from "../../ui";
import { dayOf } from "../schedules/days";
import { weeksOf } from "./calendarDays";
import { FIRST_YEAR, LAST_YEAR } from "./calendarSearch";
import css from "./calendars.module.css";

const TONES = { holiday: "wait", off: "wait", worked: "ok", close: "accent" } as const;
const MONTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6];

/** A year of a calendar: what there is to say of its days as a list, or as twelve months. */
export function CalendarYear({ calendar }: { calendar: Calendar }) {
  const { t } = useTranslation("calendars");
  const zone = useFormatter().timeZone;
  const search = useSearch({ from: "/shell/settings/calendars" });
  const navigate = useNavigate({ from: "/settings/calendars" });
  const year = search.year ?? Number(dayOf(Date.now(), zone).slice(0, 4));
  const view = search.view ?? "list";
  const setYear = (next: number) => void navigate({ search: (before) => ({ ...before, year: next }), replace: true });
  const setView = (next: "list" | "months") =>
    void navigate({ search: ({ view: _view, ...rest }) => (next === "months" ? { ...rest, view: next } : rest), replace: true });
  const found = useCalendarYear(calendar.id, year);
  const data = found.data;
  return (
    <section className={css.year} aria-labelledby="calendar-year">
      <div className={css.yearHead}>
        <h3 id="calendar-year" className={sectionTitleClass}>
          {t("year.of", { name: calendar.name, year })}
        </h3>
        <div className={css.turn}>
          <IconButton size="sm" label={t("year.before")} icon={<ChevronLeft size={16} />} disabled={year <= FIRST_YEAR} onClick={() => setYear(year - 1)} />
          <IconButton size="sm" label={t("year.next")} icon={<ChevronRight size={16} />} disabled={year >= LAST_YEAR} onClick={() => setYear(year + 1)} />
          <div className={segmentsClass} role="group" aria-label={t("year.views")}>
            {(["list", "months"] as const).map((one) => (
              <button key={one} type="button" className={segmentClass} aria-pressed={view === one} onClick={() => setView(one)}>
                {t(`year.${one}`)}
              </button>
            ))}
          </div>
        </div>
      </div>
      {found.isError && <ErrorCard title={t("year.failed")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows rows={5} height={34} label={t("year.loading")} />}
      {data && (
        <div aria-busy={found.isPlaceholderData || undefined}>
          {view === "list" ? <List year={data} /> : <Months year={data} />}
        </div>
      )}
    </section>
  );
}

const noon = (day: string) => `${day}T12:00:00Z`;

function List({ year }: { year: CalendarYearShape }) {
  const { t } = useTranslation("calendars");
  const format = useFormatter().in("UTC");
  if (year.days.length === 0) return <EmptyState plain title={t("year.nothing")} text={t("year.nothingText")} />;
  return (
    <div className={tableBoxClass}>
      <table className={cx(tableClass, tableCardsClass, css.said)}>
        <thead>
          <tr>
            <th scope="col">{t("year.day")}</th>
            <th scope="col">{t("year.name")}</th>
            <th scope="col">{t("year.kind")}</th>
          </tr>
        </thead>
        <tbody>
          {year.days.map((one) => (
            <tr key={`${one.day} ${one.kind}`}>
              <td className={css.date}>{format.weekdayDay(noon(one.day))}</td>
              <td className={css.saidName}>{one.name || (one.kind === "close" ? t("kind.closeName") : t("kind.unnamed"))}</td>
              <td>
                <Chip tone={TONES[one.kind]}>{t(`kind.${one.kind}`)}</Chip>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Months({ year }: { year: CalendarYearShape }) {
  const { t } = useTranslation("calendars");
  const own = useFormatter();
  const format = own.in("UTC");
  const said = new Map<string, CalendarYearShape["days"]>();
  for (const one of year.days) said.set(one.day, [...(said.get(one.day) ?? []), one]);
  const free = new Set(year.free);
  return (
    <>
      <ul className={css.legend} aria-label={t("year.legend")}>
        {(["weekend", "off", "worked", "close"] as const).map((kind) => (
          <li key={kind} data-kind={kind}>
            {t(`legend.${kind}`)}
          </li>
        ))}
      </ul>
      <div className={css.months}>
        {MONTHS.map((month) => {
          const count = year.working_days[month] ?? 0;
          return (
            <table key={month} className={css.month}>
              <caption>
                <b>{format.month(new Date(Date.UTC(year.year, month, 15)))}</b> <small>{t("year.workingDays", { count, number: own.number(count) })}</small>
              </caption>
              <thead>
                <tr>
                  {WEEKDAYS.map((day) => (
                    <th key={day} scope="col">
                      <span aria-hidden>{t(`weekday.${day}` as "weekday.0")}</span>
                      <span className="srOnly">{t(`weekdayLong.${day}` as "weekdayLong.0")}</span>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {weeksOf(year.year, month).map((week) => (
                  <tr key={week.find(Boolean)}>
                    {week.map((day, place) => (day ? <Cell key={day} day={day} free={free.has(day)} said={said.get(day) ?? []} /> : <td key={`none ${place}`}>{"\u00a0"}</td>))}
                  </tr>
                ))}
              </tbody>
            </table>
          );
        })}
      </div>
    </>
  );
}

function Cell({ day, free, said }: { day: string; free: boolean; said: CalendarYearShape["days"] }) {
  const { t } = useTranslation("calendars");
  const words = said.map((one) => [t(`kind.${one.kind}`), one.name].filter(Boolean).join(": "));
  const named = said.some((one) => one.kind === "holiday" || one.kind === "off");
  return (
    <td
      className={cx(free && css.free, free && named && css.named, said.some((one) => one.kind === "worked") && css.worked, said.some((one) => one.kind === "close") && css.close)}
      title={words.join("\n") || undefined}
    >
      {Number(day.slice(8))}
      {(words.length > 0 || free) && <span className="srOnly"> {words.join(", ") || t("legend.weekend")}</span>}
    </td>
  );
}
