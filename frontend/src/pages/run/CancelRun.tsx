import { useMutation } from "@tanstack/react-query";
import { Ban } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { Button, ConfirmDialog, ErrorCard, runIsFinished, showToast } from "../../ui";
import { runTitle } from "../runs/words";

export function CancelRun({ run, onCancelled }: { run: Run; onCancelled: () => void }) {
  const { t } = useTranslation("runs");
  const workspace = useWorkspace().id;
  const mayCancel = useCan("reviewer");
  const [asking, setAsking] = useState(false);
  const cancel = useMutation({
    mutationFn: () => api.post<Run>(`${workspacePath(workspace)}/runs/${run.id}/cancel`),
    onSuccess: () => {
      setAsking(false);
      onCancelled();
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.code !== "already_finished") return;
      setAsking(false);
      showToast({ tone: "info", title: t("cancel.tooLate") });
      onCancelled();
    },
  });
  if (runIsFinished(run) || !mayCancel) return null;
  return (
    <>
      <Button icon={<Ban size={15} aria-hidden />} onClick={() => setAsking(true)}>
        {t("cancel.button")}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("cancel.title", { name: runTitle(run) })}
        confirm={t("cancel.confirm")}
        variant="dangerFilled"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        {cancel.isError && <ErrorCard title={t("cancel.failed")} error={cancel.error} />}
        <p>{t("cancel.text")}</p>
      </ConfirmDialog>
    </>
  );
}
