import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, Undo2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { refreshInbox, workspacePath } from "../../api/queries";
import type { AskedUndoPlan } from "../../api/runs";
import { useWorkspace } from "../../api/session";
import type { TaskDetail } from "../../api/types";
import { Button, buttonClass, Dialog, ErrorCard, Note, showToast, SkeletonRows, TextAreaField } from "../../ui";
import { partsOf } from "../run/undo";
import { UndoPlanList } from "../run/UndoPlanList";
import { runTitle } from "../runs/words";
import css from "./inbox.module.css";

const LONGEST = 400;

/** In the place of an answer to a failure: what the run did is undone, after a look at what that would be. */
export default function UndoAsked({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const [opened, setOpened] = useState(false);
  return (
    <div>
      <Button size="sm" icon={<Undo2 size={14} aria-hidden />} onClick={() => setOpened(true)}>
        {t("undoRun.open")}
      </Button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={t("undoRun.title", { name: runTitle(task.run) })} size={600}>
        <UndoAskedForm task={task} onClose={() => setOpened(false)} />
      </Dialog>
    </div>
  );
}

function UndoAskedForm({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const { t } = useTranslation(["inbox", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const [told, setTold] = useState(false);
  const [outdated, setOutdated] = useState(false);
  const [keyOf] = useState(keyForEach);
  const path = `${workspacePath(workspace)}/inbox/${task.id}/undo`;
  const query = useQuery({
    queryKey: [workspace, "inbox", "undo", task.id],
    queryFn: ({ signal }) => api.get<AskedUndoPlan>(path, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const plan = query.data;
  const undo = useMutation({
    mutationFn: (id: string) => {
      const body = { plan: id, reason: reason.trim() };
      return api.post<TaskDetail>(path, body, { idempotencyKey: keyOf(body) });
    },
    onSuccess: () => {
      showToast({ title: t("undoRun.done"), text: task.title });
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.status !== 409) return;
      setOutdated(error.code === "plan_outdated");
      void query.refetch();
    },
    onSettled: () => {
      void refreshInbox(client, workspace);
      void client.invalidateQueries({ queryKey: [workspace, "runs"] });
    },
  });
  if (query.isPending) return <SkeletonRows rows={4} label={t("undoRun.loading")} />;
  if (!plan) return <ErrorCard title={t("undoRun.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />;
  if (plan.why !== null) {
    const above = plan.why === "below" ? task.run.parent?.run_id : undefined;
    return (
      <div className={css.form}>
        {undo.isError && <ErrorCard title={t("undoRun.failed")} error={undo.error} />}
        <Note tone="wait" icon={<Undo2 size={16} aria-hidden />}>
          <b>{t("undoRun.cannot")}</b> {t(`undoRun.why.${plan.why}`)}
        </Note>
        <div className={css.dialogButtons}>
          {(plan.why === "below" || plan.why === "unsure") && (
            <Link to="/runs/$runId" params={{ runId: above ?? task.run.id }} className={buttonClass("link")}>
              {t("undoRun.seeRun")}
              <ArrowRight size={14} aria-hidden />
            </Link>
          )}
          <Button onClick={onClose}>{t("common:action.close")}</Button>
        </div>
      </div>
    );
  }
  const silent = reason.trim() === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(true);
    if (silent || undo.isPending || query.isFetching) return;
    setOutdated(false);
    undo.mutate(plan.id);
  };
  const stale = undo.error instanceof ApiError && undo.error.code === "plan_outdated";
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <p className={css.text}>{t("undoRun.text")}</p>
      <div role="status">{outdated && <Note tone="wait">{t("undoRun.outdated")}</Note>}</div>
      {undo.isError && !stale && <ErrorCard title={t("undoRun.failed")} error={undo.error} />}
      <UndoPlanList steps={plan.steps} title={t("undoRun.plan")} />
      <TextAreaField
        label={t("undoRun.reason")}
        aside={t("common:required")}
        error={told && silent ? t("undoRun.reasonMissing") : undefined}
        required
        rows={2}
        maxLength={LONGEST}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className={css.dialogButtons}>
        <Button onClick={onClose} disabled={undo.isPending}>
          {t("common:action.cancel")}
        </Button>
        <Button type="submit" variant="dangerFilled" busy={undo.isPending || query.isFetching}>
          {t("undoRun.send", { count: partsOf(plan).turns.length })}
        </Button>
      </div>
    </form>
  );
}
