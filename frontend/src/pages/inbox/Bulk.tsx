import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Task } from "../../api/types";
import { Button, Dialog, ErrorCard, showToast, TextAreaField, useFormatter } from "../../ui";
import css from "./inbox.module.css";
import { amountText, sumOf } from "./task";

interface Outcome {
  id: string;
  taken: boolean;
  message: string | null;
}

/** What is chosen in the list, and the one button that approves it all. */
export default function Bulk({ chosen, onDone }: { chosen: readonly Task[]; onDone: () => void }) {
  const { t } = useTranslation(["people", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const format = useFormatter();
  const [asking, setAsking] = useState(false);
  const [comment, setComment] = useState("");
  const count = chosen.length;
  const total = sumOf(chosen);
  const sum = total === null ? "" : amountText(total, chosen[0]?.currency ?? "", format);
  const approve = useMutation({
    mutationFn: () =>
      api.post<{ items: Outcome[] }>(
        `${workspacePath(workspace)}/inbox/decide`,
        { tasks: chosen.map((task) => task.id), outcome: "approved", comment },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: ({ items }) => {
      const done = items.filter((one) => one.taken).length;
      const refused = items.filter((one) => !one.taken);
      showToast({
        tone: refused.length > 0 ? "err" : "ok",
        title: t("bulk.done", { count: done }),
        ...(refused.length > 0 ? { text: `${t("bulk.refused", { count: refused.length })}: ${refused[0]?.message ?? ""}` } : {}),
      });
      setAsking(false);
      onDone();
    },
    onSettled: () => refreshInbox(client, workspace),
  });
  const label = sum ? t("bulk.approveSum", { count, sum }) : t("bulk.approve", { count });
  return (
    <div className={css.bulk}>
      <span role="status">{count > 0 ? t("bulk.chosen", { count }) : t("bulk.hint")}</span>
      <Button variant="primary" size="sm" icon={<Check size={15} aria-hidden />} disabled={count === 0} onClick={() => setAsking(true)}>
        {label}
      </Button>
      {asking && (
        <Dialog
          opened
          onClose={() => setAsking(false)}
          title={t("bulk.confirm", { count })}
          footer={
            <>
              <Button onClick={() => setAsking(false)}>{t("common:action.cancel")}</Button>
              <Button variant="primary" busy={approve.isPending} onClick={() => approve.mutate()}>
                {label}
              </Button>
            </>
          }
        >
          {approve.isError && <ErrorCard title={t("bulk.failed")} error={approve.error} />}
          <p>{t("bulk.confirmText")}</p>
          <TextAreaField label={t("bulk.comment")} rows={2} maxLength={2000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
        </Dialog>
      )}
    </div>
  );
}
