import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { CalendarClock, ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { CollisionShape } from "../../api/schema.gen";
import { useCan } from "../../api/session";
import {
  Button,
  buttonClass,
  cx,
  EmptyState,
  ErrorCard,
  IconButton,
  Note,
  PageBody,
  segmentClass,
  segmentsClass,
  showToast,
  SkeletonRows,
  TopBar,
  useErrorText,
  useFormatter,
} from "../../ui";
import { Calendar } from "./Calendar";
import { dayOf, daysOf, turned, type View, VIEWS } from "./days";
import { MoveDialog, PauseDialog } from "./Dialogs";
import { byDay, type PlannedShape, type Schedule, spread, useCalendar, useDeed, useSchedules } from "./queries";
import { ScheduleList } from "./ScheduleList";
import css from "./schedules.module.css";

const SPREAD_MINUTES = 10;
/** Below this the days stand in a list unless somebody wants them otherwise. */
const WIDE = 900;

/** When everything starts: a calendar of what came and what comes, and each schedule with its next starts. */
export default function SchedulesPage() {
  const { t } = useTranslation("schedules");
  const search = useSearch({ from: "/shell/schedules" });
  const navigate = useNavigate({ from: "/schedules" });
  const canBuild = useCan("builder");
  const zone = useFormatter().timeZone;
  const list = useSchedules();
  const view: View = search.view ?? (window.innerWidth < WIDE ? "agenda" : "month");
  const today = dayOf(Date.now(), zone);
  const day = search.day ?? today;
  const days = useMemo(() => daysOf(view, day), [view, day]);
  const calendar = useCalendar(days, zone);
  const [moving, setMoving] = useState<{ start: PlannedShape; day: string | undefined } | null>(null);
  const [pausing, setPausing] = useState<Schedule | null>(null);
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  const schedules = useMemo(() => new Map(list.data?.items.map((one) => [one.id, one])), [list.data]);
  const shown = useMemo(() => byDay(calendar.data, days, zone, search.schedule), [calendar.data, days, zone, search.schedule]);
  const go = (more: { view?: View; day?: string; schedule?: string | undefined }) =>
    void navigate({
      search: (before) => {
        const next = { ...before, ...more };
        return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
      },
      replace: true,
    });
  const empty = list.data?.items.length === 0;
  return (
    <>
      <TopBar
        title={t("title")}
        middle={
          <div className={segmentsClass} role="group" aria-label={t("views")}>
            {VIEWS.map((one) => (
              <button key={one} type="button" className={segmentClass} aria-pressed={one === view} onClick={() => go({ view: one })}>
                {t(`view.${one}`)}
              </button>
            ))}
          </div>
        }
      />
      <PageBody className={css.page}>
        {list.isError && <ErrorCard title={t("failed")} error={list.error} onRetry={() => void list.refetch()} />}
        {list.isPending && <SkeletonRows rows={6} label={t("loading")} />}
        {empty && (
          <EmptyState
            title={t("empty.title")}
            text={t("empty.text")}
            actions={
              canBuild && (
                <Link to="/workflows" className={buttonClass("primary")}>
                  {t("empty.open")}
                </Link>
              )
            }
          />
        )}
        {list.data && !empty && (
          <>
            {list.data.collisions.map((one) => (
              <Collision key={`${one.at} ${one.schedules.length}`} collision={one} />
            ))}
            <div className={css.columns}>
              <section className={css.calendar} aria-labelledby="calendar-title">
                <div className={css.bar}>
                  <IconButton label={t("earlier")} icon={<ChevronLeft size={18} aria-hidden />} onClick={() => go({ day: turned(view, day, -1) })} />
                  <IconButton label={t("laterOn")} icon={<ChevronRight size={18} aria-hidden />} onClick={() => go({ day: turned(view, day, 1) })} />
                  <h2 id="calendar-title">
                    <Range view={view} day={day} days={days} />
                  </h2>
                  <Button size="sm" onClick={() => go({ day: today })}>
                    {t("today")}
                  </Button>
                  <small className={css.quiet}>{t("inZone", { zone: zone.replaceAll("_", " ") })}</small>
                </div>
                {calendar.isError && <ErrorCard title={t("failed")} error={calendar.error} onRetry={() => void calendar.refetch()} />}
                <div aria-busy={calendar.isPending || calendar.isPlaceholderData || undefined} className={cx(css.days, calendar.isPlaceholderData && css.stale)}>
                  <Calendar
                    view={view}
                    days={shown}
                    today={today}
                    month={day.slice(0, 8)}
                    schedules={schedules}
                    zone={zone}
                    onMove={(start, to) => setMoving({ start, day: to })}
                    onDay={(one) => go({ view: "agenda", day: one })}
                  />
                </div>
              </section>
              <ScheduleList schedules={list.data.items} chosen={search.schedule} zone={zone} onChoose={(schedule) => go({ schedule })} onPause={setPausing} />
            </div>
          </>
        )}
      </PageBody>
      {moving && (
        <MoveDialog start={moving.start} day={moving.day} schedule={schedules.get(moving.start.schedule_id)} zone={zone} onClose={() => setMoving(null)} />
      )}
      {pausing && <PauseDialog schedule={pausing} zone={zone} onClose={() => setPausing(null)} />}
    </>
  );
}

function Range({ view, day, days }: { view: View; day: string; days: readonly string[] }) {
  const format = useFormatter().in("UTC");
  const noon = (one: string | undefined) => `${one}T12:00:00Z`;
  if (view === "month") return <>{format.month(noon(day))}</>;
  return (
    <>
      {format.day(noon(days[0]))} – {format.day(noon(days.at(-1)))}
    </>
  );
}

/** Many schedules start in one minute, and could do so one behind the other. */
function Collision({ collision }: { collision: CollisionShape }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  const canBuild = useCan("builder");
  const errorText = useErrorText();
  const failed = (error: Error) => showToast({ tone: "err", title: t("deedFailed"), text: errorText(error).title });
  const deed = useDeed(spread);
  const count = collision.schedules.length;
  const many = { count, number: format.number(count), time: format.clock(collision.at), day: format.day(collision.at), minutes: SPREAD_MINUTES };
  const go = () =>
    deed.mutate(
      { schedules: collision.schedules, minutes: SPREAD_MINUTES },
      {
        onError: failed,
        onSuccess: () =>
          showToast({
            title: t("collision.done", many),
            action: { label: t("undo"), run: () => deed.mutate({ schedules: collision.schedules, minutes: 0 }, { onError: failed }) },
          }),
      },
    );
  return (
    <Note tone="wait" icon={<CalendarClock size={16} aria-hidden />}>
      <div className={css.collision}>
        <span>
          {t("collision.text", many)} {collision.times > 1 && t("collision.times", { count: collision.times })}
        </span>
        {canBuild && (
          <Button size="sm" busy={deed.isPending} onClick={go}>
            {t("collision.spread", many)}
          </Button>
        )}
      </div>
    </Note>
  );
}
