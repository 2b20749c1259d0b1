import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button, Dialog, ErrorCard, RadioGroup, showToast, TextField, useFormatter } from "../../ui";
import { dayOf, localOf, momentOf, plusDays } from "./days";
import { moveStart, pauseSchedule, type PlannedShape, type Schedule, useDeed } from "./queries";
import css from "./schedules.module.css";

/** Moves one start to another moment, this once: what dragging does, for everybody. */
export function MoveDialog(props: { start: PlannedShape; day: string | undefined; schedule: Schedule | undefined; zone: string; onClose: () => void }) {
  const { t } = useTranslation(["schedules", "common"]);
  const format = useFormatter();
  const { start, zone } = props;
  const was = localOf(start.at, zone);
  const [to, setTo] = useState(props.day ? `${props.day}${was.slice(10)}` : was);
  const [told, setTold] = useState(false);
  const move = useDeed(moveStart);
  const name = props.schedule?.workflow_name ?? "";
  const moment = to ? momentOf(to, zone) : null;
  const wrong = moment === null ? t("move.needsTime") : moment <= Date.now() ? t("move.past") : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (wrong || moment === null) return;
    move.mutate(
      { schedule: start.schedule_id, instant: start.instant, to: new Date(moment).toISOString() },
      {
        onSuccess: () => {
          showToast({ title: t("move.done", { name, time: format.weekdayClock(moment) }) });
          props.onClose();
        },
      },
    );
  };
  return (
    <Dialog opened onClose={props.onClose} title={t("move.title", { name })}>
      <form className={css.form} onSubmit={submit} noValidate>
        {move.isError && <ErrorCard title={t("deedFailed")} error={move.error} />}
        <p>{t("move.text", { time: format.weekdayClock(start.instant) })}</p>
        <TextField
          label={t("move.to")}
          type="datetime-local"
          hint={t("inZone", { zone: zone.replaceAll("_", " ") })}
          value={to}
          data-autofocus
          error={told ? wrong : undefined}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
        <div className={css.foot}>
          <Button onClick={props.onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={move.isPending}>
            {t("move.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const SPANS = ["tomorrow", "week", "own"] as const;
type Span = (typeof SPANS)[number];

/** Pauses a schedule until a moment. */
export function PauseDialog({ schedule, zone, onClose }: { schedule: Schedule; zone: string; onClose: () => void }) {
  const { t } = useTranslation(["schedules", "common"]);
  const format = useFormatter();
  const today = dayOf(Date.now(), zone);
  const [span, setSpan] = useState<Span>("tomorrow");
  const [own, setOwn] = useState(`${plusDays(today, 14)}T00:00`);
  const [told, setTold] = useState(false);
  const pause = useDeed(pauseSchedule);
  const until = span === "own" ? (own ? momentOf(own, zone) : null) : momentOf(plusDays(today, span === "week" ? 7 : 1), zone);
  const wrong = until === null ? t("move.needsTime") : until <= Date.now() ? t("move.past") : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (wrong || until === null) return;
    pause.mutate(
      { schedule: schedule.id, until: new Date(until).toISOString() },
      {
        onSuccess: () => {
          showToast({ title: t("pause.done", { name: schedule.workflow_name, time: format.weekdayClock(until) }) });
          onClose();
        },
      },
    );
  };
  return (
    <Dialog opened onClose={onClose} title={t("pause.title", { name: schedule.workflow_name })}>
      <form className={css.form} onSubmit={submit} noValidate>
        {pause.isError && <ErrorCard title={t("deedFailed")} error={pause.error} />}
        <p>{t("pause.text")}</p>
        <RadioGroup
          legend={t("pause.until")}
          name="until"
          value={span}
          choices={SPANS.map((one) => ({
            value: one,
            label: one === "own" ? t("pause.own") : t(`pause.${one}`, { time: format.weekdayClock(momentOf(plusDays(today, one === "week" ? 7 : 1), zone)) }),
          }))}
          onChange={(value) => setSpan(value as Span)}
        />
        {span === "own" && (
          <TextField
            label={t("pause.ownTime")}
            type="datetime-local"
            hint={t("inZone", { zone: zone.replaceAll("_", " ") })}
            value={own}
            error={told ? wrong : undefined}
            onChange={(event) => setOwn(event.currentTarget.value)}
          />
        )}
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={pause.isPending}>
            {t("pause.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
