import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { scheduleText } from "../../i18n/schedules";
import { useFormatter } from "../../ui";
import { localOf, type View } from "./days";
import { type Day, type PlannedShape, type Schedule } from "./queries";
import css from "./schedules.module.css";
import { dragged, StartItem } from "./StartItem";

interface CalendarProps {
  view: View;
  days: readonly Day[];
  today: string;
  /** The month that is shown; days of others stand back. */
  month: string;
  schedules: ReadonlyMap<string, Schedule>;
  zone: string;
  onMove: (start: PlannedShape, day?: string) => void;
  onDay: (day: string) => void;
}

/** A day as it is written; noon of it, wherever one is. */
const noon = (day: string) => `${day}T12:00:00Z`;
/** More of one day stand in its own list. */
const MOST = { month: 4, week: 14 } as const;

export function Calendar(props: CalendarProps) {
  return props.view === "agenda" ? <Agenda {...props} /> : <Grid {...props} />;
}

/** The days below each other: every start with all its words. */
function Agenda({ days, today, schedules, onMove }: CalendarProps) {
  const { t } = useTranslation("schedules");
  const format = useFormatter().in("UTC");
  return (
    <div className={css.agenda}>
      {days.map((one) => (
        <section key={one.day} aria-labelledby={`day-${one.day}`} data-today={one.day === today || undefined}>
          <h3 id={`day-${one.day}`}>
            <span>
              {format.weekdayDay(noon(one.day))}
              {one.day === today && <b>{t("today")}</b>}
            </span>
            <FreeDays day={one} />
          </h3>
          {one.starts.length + one.many.length === 0 ? (
            <p className={css.nothing}>{t("nothing")}</p>
          ) : (
            <ul>
              {one.many.map((many) => (
                <li key={many.schedule_id}>
                  <Many many={many} schedule={schedules.get(many.schedule_id)} />
                </li>
              ))}
              {one.starts.map((start) => (
                <li key={keyOf(start)}>
                  <StartItem start={start} schedule={schedules.get(start.schedule)} onMove={onMove} />
                </li>
              ))}
            </ul>
          )}
        </section>
      ))}
    </div>
  );
}

/** Weeks below each other, as a table: what comes can be dragged to another day. */
function Grid({ view, days, today, month, schedules, zone, onMove, onDay }: CalendarProps) {
  const { t } = useTranslation("schedules");
  const own = useFormatter();
  const format = own.in("UTC");
  const weeks = Array.from({ length: Math.ceil(days.length / 7) }, (_, number) => days.slice(number * 7, number * 7 + 7));
  const most = view === "month" ? MOST.month : MOST.week;
  const drop = (day: string) => {
    const start = dragged.start;
    dragged.start = null;
    if (start && localOf(start.at, zone).slice(0, 10) !== day) onMove(start, day);
  };
  return (
    <div className={css.gridBox}>
      <table className={css.grid} data-view={view}>
        <caption className="srOnly">{t("gridCaption")}</caption>
        <thead>
          <tr>
            {days.slice(0, 7).map((one) => (
              <th key={one.day} scope="col">
                {format.weekday(noon(one.day))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]?.day}>
              {week.map((one) => {
                const shown = one.starts.slice(0, Math.max(1, most - one.many.length));
                const left = one.starts.length - shown.length;
                return (
                  <td
                    key={one.day}
                    data-today={one.day === today || undefined}
                    data-other={(view === "month" && !one.day.startsWith(month)) || undefined}
                    data-free={one.free.some((free) => free.kind === "off") || undefined}
                    onDragOver={(event) => dragged.start && event.preventDefault()}
                    onDrop={(event) => {
                      event.preventDefault();
                      drop(one.day);
                    }}
                  >
                    <div className={css.cellHead}>
                      <button type="button" className={css.dayNumber} onClick={() => onDay(one.day)} aria-current={one.day === today ? "date" : undefined} aria-label={format.weekdayDay(noon(one.day))}>
                        {Number(one.day.slice(8))}
                      </button>
                      <FreeDays day={one} />
                    </div>
                    {one.many.map((many) => (
                      <Many key={many.schedule_id} many={many} schedule={schedules.get(many.schedule_id)} />
                    ))}
                    {shown.map((start) => (
                      <StartItem key={keyOf(start)} start={start} schedule={schedules.get(start.schedule)} onMove={onMove} />
                    ))}
                    {left > 0 && (
                      <button type="button" className={css.more} onClick={() => onDay(one.day)}>
                        {t("more", { count: left, number: own.number(left) })}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const keyOf = (start: Day["starts"][number]) => `${start.schedule} ${start.past ? start.past.event_id : start.coming.instant}`;

function FreeDays({ day }: { day: Day }) {
  const { t } = useTranslation("schedules");
  const told = (kind: "off" | "close", word: string) => [...new Set(day.free.filter((one) => one.kind === kind).map((one) => `${one.name || word}${one.calendar ? ` (${one.calendar})` : ""}`))].join(", ");
  const free = told("off", t("freeDay"));
  const close = told("close", t("periodClose"));
  return (
    <>
      {free && (
        <small className={css.freeDay} title={free}>
          {free}
        </small>
      )}
      {close && (
        <small className={css.close} title={close}>
          {close}
        </small>
      )}
    </>
  );
}

/** A schedule that starts often, on one day: how many went well, and how many are to come. */
function Many({ many, schedule }: { many: Day["many"][number]; schedule: Schedule | undefined }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  const failed = (many.by_status.dead_lettered ?? 0) + (many.by_status.cancelled ?? 0);
  const all = Object.values(many.by_status).reduce((sum, one) => sum + one, 0);
  const count = (name: string, number: number) => t(name, { count: number, number: format.number(number) });
  const words = [
    all - failed > 0 && count("many.started", all - failed),
    failed > 0 && count("many.failed", failed),
    many.left_out > 0 && count("many.leftOut", many.left_out),
    many.planned === null ? t("many.often") : many.planned > 0 && count("many.planned", many.planned),
  ].filter(Boolean);
  return (
    <Link
      to="/workflows/$id/runs"
      params={{ id: many.workflow_id }}
      search={{ since: many.day, until: many.day }}
      className={css.item}
      data-kind={failed > 0 ? "failed" : "many"}
      title={`${schedule?.workflow_name ?? ""}: ${scheduleText(schedule?.words ?? "")}`}
    >
      <span className={css.itemName}>{schedule?.workflow_name ?? ""}</span>
      <span className={css.itemWord}>{words.join(" · ")}</span>
    </Link>
  );
}
