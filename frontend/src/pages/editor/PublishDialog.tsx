import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Page, Problem as ServerProblem, Run, Version, Workflow } from "../../api/types";
import type { Change } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { Button, Dialog, ErrorCard, Note, runIsFinished, showToast, TextAreaField, useFormatter } from "../../ui";
import type { Autosave } from "./autosave";
import { ChangeList } from "./ChangeList";
import css from "./editor.module.css";
import { NamingFields } from "./NamingFields";
import { ProblemList } from "./ProblemsBar";

export interface PublishDialogProps {
  workflow: Workflow;
  autosave: Autosave;
  changes: readonly Change[] | null;
  onClose(): void;
}

/** What changes, why, and what happens to runs in progress; then it is live. */
export function PublishDialog({ workflow, autosave, changes, onClose }: PublishDialogProps) {
  const { t } = useTranslation("editor");
  const { store, workspace } = useEnvironment();
  const client = useQueryClient();
  const format = useFormatter();
  const problems = useEditor((state) => state.problems);
  const errors = problems.filter((problem) => problem.severity === "error");
  const status = useStore(autosave.state, (state) => state.status);
  const next = (workflow.live?.version ?? 0) + 1;
  const [note, setNote] = useState(() => suggestNote(changes, workflow, t as unknown as (key: string, params?: object) => string));
  const [touched, setTouched] = useState(false);
  const [key] = useState(newIdempotencyKey);
  const path = `${workspacePath(workspace)}/workflows/${workflow.id}`;
  const running = useQuery({
    queryKey: [workspace, "runs-in-progress", workflow.id],
    queryFn: ({ signal }) =>
      api.get<Page<Run>>(`${workspacePath(workspace)}/runs`, { query: { workflow: workflow.id, status: ["accepted", "running", "waiting_timer", "waiting_event", "waiting_human", "parked"], limit: 100 }, signal }),
    enabled: workflow.live !== null,
    staleTime: 0,
  });
  const inProgress = (running.data?.items ?? []).filter((run) => !runIsFinished(run)).length;
  const publish = useMutation({
    mutationFn: async () => {
      if (!(await autosave.flush())) throw new Error("unsaved");
      const { revision } = autosave.state.getState();
      return api.post<Version>(`${path}/publish`, { revision, note: note.trim() }, { idempotencyKey: `${key}-${revision}` });
    },
    onSuccess: (version) => {
      void client.invalidateQueries({ queryKey: [workspace, "workflow", workflow.id] });
      void client.invalidateQueries({ queryKey: [workspace, "workflows"] });
      void client.invalidateQueries({ queryKey: [workspace, "versions", workflow.id] });
      void client.invalidateQueries({ queryKey: [workspace, "triggers", workflow.id] });
      showToast({ title: t("publish.done", { version: version.number ?? next, time: format.clock(Date.now()) }) });
      onClose();
    },
    onError: (error) => {
      // The server found what the browser could not know.
      if (error instanceof ApiError && error.status === 422) takeProblems(error);
    },
  });
  const takeProblems = (error: ApiError): void => {
    const body = error.body as { problems?: ServerProblem[]; params?: { problems?: ServerProblem[] } } | null;
    const found = body?.problems ?? body?.params?.problems;
    if (found) {
      const { saved, summaries, effects } = store.getState();
      store.markSaved(saved, { problems: found, summaries, effects });
    }
  };
  const short = note.trim().length < 3;
  const unchanged = changes !== null && changes.length === 0;
  return (
    <Dialog
      opened
      onClose={onClose}
      size={560}
      title={t("publish.title", { version: next })}
      footer={
        <>
          <Button onClick={onClose}>{t("publish.cancel")}</Button>
          <Button
            variant="primary"
            icon={<Rocket size={15} aria-hidden />}
            busy={publish.isPending}
            disabled={errors.length > 0 || unchanged || status === "conflict"}
            data-testid="publish-confirm"
            onClick={() => {
              setTouched(true);
              if (!short) publish.mutate();
            }}
          >
            {t("publish.confirm", { version: next })}
          </Button>
        </>
      }
    >
      {errors.length > 0 && (
        <div className={css.publishProblems}>
          <b>{t("publish.blocked", { count: errors.length })}</b>
          <ProblemList problems={errors} onGo={onClose} />
        </div>
      )}
      {publish.error !== null && !(publish.error instanceof ApiError && publish.error.status === 422 && errors.length > 0) && (
        <ErrorCard title={t("publish.failed")} error={publish.error} />
      )}
      <section className={css.publishChanges}>
        <h3>{changes ? t("publish.changes", { count: changes.length }) : t("publish.first")}</h3>
        {changes && changes.length > 0 && <ChangeList changes={changes} onGo={onClose} />}
        {unchanged && <p>{t("publish.nothing")}</p>}
      </section>
      <NamingFields />
      <TextAreaField
        label={t("publish.note")}
        aside={t("publish.required")}
        hint={t("publish.noteHint")}
        value={note}
        maxLength={200}
        rows={2}
        error={touched && short ? t("publish.noteShort") : undefined}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {workflow.live !== null && (
        <Note>{inProgress > 0 ? t("publish.inProgress", { count: inProgress, version: workflow.live.version }) : t("publish.noneInProgress")}</Note>
      )}
      {problems.length > errors.length && errors.length === 0 && problems.some((problem) => problem.severity === "warning") && (
        <Note tone="wait">{t("publish.warnings", { count: problems.filter((problem) => problem.severity === "warning").length })}</Note>
      )}
    </Dialog>
  );
}

function suggestNote(changes: readonly Change[] | null, workflow: Workflow, t: (key: string, params?: object) => string): string {
  if (!changes) return workflow.live ? "" : t("publish.firstNote");
  const words = changes.filter((change) => change.kind !== "moved").slice(0, 3).map((change) => t(change.label.key, change.label.params));
  const text = words.join("; ");
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
