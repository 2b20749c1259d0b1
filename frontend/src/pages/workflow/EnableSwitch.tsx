import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { refreshWorkflow, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Workflow } from "../../api/types";
import { ConfirmDialog, ErrorCard, showToast, Switch, useErrorText } from "../../ui";

export interface Enabling {
  change: (enabled: boolean) => void;
  busy: boolean;
  /** The question before switching off; to be shown by whoever uses this. */
  dialog: ReactNode;
}

/** Switches a published workflow on or off; off says first what happens to runs and to callers. */
export function useEnabling(workflow: Workflow): Enabling {
  const { t } = useTranslation("workflows");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const flip = useMutation({
    mutationFn: (enabled: boolean) =>
      api.post(`${workspacePath(workspace)}/workflows/${workflow.id}/${enabled ? "enable" : "disable"}`),
    onSuccess: async (_answer, enabled) => {
      setAsking(false);
      await refreshWorkflow(client, workspace, workflow.id);
      showToast(
        enabled
          ? { title: t("enable.on", { name: workflow.name }) }
          : {
              title: t("enable.off", { name: workflow.name }),
              action: { label: t("enable.undo"), run: () => flip.mutate(true) },
            },
      );
    },
    onError: (error, enabled) => {
      if (!enabled) return;
      const words = errorText(error);
      showToast({ tone: "err", title: t("enable.failedOn", { name: workflow.name }), text: words.title });
    },
  });
  const open = workflow.stats_24h.waiting + workflow.stats_24h.running;
  const { mutate } = flip;
  const change = useCallback((enabled: boolean) => (enabled ? mutate(true) : setAsking(true)), [mutate]);
  return {
    change,
    busy: flip.isPending,
    dialog: (
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("disable.title", { name: workflow.name })}
        confirm={t("disable.confirm")}
        variant="dangerFilled"
        busy={flip.isPending}
        onConfirm={() => flip.mutate(false)}
      >
        {flip.isError && <ErrorCard title={t("disable.failed")} error={flip.error} />}
        <ul style={{ display: "grid", gap: 8, paddingInlineStart: 18, listStyle: "disc" }}>
          <li>{open > 0 ? t("disable.runsWaiting", { count: open }) : t("disable.runs")}</li>
          <li>{t("disable.callers")}</li>
          <li>{t("disable.schedules")}</li>
        </ul>
      </ConfirmDialog>
    ),
  };
}

export function EnableSwitch({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const canBuild = useCan("builder");
  const { change, busy, dialog } = useEnabling(workflow);
  return (
    <>
      <Switch
        checked={workflow.enabled && workflow.live !== null}
        disabled={!canBuild || workflow.live === null || busy}
        label={
          workflow.live === null
            ? t("enable.unpublished", { name: workflow.name })
            : t("enable.label", { name: workflow.name })
        }
        onChange={change}
      />
      {dialog}
    </>
  );
}
