import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Wrench } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { refreshInbox, useNodeTypes } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { PlanStep, TaskDetail } from "../../api/types";
import { fieldsOf } from "../../graph/schema";
import { Button, ErrorCard, Note, showToast, SkeletonRows } from "../../ui";
import { settingsOf, type Texts } from "../run/retry";
import { AskFirst } from "../run/AskedNow";
import { RetryEdit } from "../run/RetryEdit";
import css from "./inbox.module.css";
import { mend, NotFixable, NotGoneOn, readFix } from "./mending";

/** What a failed step was given, as a form: what was wrong in it is put right, and the step is tried again with that. */
export default function Mending({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("inbox");
  const [open, setOpen] = useState(false);
  if (open) return <MendForm task={task} onClose={() => setOpen(false)} />;
  return (
    <div>
      <Button size="sm" icon={<Wrench size={14} aria-hidden />} onClick={() => setOpen(true)}>
        {t("mend.open")}
      </Button>
    </div>
  );
}

function MendForm({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const { t } = useTranslation(["inbox", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const specs = useNodeTypes();
  const [texts, setTexts] = useState<Texts>({});
  const [stage, setStage] = useState<"checking" | "stopping" | "going">("checking");
  const query = useQuery({
    queryKey: [workspace, "inbox", "fix", task.id],
    queryFn: ({ signal }) => readFix(workspace, task.id, signal),
    // What somebody types is not swept away by what the server says meanwhile.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const fix = query.data;
  const spec = fix && specs.data?.[fix.type];
  const edited = settingsOf(fix?.input ?? null, texts);
  const labelOf = (name: string) => (spec ? fieldsOf(spec.config_schema) : []).find((field) => field.name === name)?.title ?? name;
  const send = useMutation({
    mutationFn: () =>
      mend({
        workspace,
        task,
        settings: edited.settings,
        comment: t("mend.comment", { names: edited.changed.map(labelOf).join(", ") }),
        onStage: setStage,
      }),
    onSuccess: (came) => showToast({ title: t(came === "noted" ? "mend.noted" : "mend.done"), text: task.title }),
    onSettled: (_done, error) => {
      if (error instanceof NotFixable) return;
      void refreshInbox(client, workspace);
      void client.invalidateQueries({ queryKey: [workspace, "runs"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edited.changed.length > 0 && edited.bad.length === 0 && !send.isPending) send.mutate();
  };
  if (query.isPending || specs.isPending) return <SkeletonRows rows={4} label={t("mend.loading")} />;
  if (!fix) return <ErrorCard title={t("mend.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />;
  if (fix.why !== null) {
    return (
      <Note tone="wait" icon={<Wrench size={16} aria-hidden />}>
        <b>{t("mend.cannot")}</b> {fix.why}
      </Note>
    );
  }
  const step: PlanStep = { node: task.node, key: task.node, name: task.step, type: fix.type, fate: "again", why: null, first: true, input: fix.input, items: null, asks: fix.asks };
  return (
    <form className={css.mend} onSubmit={submit} aria-label={t("mend.title", { name: task.step })} noValidate>
      <h3>{t("mend.title", { name: task.step })}</h3>
      <p className={css.where}>{t("mend.text")}</p>
      {fix.asks !== null && (
        <AskFirst
          about={{ task: task.id }}
          system={fix.asks}
          settings={edited.changed.length > 0 && edited.bad.length === 0 ? edited.settings : null}
        />
      )}
      <RetryEdit step={step} spec={spec} texts={texts} onChange={setTexts} />
      <div role="alert">
        {send.error instanceof NotFixable ? (
          <Note tone="err">{send.error.message}</Note>
        ) : send.error instanceof NotGoneOn ? (
          <Note tone="err">
            <b>{t("mend.stopped")}</b> {send.error.message}
          </Note>
        ) : (
          send.isError && <ErrorCard title={t(stage === "going" ? "mend.stopped" : "mend.failed")} error={send.error} />
        )}
      </div>
      <div className={css.dialogButtons}>
        <span role="status">{send.isPending && t(`mend.stage.${stage}`)}</span>
        <Button onClick={onClose} disabled={send.isPending}>
          {t("common:action.cancel")}
        </Button>
        <Button type="submit" variant="primary" busy={send.isPending} disabled={edited.changed.length === 0 || edited.bad.length > 0}>
          {t("mend.send")}
        </Button>
      </div>
    </form>
  );
}
