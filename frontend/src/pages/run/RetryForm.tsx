import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { useRetryPlan, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { RetryPlan, Run, StepSpec } from "../../api/types";
import { Button, ErrorCard, isUndoIncomplete, Note, showToast, SkeletonRows } from "../../ui";
import { VersionChanges } from "./PlanChanges";
import { type Answers, countSteps, missingIn, NO_ANSWERS, requestOf, sentencesByStep } from "./retry";
import css from "./retry.module.css";
import { RetryPlanList } from "./RetryPlanList";
import { VersionChoice } from "./VersionChoice";

interface RetryFormProps {
  run: Run;
  start: readonly string[];
  focus: string | null;
  specs: Readonly<Record<string, StepSpec>>;
  onClose: () => void;
  onChanged: () => void;
}

/** The plan of a retry, what a person can change in it and has to say about it, and the word to go on. */
export function RetryForm({ run, start, focus, specs, onClose, onChanged }: RetryFormProps) {
  const { t } = useTranslation(["runs", "common"]);
  const workspace = useWorkspace().id;
  const [version, setVersion] = useState<number | null>(null);
  const [answers, setAnswers] = useState<Answers>(NO_ANSWERS);
  const [told, setTold] = useState(false);
  const [outdated, setOutdated] = useState(false);
  const [keyOf] = useState(keyForEach);
  const list = useRef<HTMLDivElement>(null);
  // What was sent changes the run, and a plan for what it is then is none of this dialog's business.
  const [sent, setSent] = useState(false);
  const query = useRetryPlan(run, start, version, !sent);
  const goTo = (node: string) => {
    const row = list.current?.querySelector(`[data-plan-step="${CSS.escape(node)}"]`);
    const wanted =
      row?.querySelector<HTMLElement>("[data-answer] input, [aria-invalid=true]") ??
      row?.querySelector<HTMLElement>("input, textarea, select") ??
      row?.querySelector<HTMLElement>("button");
    wanted?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    wanted?.scrollIntoView({ block: "nearest" });
  };
  const retry = useMutation({
    mutationFn: (plan: RetryPlan) => {
      const body = requestOf(plan, answers, start, version);
      return api.post<Run>(`${workspacePath(workspace)}/runs/${run.id}/retry`, body, { idempotencyKey: keyOf(body) });
    },
    onMutate: () => setSent(true),
    onSuccess: () => {
      onClose();
      onChanged();
    },
    onError: (error) => {
      setSent(false);
      if (!(error instanceof ApiError)) return;
      const [refused] = Object.keys(sentencesByStep(error.fields));
      // Once the button can be pressed again, and the sentences stand there.
      if (refused !== undefined) setTimeout(() => goTo(refused), 0);
      if (error.status !== 409) return;
      onChanged();
      if (error.code === "still_open" || error.code === "already_done") {
        onClose();
        showToast({ tone: "info", title: t("retry.tooLate") });
      } else if (error.code === "plan_outdated") {
        setOutdated(true);
        void query.refetch();
      }
    },
  });
  const plan = query.isError ? undefined : query.data;
  const refused = retry.error instanceof ApiError && retry.error.status === 422 ? sentencesByStep(retry.error.fields) : {};
  const known = new Set(plan?.steps.map((step) => step.node));
  const placed = Object.keys(refused).some((node) => known.has(node));
  const stale = retry.error instanceof ApiError && retry.error.code === "plan_outdated";
  const missing = plan ? missingIn(plan, answers) : new Map<string, never>();
  const wrong = plan !== undefined && plan.incompatible.length + plan.dropped.length + plan.missing.length > 0;
  const counts = plan ? countSteps(plan, answers) : { again: 0, next: 0 };
  const from = plan?.steps.find((step) => start.includes(step.node))?.name;

  // What is sent is the plan that is seen; only where that is known to be of before, its successor has to be there first.
  const isAsking = retry.isPending || (outdated && query.isFetching);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!plan || wrong || isAsking) return;
    const first = [...missing.keys()][0];
    if (first === undefined) {
      setOutdated(false);
      retry.mutate(plan);
      return;
    }
    setTold(true);
    goTo(first);
  };

  return (
    <form onSubmit={submit} className={css.form} noValidate>
      <p className={css.intro}>{isUndoIncomplete(run) ? t("retry.introUndo") : from ? t("retry.introFrom", { name: from }) : t("retry.intro")}</p>
      <div role="status" className={css.news} data-empty={!outdated || query.isError}>
        {outdated && !query.isError && <Note tone="wait">{t("retry.outdated")}</Note>}
      </div>
      {plan && (
        <VersionChoice
          legend={t("retry.version")}
          versions={plan.versions}
          chosen={version ?? plan.version}
          onChange={setVersion}
        />
      )}
      {plan?.changes && <VersionChanges changes={plan.changes} steps={plan.steps} specs={specs} />}
      {plan?.workflow_held && <Note tone="wait">{t("retry.workflowHeld")}</Note>}
      {plan?.paused_around && <Note tone="wait">{t("retry.pausedAround")}</Note>}
      {plan && plan.dropped.length > 0 && (
        <Note tone="err">
          {t("retry.dropped", { version: plan.version, names: plan.dropped.map((name) => `“${name}”`).join(", ") })}
        </Note>
      )}
      {plan && plan.missing.length > 0 && (
        <Note tone="err">
          {t("retry.gone", { version: plan.version, names: plan.missing.map((name) => `“${name}”`).join(", ") })}
        </Note>
      )}
      {plan && plan.incompatible.length > 0 && (
        <Note tone="err">
          {t("retry.incompatible", {
            version: plan.version,
            names: plan.incompatible
              .map((key) => `“${plan.steps.find((step) => step.key === key)?.name ?? key}”`)
              .join(", "),
          })}
        </Note>
      )}
      {query.isError && (
        <ErrorCard title={t("retry.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.isPending && <SkeletonRows rows={4} label={t("retry.loading")} />}
      {plan && (
        <div ref={list} aria-busy={query.isFetching}>
          <RetryPlanList
            plan={plan}
            run={run}
            start={start}
            version={version}
            specs={specs}
            answers={answers}
            onAnswers={setAnswers}
            missing={told ? missing : new Map()}
            refused={refused}
            focus={focus}
          />
        </div>
      )}
      {retry.isError && !stale && !placed && <ErrorCard title={t("retry.failed")} error={retry.error} />}
      <div className={css.foot}>
        <p role="alert" className={css.footNews}>
          {told && missing.size > 0 && t("retry.missingCount", { count: missing.size })}
          {retry.isError && placed && t("retry.failed")}
        </p>
        <Button onClick={onClose}>{t("common:action.cancel")}</Button>
        <Button
          type="submit"
          variant="primary"
          busy={isAsking}
          disabled={!plan || wrong || query.isPlaceholderData}
        >
          {counts.again > 0
            ? t("retry.confirmAgain", { count: counts.again })
            : counts.next > 0
              ? t("retry.confirmNext", { count: counts.next })
              : plan
                ? t("retry.confirmNone")
                : t("retry.button")}
        </Button>
      </div>
    </form>
  );
}
