import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleX } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { refreshInbox, useGivenAnswers, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { type Became, readRefusal, useQueue } from "../../api/decisionQueue";
import { Button, Note, useErrorText } from "../../ui";
import { lateWords, whyNot } from "./away";
import { useSaid } from "./decisions";
import css from "./inbox.module.css";
import { isTooLate } from "./task";

/** What I said that could not take effect, until I have read why: a message that goes by itself could be missed. */
export function NotTaken({ onOpen }: { onOpen: (id: string) => void }) {
  const { t } = useTranslation(["inbox", "away"]);
  const said = useSaid();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const refused = (useGivenAnswers(15_000).data ?? []).filter((one) => one.pending.refused !== null);
  const read = useMutation({
    mutationFn: (id: string) =>
      api.post(`${workspacePath(workspace)}/inbox/${id}/take-back`, {}, { idempotencyKey: newIdempotencyKey() }),
    onSettled: () => refreshInbox(client, workspace),
  });
  const later = useQueue((store) => store.refused);
  const errorText = useErrorText();
  const why = ({ error, queued }: Became): string => {
    if (!isTooLate(error)) return errorText(error).title;
    return lateWords(error, (outcome) => said(outcome, queued.named), t);
  };
  if (refused.length === 0 && later.length === 0) return null;
  return (
    <div className={css.notTaken} role="alert">
      {refused.map(({ task, title, pending }) => (
        <Note key={task} tone="err" icon={<CircleX size={16} aria-hidden />}>
          <b>{t("notEffective", { said: pending.called || said(pending.outcome), title })}</b> {whyNot({ ...pending, message: pending.refused }, said, t)}{" "}
          <Button variant="link" onClick={() => onOpen(task)}>
            {t("held.open")}
          </Button>{" "}
          <Button variant="link" onClick={() => read.mutate(task)}>
            {t("understood")}
          </Button>
        </Note>
      ))}
      {later.map((one) => (
        <Note key={one.queued.task} tone="err" icon={<CircleX size={16} aria-hidden />}>
          <b>{t("offline.notTaken", { said: said(one.queued.answer.outcome, one.queued.named), title: one.queued.title })}</b> {why(one)}{" "}
          <Button variant="link" onClick={() => onOpen(one.queued.task)}>
            {t("held.open")}
          </Button>{" "}
          <Button variant="link" onClick={() => void readRefusal(one.queued.task)}>
            {t("understood")}
          </Button>
        </Note>
      ))}
    </div>
  );
}
