import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Workflow } from "../../../api/types";
import { ConfirmDialog, ErrorCard, RadioGroup, showToast, TextField } from "../../../ui";
import { useControl } from "./useControl";

/** Asks before a workflow is paused: what is kept, and what becomes of runs under way. */
export default function HoldDialog({ workflow, onClose }: { workflow: Workflow; onClose: () => void }) {
  const { t } = useTranslation("control");
  const name = useId();
  const [openRuns, setOpenRuns] = useState<"finish" | "hold">("finish");
  const [reason, setReason] = useState("");
  const { hold } = useControl(workflow, () => {
    showToast({ title: t("hold.done", { name: workflow.name }) });
    onClose();
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("hold.title", { name: workflow.name })}
      confirm={t("hold.confirm")}
      busy={hold.isPending}
      onConfirm={() => hold.mutate({ reason: reason.trim(), open_runs: openRuns })}
    >
      {hold.isError && <ErrorCard title={t("hold.failed")} error={hold.error} />}
      <p>{t("hold.text")}</p>
      <RadioGroup
        legend={t("hold.openRuns")}
        name={name}
        value={openRuns}
        choices={[
          { value: "finish", label: t("hold.finish") },
          { value: "hold", label: t("hold.holdThem") },
        ]}
        onChange={(value) => setOpenRuns(value === "hold" ? "hold" : "finish")}
      />
      <TextField
        label={t("hold.reason")}
        value={reason}
        maxLength={400}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </ConfirmDialog>
  );
}
