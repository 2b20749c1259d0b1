import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useUser, useWorkspace } from "../../api/session";
import type { Task } from "../../api/types";
import { taskTitle } from "../../i18n/server";
import { Button, Dialog, ErrorCard, Note, showToast, TextAreaField, useFormatter } from "../../ui";
import { whyNot } from "./away";
import { useKeep, useSaid } from "./decisions";
import css from "./inbox.module.css";
import { amountText, sumOf, warningsOf } from "./task";

interface Outcome {
  id: string;
  taken: boolean;
  left_ms: number;
  code: string | null;
  params: Record<string, unknown>;
  message: string | null;
}

/** What is chosen in the list, and the one button that approves it all. */
export default function Bulk({ chosen, onDone }: { chosen: readonly Task[]; onDone: () => void }) {
  const { t } = useTranslation(["people", "common", "inbox"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const format = useFormatter();
  const [asking, setAsking] = useState(false);
  const [comment, setComment] = useState("");
  const count = chosen.length;
  const warned = chosen.filter((task) => warningsOf(task).length > 0);
  const total = sumOf(chosen);
  const sum = total === null ? "" : amountText(total, chosen[0]?.currency ?? "", format);
  const seconds = useUser().undo_seconds;
  const keep = useKeep();
  const said = useSaid();
  const { t: words } = useTranslation(["inbox", "away"]);
  const approve = useMutation({
    mutationFn: () =>
      api.post<{ items: Outcome[] }>(
        `${workspacePath(workspace)}/inbox/decide`,
        { tasks: chosen.map((task) => task.id), outcome: "approved", comment, undo: true },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: ({ items }) => {
      const done = items.filter((one) => one.taken).length;
      const refused = items.filter((one) => !one.taken);
      const why = refused[0] ? whyNot(refused[0], (outcome) => said(outcome, chosen[0]?.named), words) : "";
      const title = own ? t("bulk.doneOwn", { label: own, count: done }) : sum && refused.length === 0 ? t("bulk.doneSum", { count: done, sum }) : t("bulk.done", { count: done });
      const left = Math.max(0, ...items.map((one) => one.left_ms));
      const tell = () => showToast({ aside: true, title: t("inbox:held.sent", { said: title }) });
      if (left > 0) {
        const tasks = items.filter((one) => one.left_ms > 0).map((one) => one.id);
        const text = refused.length > 0 ? `${t("bulk.refused", { count: refused.length })}: ${why}` : "";
        keep({ tasks, left, title, text, onTakenBack: () => undefined, onEffect: tell });
      } else showToast({
        tone: refused.length > 0 ? "err" : "ok",
        title,
        ...(refused.length > 0 ? { text: `${t("bulk.refused", { count: refused.length })}: ${why}` } : {}),
      });
      setAsking(false);
      onDone();
    },
    onSettled: () => refreshInbox(client, workspace),
  });
  // All that are chosen have the same button.
  const own = chosen[0]?.named?.["approved"];
  const label = own ? t(sum ? "bulk.ownSum" : "bulk.own", { label: own, count, sum }) : sum ? t("bulk.approveSum", { count, sum }) : t("bulk.approve", { count });
  return (
    <div className={css.bulk}>
      <span role="status">
        {count > 0 ? t("bulk.chosen", { count }) : t("bulk.hint")}
        {warned.length > 0 && (
          <>
            {" · "}
            <b className={css.warned}>{t("bulk.warned", { count: warned.length })}</b>
          </>
        )}
      </span>
      <Button variant="primary" size="sm" icon={<Check size={15} aria-hidden />} disabled={count === 0} onClick={() => setAsking(true)}>
        {label}
      </Button>
      {asking && (
        <Dialog
          opened
          onClose={() => setAsking(false)}
          title={own ? t("bulk.confirmOwn", { label: own, count }) : t("bulk.confirm", { count })}
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
          {warned.length > 0 && (
            <Note tone="wait">
              <b>{t("bulk.warnedTitle", { count: warned.length })}</b>
              <ul className={css.warnings}>
                {warned.map((task) => (
                  <li key={task.id}>
                    {taskTitle(task)}: {warningsOf(task).join(" · ")}
                  </li>
                ))}
              </ul>
            </Note>
          )}
          <p>{seconds > 0 ? t("bulk.confirmUndo", { count: seconds }) : t("bulk.confirmText")}</p>
          <TextAreaField label={t("bulk.comment")} rows={2} maxLength={2000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
        </Dialog>
      )}
    </div>
  );
}
