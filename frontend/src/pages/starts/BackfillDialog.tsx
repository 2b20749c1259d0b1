import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { BackfillPlanShape } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Trigger } from "../../api/types";
import { Button, Dialog, ErrorCard, Note, RadioGroup, showToast, TextField, useFormatter } from "../../ui";
import { planBackfill, type Range, startBackfill } from "./queries";
import css from "./starts.module.css";

/** Starts for past times: first from when until when, then what would be started, and only then the starts. */
export function BackfillDialog({ workflow, trigger, onClose }: { workflow: string; trigger: Trigger; onClose: () => void }) {
  const { t } = useTranslation(["starts", "common"]);
  const format = useFormatter();
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const zone = trigger.time_zone ?? format.timeZone;
  const [begin, setBegin] = useState("");
  const [end, setEnd] = useState("");
  const [order, setOrder] = useState("each");
  const [told, setTold] = useState(false);
  const range: Range = { trigger: trigger.id, begin, end };
  const plan = useMutation({ mutationFn: () => planBackfill(workspace, workflow, range) });
  const start = useMutation({
    mutationFn: () => startBackfill(workspace, workflow, range, order === "together"),
    onSuccess: async (made) => {
      showToast({ title: t("backfill.started", { count: made.starts, number: format.number(made.starts) }) });
      onClose();
      await client.invalidateQueries({ queryKey: [workspace, "backfills", workflow] });
    },
  });
  const backwards = begin !== "" && end !== "" && end < begin;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (begin && end && !backwards) plan.mutate();
  };
  if (!plan.data) {
    return (
      <Dialog opened onClose={onClose} title={t("backfill.title")}>
        <form onSubmit={submit} className={css.form} noValidate>
          {plan.isError && <ErrorCard title={t("backfill.planFailed")} error={plan.error} />}
          <p>{t("backfill.text")}</p>
          <p className={css.quiet}>{t("backfill.zone", { zone: zone.replaceAll("_", " ") })}</p>
          <div className={css.range}>
            <TextField
              label={t("backfill.begin")}
              type="date"
              value={begin}
              error={told && !begin ? t("backfill.needsDay") : undefined}
              onChange={(event) => setBegin(event.currentTarget.value)}
            />
            <TextField
              label={t("backfill.end")}
              type="date"
              value={end}
              error={told && !end ? t("backfill.needsDay") : backwards ? t("backfill.backwards") : undefined}
              onChange={(event) => setEnd(event.currentTarget.value)}
            />
          </div>
          <div className={css.foot}>
            <Button onClick={onClose}>{t("common:action.cancel")}</Button>
            <Button type="submit" variant="primary" busy={plan.isPending}>
              {t("backfill.look")}
            </Button>
          </div>
        </form>
      </Dialog>
    );
  }
  const starts = plan.data.starts;
  const many = { count: starts, number: format.number(starts) };
  return (
    <Dialog opened onClose={onClose} title={t("backfill.title")}>
      <div className={css.form}>
        {start.isError && <ErrorCard title={t("backfill.startFailed")} error={start.error} />}
        <PlanText plan={plan.data} />
        {starts > 0 && !plan.data.too_many && (
          <RadioGroup
            legend={t("backfill.order")}
            name="order"
            value={order}
            choices={(["each", "together"] as const).map((one) => ({ value: one, label: t(`backfill.orders.${one}`) }))}
            onChange={setOrder}
          />
        )}
        <div className={css.foot}>
          <Button onClick={() => plan.reset()}>{t("backfill.back")}</Button>
          {starts > 0 && !plan.data.too_many && (
            <Button variant="primary" busy={start.isPending} onClick={() => start.mutate()} data-autofocus>
              {t("backfill.confirm", many)}
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function PlanText({ plan }: { plan: BackfillPlanShape }) {
  const { t } = useTranslation("starts");
  const format = useFormatter();
  const times = format.in(plan.time_zone);
  const count = (number: number) => ({ count: number, number: format.number(number) });
  if (plan.too_many) return <Note tone="wait">{t("backfill.tooMany", count(plan.instants.length))}</Note>;
  return (
    <>
      <div role="status" className={css.plan}>
        <b>{t("backfill.would", count(plan.starts))}</b>
        {plan.first && plan.last && plan.starts > 1 && <span>{t("backfill.between", { first: times.dayClock(plan.first), last: times.dayClock(plan.last) })}</span>}
        {plan.instants.length > 0 && <span className={css.quiet}>{t("backfill.zone", { zone: plan.time_zone.replaceAll("_", " ") })}</span>}
        {plan.known > 0 && <span>{t("backfill.known", count(plan.known))}</span>}
      </div>
      {plan.instants.length > 0 && (
        <ol className={css.instants} aria-label={t("backfill.times")} tabIndex={0}>
          {plan.instants.map((one) => (
            <li key={one.at} data-known={one.known || undefined}>
              <time dateTime={one.at}>{times.dayClock(one.at)}</time>
              {one.known && <small>{t("backfill.hasRun")}</small>}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
