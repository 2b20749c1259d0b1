import { useMutation, useQueryClient } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useTriggers } from "../../api/queries";
import type { BackfillShape } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import type { Trigger, Workflow } from "../../api/types";
import { Button, Card, ErrorCard, sectionTitleClass, SkeletonRows, Time, useFormatter } from "../../ui";
import { BackfillDialog } from "./BackfillDialog";
import { stopBackfill, useBackfills } from "./queries";
import css from "./starts.module.css";

/** When the schedules start next, and a way to make up for times that have passed. */
export function PastStarts({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("starts");
  const canRun = useCan("reviewer");
  const triggers = useTriggers(workflow.id);
  const [chosen, setChosen] = useState<Trigger | null>(null);
  const schedules = (triggers.data ?? []).filter((one) => one.type.startsWith("trigger.schedule@"));
  if (triggers.isPending) return <SkeletonRows rows={2} label={t("schedules.loading")} />;
  if (triggers.isError) return <ErrorCard title={t("schedules.failed")} error={triggers.error} onRetry={() => void triggers.refetch()} />;
  if (schedules.length === 0) return null;
  return (
    <Card padded className={css.section}>
      <h2 className={sectionTitleClass}>{t("schedules.title")}</h2>
      {schedules.map((one) => (
        <Schedule key={one.id} trigger={one} onBackfill={canRun && workflow.enabled ? () => setChosen(one) : undefined} />
      ))}
      <Earlier workflow={workflow.id} canRun={canRun} />
      {chosen && <BackfillDialog workflow={workflow.id} trigger={chosen} onClose={() => setChosen(null)} />}
    </Card>
  );
}

function Schedule({ trigger, onBackfill }: { trigger: Trigger; onBackfill: (() => void) | undefined }) {
  const { t } = useTranslation("starts");
  const format = useFormatter();
  const zone = trigger.time_zone ?? format.timeZone;
  const times = useMemo(() => format.in(zone), [format, zone]);
  return (
    <section className={css.schedule} aria-label={trigger.key}>
      <div>
        <h3>
          {t("schedules.next")}
          {zone !== format.timeZone && <small> · {zone.replaceAll("_", " ")}</small>}
        </h3>
        {trigger.next.length === 0 ? (
          <p className={css.quiet}>{t("schedules.never")}</p>
        ) : (
          <ol>
            {trigger.next.slice(0, 5).map((at) => (
              <li key={at}>
                <time dateTime={at}>{times.dayClock(at)}</time>
              </li>
            ))}
          </ol>
        )}
      </div>
      {onBackfill && (
        <Button icon={<History size={15} aria-hidden />} onClick={onBackfill}>
          {t("schedules.backfill")}
        </Button>
      )}
    </section>
  );
}

function Earlier({ workflow, canRun }: { workflow: string; canRun: boolean }) {
  const { t } = useTranslation("starts");
  const found = useBackfills(workflow);
  if (!found.data || found.data.length === 0) return null;
  return (
    <>
      <h3 className={css.sub}>{t("earlier.title")}</h3>
      <ul className={css.list} aria-label={t("earlier.title")}>
        {found.data.map((one) => (
          <EarlierRow key={one.id} backfill={one} workflow={workflow} canRun={canRun} />
        ))}
      </ul>
    </>
  );
}

function EarlierRow({ backfill, workflow, canRun }: { backfill: BackfillShape; workflow: string; canRun: boolean }) {
  const { t } = useTranslation("starts");
  const format = useFormatter();
  const times = format.in(backfill.time_zone);
  const whole = wholeDays(backfill);
  const range = (at: string) => (whole ? times.day(at) : times.dayClock(at));
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const stop = useMutation({
    mutationFn: () => stopBackfill(workspace, workflow, backfill.id),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace, "backfills", workflow] }),
  });
  return (
    <li className={css.row}>
      <div className={css.what}>
        <span>
          {t("earlier.range", { begin: range(backfill.begin), end: range(backfill.end) })}
          {backfill.time_zone !== format.timeZone && <small> · {backfill.time_zone.replaceAll("_", " ")}</small>}
        </span>
        <small>
          {t("earlier.starts", { count: backfill.starts, number: format.number(backfill.starts) })}
          {backfill.waiting > 0 && ` · ${t("earlier.waiting", { count: backfill.waiting, number: format.number(backfill.waiting) })}`}
          {backfill.by && ` · ${t("earlier.by", { name: backfill.by })}`}
        </small>
        {stop.isError && <ErrorCard title={t("earlier.stopFailed")} error={stop.error} />}
      </div>
      <span className={css.when}>
        <Time at={backfill.at} />
      </span>
      {canRun && backfill.waiting > 0 && (
        <Button size="sm" busy={stop.isPending} onClick={() => stop.mutate()}>
          {t("earlier.stop")}
        </Button>
      )}
    </li>
  );
}

/** Whether it is of whole days, which is what is chosen here; by the API it may be of any moments. */
function wholeDays({ begin, end, time_zone: zone }: BackfillShape): boolean {
  const at = (moment: number) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(moment);
  const from = new Date(begin).getTime();
  const to = new Date(end).getTime();
  // A day may begin at one in the morning, where clocks are put forward at midnight: the second before is the day before.
  return at(from - 1000) === "23:59:59" && at(to) === "23:59:59";
}
