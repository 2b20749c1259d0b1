import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, newIdempotencyKey } from "../../api/client";
import { dealWith, type Deed, refreshReview, type Review } from "../../api/reviews";
import { useWorkspace } from "../../api/session";
import { Button, Dialog, ErrorCard, Note, showToast, TextAreaField, useFormatter } from "../../ui";
import css from "./review.module.css";

/** Asks once more before the list changes hands, with what it comes to. */
export function DeedDialog({ review: now, deed, onClose }: { review: Review; deed: Deed; onClose: () => void }) {
  const { t } = useTranslation(["reviews", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  // The state that was looked at: what others change meanwhile must not slip in, the server refuses it instead.
  const [review] = useState(now);
  const [words, setWords] = useState("");
  const [missing, setMissing] = useState(false);
  // However often it is sent, it is one.
  const [key] = useState(newIdempotencyKey);
  const name = deed === "send-back" && review.four_eyes ? "take-back" : deed;
  const needed = deed === "reject" || deed === "send-back" || (deed === "hand-over" && review.differs);
  const send = useMutation({
    mutationFn: () => dealWith(workspace, review, deed, words.trim(), key),
    onSuccess: () => {
      showToast({ title: t(`deed.${name}.done`) });
      onClose();
    },
    onSettled: () => void refreshReview(client, workspace, review.task_id),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (needed && words.trim() === "") setMissing(true);
    else if (!send.isPending) send.mutate();
  };
  const accepted = review.rows - review.rejected;
  const field = send.error instanceof ApiError ? Object.values(send.error.fields).flat()[0] : undefined;
  return (
    <Dialog opened onClose={onClose} title={t(`deed.${name}.title`)} size={520}>
      <form onSubmit={submit} className={css.deed}>
        <p>{t(`deed.${name}.text`)}</p>
        {(deed === "hand-over" || deed === "release") && (
          <dl className={css.sums}>
            <div>
              <dt>{t("deed.accepted")}</dt>
              <dd className="tn">{t("deed.rows", { count: accepted, number: format.number(accepted) })}</dd>
            </div>
            {review.totals.map((total) => (
              <div key={total.currency}>
                <dt>{total.currency || t("deed.sum")}</dt>
                <dd className="tn">
                  <b>{format.digits(total.accepted.amount, 2)}</b>
                </dd>
              </div>
            ))}
            {review.rejected > 0 && (
              <div>
                <dt>{t("deed.rejected")}</dt>
                <dd className="tn">{t("deed.rows", { count: review.rejected, number: format.number(review.rejected) })}</dd>
              </div>
            )}
          </dl>
        )}
        {(deed === "hand-over" || deed === "release") && review.differs && <Note tone="err">{t("deed.differ")}</Note>}
        {deed === "hand-over" && review.nobody && <Note tone="err">{t("said.nobody")}</Note>}
        <TextAreaField
          label={t(needed ? "deed.why" : "deed.comment")}
          aside={t(needed ? "common:required" : "common:optional")}
          error={missing && words.trim() === "" ? t("deed.sayWhy") : field}
          rows={3}
          maxLength={2000}
          value={words}
          data-autofocus
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        {send.isError && !field && <ErrorCard title={t("deed.failed")} error={send.error} />}
        <div className={css.deedButtons}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant={deed === "reject" ? "dangerFilled" : "primary"} busy={send.isPending}>
            {t(`deed.${name}.confirm`)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
