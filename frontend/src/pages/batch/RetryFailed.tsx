import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Batch, type BatchCause, retryFailed } from "../../api/batches";
import { useWorkspace } from "../../api/session";
import { Button, CheckboxField, Dialog, ErrorCard, TextField, useFormatter } from "../../ui";
import { BulkRetryProgress } from "../dead-letters/BulkRetryProgress";
import css from "./batch.module.css";

interface RetryFailedProps {
  batch: Batch;
  /** Those of one cause; null: all of them. */
  cause: BatchCause | null;
  onClose: () => void;
}

/** Going on with those that failed, and with no others; then what comes of each. */
export function RetryFailed({ batch, cause, onClose }: RetryFailedProps) {
  const { t } = useTranslation(["batches", "common", "deadLetters"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const [trial, setTrial] = useState(false);
  const [reason, setReason] = useState("");
  // As many as when it was opened: while they are gone on with, ever fewer have failed.
  const [count] = useState(() => cause?.count ?? batch.causes.reduce((sum, one) => sum + one.count, 0));
  const words = { count, number: format.number(count) };
  const start = useMutation({
    mutationFn: () => retryFailed(workspace, batch.run_id, batch.node, { cause: cause?.cause ?? null, trial: trial && count > 1, reason: reason.trim() }),
  });
  const title = t("retry.title", words);
  if (start.data) {
    return (
      <Dialog opened onClose={onClose} title={title}>
        <BulkRetryProgress id={start.data.id} onClose={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={title}>
      <form
        className={css.stack}
        onSubmit={(event) => {
          event.preventDefault();
          if (!start.isPending) start.mutate();
        }}
      >
        {start.isError && <ErrorCard title={t("retry.failed")} error={start.error} />}
        <p>{t("retry.text", { ...words, done: format.number(batch.done) })}</p>
        {count > 1 && <CheckboxField label={t("retry.trial")} hint={t("retry.trialHint")} checked={trial} onChange={setTrial} />}
        <TextField label={t("retry.reason")} autoComplete="off" maxLength={400} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div className={css.foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={start.isPending} data-autofocus>
            {t("retry.confirm", words)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
