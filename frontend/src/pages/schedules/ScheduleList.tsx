import { Link, useNavigate } from "@tanstack/react-router";
import { CalendarOff, CirclePause, CirclePlay, Play, SkipForward } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { ClockNoteShape } from "../../api/schema.gen";
import { useCan } from "../../api/session";
import { scheduleText } from "../../i18n/schedules";
import { Button, Card, Chip, runStatusKind, type RunStatus, sectionTitleClass, showToast, StatusIcon, Time, useErrorText, useFormatter } from "../../ui";
import { HistoryButton } from "../history/HistoryButton";
import { putBack, resumeSchedule, runNow, type Schedule, skipStart, spread, useDeed } from "./queries";
import css from "./schedules.module.css";

interface ListProps {
  schedules: readonly Schedule[];
  chosen: string | undefined;
  zone: string;
  onChoose: (schedule: string | undefined) => void;
  onPause: (schedule: Schedule) => void;
}

/** Every schedule with what comes next, and what can be done about it. */
export function ScheduleList(props: ListProps) {
  const { t } = useTranslation("schedules");
  return (
    <section className={css.list} aria-labelledby="schedules-list">
      <h2 id="schedules-list" className={sectionTitleClass}>
        {t("list")}
      </h2>
      <ul>
        {props.schedules.map((one) => (
          <li key={one.id}>
            <ScheduleCard {...props} schedule={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function ScheduleCard({ schedule, chosen, zone, onChoose, onPause }: ListProps & { schedule: Schedule }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  const navigate = useNavigate();
  const canRun = useCan("reviewer");
  const canBuild = useCan("builder");
  const errorText = useErrorText();
  const failed = (error: Error) => showToast({ tone: "err", title: t("deedFailed"), text: errorText(error).title });
  const run = useDeed(runNow);
  const skip = useDeed(skipStart);
  const back = useDeed(putBack);
  const resume = useDeed(resumeSchedule);
  const onTime = useDeed(spread);
  const next = schedule.next.find((one) => one.fate === "start");
  const name = schedule.workflow_name;
  const start = () =>
    run.mutate(
      { workflow: schedule.workflow_id, step: schedule.step },
      {
        onError: failed,
        onSuccess: (made) => {
          const { id } = made as { id: string };
          showToast({ title: t("started", { name }), action: { label: t("open"), run: () => void navigate({ to: "/runs/$runId", params: { runId: id } }) } });
        },
      },
    );
  const leaveOut = () => {
    if (!next) return;
    const given = { schedule: schedule.id, instant: next.instant };
    skip.mutate(given, {
      onError: failed,
      onSuccess: () =>
        showToast({
          title: t("skipped", { name, time: format.weekdayClock(next.at) }),
          action: { label: t("undo"), run: () => back.mutate(given, { onError: failed }) },
        }),
    });
  };
  return (
    <Card padded className={css.card} data-testid="schedule" data-chosen={chosen === schedule.id || undefined}>
      <div className={css.cardHead}>
        <h3>
          <Link to="/workflows/$id/starts" params={{ id: schedule.workflow_id }}>
            {name}
          </Link>
          <small>{schedule.step_name || schedule.step}</small>
        </h3>
        <Standing schedule={schedule} />
      </div>
      <p className={css.words}>
        {scheduleText(schedule.words)}
        {schedule.time_zone !== zone && <small> · {schedule.time_zone.replaceAll("_", " ")}</small>}
      </p>
      <p className={css.quiet}>{t(`policy.${schedule.overlap}`)} {t(`missed.${schedule.missed}`)}</p>
      <NextStarts schedule={schedule} />
      {schedule.clock_changes.map((one) => (
        <p key={one.at} className={css.clock}>
          <ClockWords note={one} />
        </p>
      ))}
      {schedule.starts_later_seconds > 0 && (
        <p className={css.clock}>
          {t("later", { time: format.duration(schedule.starts_later_seconds * 1000) })}{" "}
          {canBuild && (
            <Button variant="link" busy={onTime.isPending} onClick={() => onTime.mutate({ schedules: [schedule.id], minutes: 0 }, { onError: failed })}>
              {t("onTime")}
            </Button>
          )}
        </p>
      )}
      {schedule.last && (
        <p className={css.quiet}>
          {t("last")} <LastStart schedule={schedule} />
        </p>
      )}
      <div className={css.actions}>
        {canRun && schedule.enabled && (
          <Button size="sm" icon={<Play size={14} aria-hidden />} busy={run.isPending} onClick={start}>
            {t("action.runNow")}
          </Button>
        )}
        {canBuild && schedule.enabled && next && (
          <Button size="sm" icon={<SkipForward size={14} aria-hidden />} busy={skip.isPending} onClick={leaveOut}>
            {t("action.skipNext")}
          </Button>
        )}
        {canBuild &&
          (schedule.paused_until ? (
            <Button size="sm" icon={<CirclePlay size={14} aria-hidden />} busy={resume.isPending} onClick={() => resume.mutate({ schedule: schedule.id }, { onError: failed })}>
              {t("action.resume")}
            </Button>
          ) : (
            <Button size="sm" icon={<CirclePause size={14} aria-hidden />} onClick={() => onPause(schedule)}>
              {t("action.pause")}
            </Button>
          ))}
        <Button size="sm" variant="quiet" aria-pressed={chosen === schedule.id} onClick={() => onChoose(chosen === schedule.id ? undefined : schedule.id)}>
          {chosen === schedule.id ? t("action.showAll") : t("action.only")}
        </Button>
        <HistoryButton what="schedules" id={schedule.id} name={schedule.step_name || name} />
      </div>
    </Card>
  );
}

function Standing({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  if (!schedule.enabled) {
    return (
      <Chip tone="idle" icon={<CalendarOff size={13} aria-hidden />}>
        {t("standing.off")}
      </Chip>
    );
  }
  if (schedule.paused_until) {
    return (
      <Chip tone="wait" icon={<CirclePause size={13} aria-hidden />} title={schedule.paused_by ? t("standing.by", { name: schedule.paused_by }) : ""}>
        {t("standing.paused", { time: format.weekdayClock(schedule.paused_until) })}
      </Chip>
    );
  }
  if (schedule.held) {
    return (
      <Chip tone="wait" icon={<CirclePause size={13} aria-hidden />}>
        {t("standing.held")}
      </Chip>
    );
  }
  return null;
}

function NextStarts({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation("schedules");
  const format = useFormatter();
  if (!schedule.enabled) return null;
  if (schedule.next.length === 0) return <p className={css.quiet}>{t("never")}</p>;
  return (
    <ol className={css.next} aria-label={t("next", { name: schedule.workflow_name })}>
      {schedule.next.map((one) => (
        <li key={one.instant} data-fate={one.fate}>
          <time dateTime={one.at}>{format.weekdayClock(one.at)}</time>
          {one.fate === "skip" && <small>{t("fate.skipped")}</small>}
          {one.fate === "start" && one.moved && <small>{t("fate.movedFrom", { time: format.weekdayClock(one.instant) })}</small>}
        </li>
      ))}
    </ol>
  );
}

function ClockWords({ note }: { note: ClockNoteShape }) {
  const { t } = useTranslation("schedules");
  const day = useFormatter().in("UTC").day(`${note.day}T12:00:00Z`);
  const given = { day, asked: note.asked, starts: note.starts };
  if (note.asked === null) return <>{t(note.both ? "clock.both" : "clock.once", given)}</>;
  return <>{t(note.asked ? "clock.gap" : "clock.gapOfSeveral", given)}</>;
}

function LastStart({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation(["schedules", "common"]);
  const last = schedule.last;
  if (!last) return null;
  if (!last.run_id || !last.status) {
    return (
      <>
        <Time at={last.at} /> · {last.reason ?? t(`past.${last.verdict === "queued" ? "queued" : "leftOut"}`)}
      </>
    );
  }
  const kind = runStatusKind({ status: last.status as RunStatus, outcome: last.outcome });
  return (
    <Link to="/runs/$runId" params={{ runId: last.run_id }} className={css.lastRun}>
      <StatusIcon kind={kind} size={14} decorative /> <Time at={last.at} /> · {t(`common:status.${kind}`)}
    </Link>
  );
}
