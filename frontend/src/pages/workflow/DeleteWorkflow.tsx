import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Workflow } from "../../api/types";
import { ConfirmDialog, ErrorCard, showToast, TextField } from "../../ui";

/** Deletes a workflow. A live one asks for its name, because callers outside depend on it. */
export function DeleteWorkflowDialog(props: { workflow: Workflow; onClose: () => void; onDeleted?: () => void }) {
  const { t } = useTranslation("workflows");
  const { workflow } = props;
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [typed, setTyped] = useState("");
  const live = workflow.live !== null && workflow.enabled;
  const remove = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/workflows/${workflow.id}`),
    onSuccess: async () => {
      props.onClose();
      showToast({ title: t("delete.done", { name: workflow.name }) });
      props.onDeleted?.();
      await client.invalidateQueries({ queryKey: [workspace, "workflows"] });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={props.onClose}
      title={t("delete.title", { name: workflow.name })}
      confirm={t("delete.confirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      disabled={live && typed.trim() !== workflow.name.trim()}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("delete.failed")} error={remove.error} />}
      <p>{live ? t("delete.textLive") : t("delete.text")}</p>
      {live && (
        <TextField
          label={t("delete.type", { name: workflow.name })}
          value={typed}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    </ConfirmDialog>
  );
}
