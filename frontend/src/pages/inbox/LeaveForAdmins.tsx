import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { TaskDetail } from "../../api/types";
import { Button, Dialog, ErrorCard, showToast, TextAreaField } from "../../ui";
import css from "./inbox.module.css";

/** A failure that nobody here can resolve, for whoever looks after the system. */
export function LeaveForAdmins({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const { t } = useTranslation(["people", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [keyOf] = useState(keyForEach);
  const send = useMutation({
    mutationFn: () =>
      api.post<TaskDetail>(`${workspacePath(workspace)}/inbox/${task.id}/leave`, { reason }, { idempotencyKey: keyOf(reason) }),
    onSuccess: () => {
      showToast({ title: t("leaving.done"), text: task.title });
      onClose();
    },
    onSettled: () => refreshInbox(client, workspace),
  });
  const wrong = send.error instanceof ApiError ? [send.error.fields["reason"]].flat()[0] : undefined;
  return (
    <Dialog opened onClose={onClose} title={t("leaving.title")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.trim()) send.mutate();
        }}
      >
        {send.isError && !wrong && <ErrorCard title={t("leaving.failed")} error={send.error} />}
        <p className={css.text}>{t("leaving.text")}</p>
        <TextAreaField
          label={t("leaving.reason")}
          aside={t("handing.aside")}
          hint={t("handing.reasonHint")}
          required
          data-autofocus
          maxLength={2000}
          rows={3}
          value={reason}
          error={wrong}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={css.dialogButtons}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={send.isPending} disabled={!reason.trim()}>
            {t("leaving.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
