import { useMutation } from "@tanstack/react-query";
import { CirclePause, CirclePlay } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { Button, ConfirmDialog, ErrorCard, runIsFinished, showToast, TextField, useErrorText } from "../../ui";
import { runTitle } from "../runs/words";

interface PauseRunProps {
  run: Run;
  onChanged: () => void;
}

/** In the bar of a run that is open: pause it, or let it go on. */
export default function PauseRun({ run, onChanged }: PauseRunProps) {
  const { t } = useTranslation("control");
  const workspace = useWorkspace().id;
  const mayPause = useCan("reviewer");
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const path = `${workspacePath(workspace)}/runs/${run.id}`;
  const pause = useMutation({
    mutationFn: () => api.post<Run>(`${path}/pause`, { reason: reason.trim() }),
    onSuccess: () => {
      setAsking(false);
      onChanged();
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.code !== "already_finished") return;
      setAsking(false);
      showToast({ tone: "info", title: t("run.tooLate") });
      onChanged();
    },
  });
  const resume = useMutation({
    mutationFn: () => api.post<Run>(`${path}/resume`),
    onSuccess: onChanged,
    onError: (error) => showToast({ tone: "err", title: t("run.resumeFailed"), text: errorText(error).title }),
  });
  if (runIsFinished(run) || run.cancel_requested || !mayPause) return null;
  if (run.paused) {
    return (
      <Button icon={<CirclePlay size={15} aria-hidden />} busy={resume.isPending} onClick={() => resume.mutate()}>
        {t("run.resume")}
      </Button>
    );
  }
  return (
    <>
      <Button
        icon={<CirclePause size={15} aria-hidden />}
        onClick={() => {
          pause.reset();
          setReason("");
          setAsking(true);
        }}
      >
        {t("run.pause")}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("run.pauseTitle", { name: runTitle(run) })}
        confirm={t("run.pause")}
        busy={pause.isPending}
        onConfirm={() => pause.mutate()}
      >
        {pause.isError && <ErrorCard title={t("run.pauseFailed")} error={pause.error} />}
        <p>{t("run.pauseText")}</p>
        <TextField
          label={t("run.reason")}
          value={reason}
          maxLength={400}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </ConfirmDialog>
    </>
  );
}
