import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { startBulkRetry } from "../../api/bulkRetries";
import { refreshDeadLetters } from "../../api/queries";
import { planBulk } from "../../api/runSearch";
import { useWorkspace } from "../../api/session";
import { retell } from "../../i18n/server";
import { Button, CheckboxField, Dialog, ErrorCard, Note, RadioGroup, SkeletonRows, TextField, useFormatter } from "../../ui";
import { BulkPlanNote } from "../runs/BulkPlanNote";
import { BulkRetryProgress } from "./BulkRetryProgress";
import css from "./deadLetters.module.css";
import { howMany } from "./numbers";
import { chosenOf, countOf, type Target } from "./target";

/** So many a minute; null is as fast as possible. */
const RATES = [10, 60, 300, null] as const;
const MOST = 10_000;
/** A number that is being typed is not looked into digit by digit. */
const TYPED_MS = 400;

/** Going on with many: how many, how fast and until when; then what comes of each. It goes on when this is closed. */
export function RetryDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const { t } = useTranslation(["deadLetters", "runs", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const most = Math.min(MOST, countOf(target));
  const [typed, setTyped] = useState(String(most));
  const [rate, setRate] = useState(target.slowly ? "10" : "300");
  const [stops, setStops] = useState(true);
  const [failures, setFailures] = useState("5");
  const [trial, setTrial] = useState(target.slowly ?? false);
  const [version, setVersion] = useState<"own" | "published">("own");
  const [reason, setReason] = useState("");
  const [told, setTold] = useState(false);
  const wanted = howMany(typed, most);
  const stopAfter = howMany(failures, MOST);
  const [planned, setPlanned] = useState(most);
  useEffect(() => {
    if (wanted === undefined) return;
    const settled = setTimeout(() => setPlanned(wanted), TYPED_MS);
    return () => clearTimeout(settled);
  }, [wanted]);
  const chosen = chosenOf(target, Math.min(planned, most));
  const plan = useQuery({
    queryKey: [workspace, "bulk-plan", "retry", version, chosen],
    queryFn: () => planBulk(workspace, "retry", chosen, version),
    placeholderData: keepPreviousData,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  // What stands there is of another number, or of the other version, until the answer is there.
  const stale = plan.isPlaceholderData || (wanted !== undefined && wanted !== planned);
  const start = useMutation({
    mutationFn: (count: number) =>
      startBulkRetry(workspace, {
        ...chosenOf(target, count),
        version,
        per_minute: rate === "" ? null : Number(rate),
        stop_after: stops ? (stopAfter ?? null) : null,
        trial: trial && count > 1,
        reason: reason.trim(),
      }),
    onSuccess: () => refreshDeadLetters(client, workspace),
  });
  const many = (count: number) => ({ count, number: format.number(count) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (start.isPending) return;
    setTold(true);
    const wrong = wanted === undefined ? "howMany" : stops && stopAfter === undefined ? "failures" : null;
    if (wanted !== undefined && wrong === null) start.mutate(wanted);
    else event.currentTarget.querySelector<HTMLInputElement>(`input[name="${wrong}"]`)?.focus();
  };
  const title = t("retry.title", { title: retell("failures", target.group.code, target.group.title) });
  if (start.data) {
    return (
      <Dialog opened onClose={onClose} title={title}>
        <BulkRetryProgress id={start.data.id} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={title}>
      <form onSubmit={submit} className={css.form} noValidate>
        {start.isError && <ErrorCard title={t("retry.failed")} error={start.error} />}
        <p>{t("retry.text")}</p>
        {plan.isError && <ErrorCard title={t("runs:bulk.planFailed")} error={plan.error} onRetry={() => void plan.refetch()} />}
        {plan.isPending && <SkeletonRows rows={2} height={20} label={t("runs:bulk.planning")} />}
        {plan.data && (
          <div aria-busy={stale}>
            <BulkPlanNote kind="retry" plan={plan.data} />
          </div>
        )}
        {target.group.workflow_held && <Note tone="wait">{t("retry.workflowHeld")}</Note>}
        <TextField
          name="howMany"
          label={t("retry.howMany")}
          hint={t("retry.newestFirst", many(most))}
          error={told && wanted === undefined ? t("retry.badNumber", many(most)) : undefined}
          inputMode="numeric"
          autoComplete="off"
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <RadioGroup
          legend={t("retry.rate")}
          name="rate"
          value={rate}
          choices={RATES.map((one) =>
            one === null
              ? { value: "", label: t("retry.asFast") }
              : { value: String(one), label: t("retry.perMinute", many(one)) },
          )}
          onChange={setRate}
        />
        <RadioGroup
          legend={t("retry.version")}
          name="version"
          value={version}
          choices={[
            { value: "own", label: t("retry.own"), hint: t("retry.ownHint") },
            { value: "published", label: t("retry.published"), hint: t("retry.publishedHint") },
          ]}
          onChange={(value) => setVersion(value as "own" | "published")}
        />
        {most > 1 && (
          <CheckboxField label={t("retry.trial")} hint={t("retry.trialHint")} checked={trial} onChange={setTrial} />
        )}
        <CheckboxField label={t("retry.rule")} hint={t("retry.ruleHint")} checked={stops} onChange={setStops} />
        {stops && (
          <TextField
            name="failures"
            label={t("retry.failures")}
            error={told && stopAfter === undefined ? t("retry.badNumber", many(MOST)) : undefined}
            inputMode="numeric"
            autoComplete="off"
            value={failures}
            onChange={(event) => setFailures(event.currentTarget.value)}
          />
        )}
        <TextField
          label={t("retry.reason")}
          autoComplete="off"
          maxLength={400}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={start.isPending}>
            {t("retry.confirm", many(wanted ?? most))}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
