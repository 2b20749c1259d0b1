import { useMutation } from "@tanstack/react-query";
import { Ban, Undo2 } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { useUndoPlan, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { GraphDocument, Run } from "../../api/types";
import { Button, ConfirmDialog, ErrorCard, Note, RadioGroup, runIsFinished, showToast, SkeletonRows, TextField } from "../../ui";
import { runTitle } from "../runs/words";
import { focusTitle } from "./RunTitle";
import { hasUndoSteps, partsOf } from "./undo";
import css from "./undo.module.css";
import { UndoPlanList } from "./UndoPlanList";

interface CancelRunProps {
  run: Run;
  graph: GraphDocument | null;
  onCancelled: () => void;
}

/** In the bar of a run that is under way; what is being undone cannot be cancelled. */
export function CancelRun({ run, graph, onCancelled }: CancelRunProps) {
  const { t } = useTranslation("runs");
  const workspace = useWorkspace().id;
  const mayCancel = useCan("reviewer");
  const [asking, setAsking] = useState(false);
  const [undo, setUndo] = useState(false);
  const [reason, setReason] = useState("");
  const name = useId();
  const choice = hasUndoSteps(graph);
  const cancel = useMutation({
    mutationFn: () => api.post<Run>(`${workspacePath(workspace)}/runs/${run.id}/cancel`, { reason: reason.trim() }, undo ? { query: { undo } } : {}),
    onSuccess: () => {
      setAsking(false);
      onCancelled();
      focusTitle();
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.code !== "already_finished") return;
      setAsking(false);
      showToast({ tone: "info", title: t("cancel.tooLate") });
      onCancelled();
    },
  });
  if (runIsFinished(run) || !mayCancel) return null;
  // Asked once is enough; that what it did is undone can still be added.
  if (run.cancel_requested && !choice && run.status !== "compensating") return null;
  if (run.status === "compensating") {
    // Set aside, since its workers died over it: the same call takes it up again.
    if (run.waiting?.kind !== "parked") return null;
    return (
      <Button icon={<Undo2 size={15} aria-hidden />} disabled={cancel.isPending} onClick={() => cancel.mutate()}>
        {t("undo.goOn")}
      </Button>
    );
  }
  return (
    <>
      <Button
        icon={<Ban size={15} aria-hidden />}
        onClick={() => {
          cancel.reset();
          setUndo(false);
          setReason("");
          setAsking(true);
        }}
      >
        {t("cancel.button")}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("cancel.title", { name: runTitle(run) })}
        confirm={t(undo ? "cancel.confirmUndo" : "cancel.confirm")}
        dismiss={t("cancel.keep")}
        variant="dangerFilled"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        {cancel.isError && <ErrorCard title={t("cancel.failed")} error={cancel.error} />}
        {!choice && <p>{t("cancel.text")}</p>}
        {choice && (
          <RadioGroup
            legend={t("cancel.choose")}
            name={name}
            value={undo ? "undo" : "leave"}
            choices={[
              { value: "leave", label: t("cancel.leave"), hint: t("cancel.text") },
              { value: "undo", label: t("cancel.undo"), hint: t("cancel.undoText") },
            ]}
            onChange={(value) => setUndo(value === "undo")}
          />
        )}
        <TextField label={t("cancel.reason")} value={reason} maxLength={400} onChange={(event) => setReason(event.currentTarget.value)} />
        {choice && undo && <Preview run={run} />}
      </ConfirmDialog>
    </>
  );
}

/** What would be undone as the run stands now; it goes on meanwhile. */
function Preview({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const plan = useUndoPlan(run, true);
  if (plan.isPending) return <SkeletonRows rows={2} label={t("undo.loading")} />;
  if (plan.isError) {
    return <ErrorCard title={t("undo.loadFailed")} error={plan.error} onRetry={() => void plan.refetch()} />;
  }
  return (
    <div className={css.preview}>
      {partsOf(plan.data).turns.length === 0 && <Note>{t("cancel.nothingYet")}</Note>}
      <UndoPlanList steps={plan.data.steps} title={t("cancel.plan")} />
    </div>
  );
}
