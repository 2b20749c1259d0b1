import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { noteStarted, startBulkRetry } from "../../api/bulkRetries";
import { refreshDeadLetters } from "../../api/queries";
import { asked, type BulkKind, type ChosenRuns, planBulk } from "../../api/runSearch";
import { useWorkspace } from "../../api/session";
import { Button, CheckboxField, Dialog, ErrorCard, RadioGroup, SkeletonRows, TextField, useFormatter } from "../../ui";
import { BulkPlanNote } from "./BulkPlanNote";
import css from "./runs.module.css";

const RATES = [60, 300, null] as const;

/** So many of all that fail again end it. */
export function stopAfter(percent: string, total: number): number | null {
  const share = Number(percent);
  if (!/^\d{1,3}$/.test(percent.trim()) || share < 1 || share > 100) return null;
  return Math.min(total, Math.floor((total * share) / 100) + 1);
}

/** What it would come to, how fast and until when; then it goes on by itself. */
export function BulkDialog({ kind, chosen, onStarted, onClose }: { kind: BulkKind; chosen: ChosenRuns; onStarted: () => void; onClose: () => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [version, setVersion] = useState<"own" | "published">("own");
  const [rate, setRate] = useState("300");
  const [rule, setRule] = useState(kind !== "cancel");
  const [percent, setPercent] = useState("20");
  const [trial, setTrial] = useState(false);
  const [reason, setReason] = useState("");
  const plan = useQuery({
    queryKey: [workspace, "bulk-plan", kind, version, chosen],
    queryFn: () => planBulk(workspace, kind, chosen, version),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const total = plan.data?.total ?? 0;
  const most = stopAfter(percent, total);
  const start = useMutation({
    mutationFn: () =>
      startBulkRetry(workspace, {
        kind,
        ...asked(chosen),
        version,
        per_minute: rate === "" ? null : Number(rate),
        stop_after: rule && kind !== "cancel" ? most : null,
        trial: trial && total > 1,
        reason: reason.trim(),
      }),
    onSuccess: (job) => {
      noteStarted(client, workspace, job);
      void refreshDeadLetters(client, workspace);
      onStarted();
    },
  });
  // All of them were looked at, and none can go ahead.
  const none = plan.data !== undefined && plan.data.refused === plan.data.total;
  const many = { count: total, number: format.number(total) };
  const wrong = rule && kind !== "cancel" && most === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!start.isPending && !none && total > 0 && !wrong) start.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={t(`bulk.title.${kind}`)}>
      <form className={css.addForm} onSubmit={submit} noValidate>
        {start.isError && <ErrorCard title={t("bulk.failed")} error={start.error} />}
        {plan.isError && <ErrorCard title={t("bulk.planFailed")} error={plan.error} onRetry={() => void plan.refetch()} />}
        {plan.isPending && <SkeletonRows rows={2} height={20} label={t("bulk.planning")} />}
        {plan.data && <BulkPlanNote kind={kind} plan={plan.data} />}
        {kind !== "cancel" && (
          <RadioGroup
            legend={t("bulk.version")}
            name="version"
            value={version}
            choices={[
              { value: "own", label: t("bulk.own") },
              { value: "published", label: t("bulk.published") },
            ]}
            onChange={(value) => setVersion(value as "own" | "published")}
          />
        )}
        <RadioGroup
          legend={t("bulk.rate")}
          name="rate"
          value={rate}
          choices={RATES.map((one) => (one === null ? { value: "", label: t("bulk.asFast") } : { value: String(one), label: t("bulk.perMinute", { count: one, number: format.number(one) }) }))}
          onChange={setRate}
        />
        {kind !== "cancel" && total > 1 && <CheckboxField label={t("bulk.trial")} hint={t("bulk.trialHint")} checked={trial} onChange={setTrial} />}
        {kind !== "cancel" && (
          <>
            <CheckboxField label={t("bulk.rule")} checked={rule} onChange={setRule} />
            {rule && (
              <TextField
                label={t("bulk.percent")}
                inputMode="numeric"
                autoComplete="off"
                value={percent}
                error={wrong ? t("bulk.badPercent") : undefined}
                hint={most === null || total === 0 ? undefined : t("bulk.stopsAfter", { count: most, number: format.number(most) })}
                onChange={(event) => setPercent(event.currentTarget.value)}
              />
            )}
          </>
        )}
        <TextField label={t("bulk.reason")} autoComplete="off" maxLength={400} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("bulk.leave")}</Button>
          <Button type="submit" variant={kind === "cancel" ? "dangerFilled" : "primary"} busy={start.isPending} disabled={total === 0 || none || wrong}>
            {t(`bulk.confirm.${kind}`, many)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
