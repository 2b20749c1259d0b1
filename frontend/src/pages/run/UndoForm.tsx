import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { useUndoPlan, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Run, UndoPlan } from "../../api/types";
import { Button, ErrorCard, Note, runIsFinished, showToast, SkeletonRows, TextAreaField } from "../../ui";
import { sentencesByStep } from "./retry";
import retry from "./retry.module.css";
import { countTurns, missingIn, partsOf, requestOf, type UndoSayings } from "./undo";
import { UndoPlanList } from "./UndoPlanList";

const LONGEST = 400;

interface UndoFormProps {
  run: Run;
  onClose: () => void;
  /** It is being undone. */
  onUndone: () => void;
  /** The run is another one than is shown: read it again. */
  onChanged: () => void;
}

/** What would be undone and in which order, what a person has to say about it, and the word to do it. */
export function UndoForm({ run, onClose, onUndone, onChanged }: UndoFormProps) {
  const { t } = useTranslation(["runs", "common"]);
  const workspace = useWorkspace().id;
  const [reason, setReason] = useState("");
  const [sayings, setSayings] = useState<UndoSayings>({});
  const [told, setTold] = useState(false);
  const [outdated, setOutdated] = useState(false);
  const [keyOf] = useState(keyForEach);
  const [sent, setSent] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const over = runIsFinished(run);
  const query = useUndoPlan(run, false, over && !sent);
  const tooLate = () => {
    onClose();
    showToast({ tone: "info", title: t("retry.tooLate") });
  };
  const overtaken = !over && !sent;
  useEffect(() => {
    if (overtaken) tooLate();
  }, [overtaken]); // oxlint-disable-line react-hooks/exhaustive-deps -- said once
  const goTo = (node: string | undefined) => {
    const row = node === undefined ? null : form.current?.querySelector(`[data-undo-step="${CSS.escape(node)}"]`);
    const wanted = row?.querySelector<HTMLElement>("input") ?? form.current?.querySelector<HTMLElement>("textarea");
    wanted?.focus({ preventScroll: true });
    (row ?? wanted)?.scrollIntoView({ block: "center" });
  };
  const undo = useMutation({
    mutationFn: (plan: UndoPlan) => {
      const body = requestOf(plan, reason, sayings);
      return api.post<Run>(`${workspacePath(workspace)}/runs/${run.id}/undo`, body, { idempotencyKey: keyOf(body) });
    },
    onMutate: () => setSent(true),
    onSuccess: () => {
      onClose();
      onUndone();
    },
    onError: (error) => {
      setSent(false);
      if (!(error instanceof ApiError)) return;
      const [refused] = Object.keys(sentencesByStep(error.fields));
      if (refused !== undefined) setTimeout(() => goTo(refused), 0);
      if (error.status !== 409) return;
      onChanged();
      if (error.code === "still_open") tooLate();
      else {
        setOutdated(true);
        // The button that was pressed could not keep the focus.
        void query.refetch().then(() => setTimeout(() => form.current?.querySelector<HTMLElement>("textarea, button")?.focus(), 0));
      }
    },
  });
  const plan = query.isError ? undefined : query.data;
  const { turns } = partsOf(plan ?? { steps: [] });
  const carriedOut = plan ? countTurns(plan, sayings) : 0;
  const missing = plan ? missingIn(plan, sayings) : new Set<string>();
  const refused = undo.error instanceof ApiError && undo.error.status === 422 ? sentencesByStep(undo.error.fields) : {};
  const known = new Set(turns.map((line) => line.undo_node));
  const placed = Object.keys(refused).some((node) => known.has(node));
  const stale = undo.error instanceof ApiError && ["plan_outdated", "nothing_to_undo", "still_open"].includes(undo.error.code);
  const wrong: Record<string, readonly string[]> = { ...refused };
  if (told) for (const node of missing) wrong[node] = [t("undo.became.missing")];
  const silent = reason.trim() === "";
  const lacks = missing.size + (silent ? 1 : 0);

  // What is sent is the plan that is seen; only where that is known to be of before, its successor has to be there first.
  const isAsking = undo.isPending || (outdated && query.isFetching);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!plan?.possible || isAsking) return;
    if (lacks === 0) {
      setOutdated(false);
      undo.mutate(plan);
      return;
    }
    setTold(true);
    goTo([...missing][0]);
  };

  return (
    <form ref={form} onSubmit={submit} className={retry.form} noValidate>
      {plan?.possible && <p className={retry.intro}>{t("undo.intro")}</p>}
      <div role="status" className={retry.news} data-empty={!outdated || query.isError}>
        {outdated && !query.isError && <Note tone="wait">{t("undo.outdated")}</Note>}
      </div>
      {query.isError && (
        <ErrorCard title={t("undo.loadFailed")} error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.isPending && <SkeletonRows rows={4} label={t("undo.loading")} />}
      {plan && !plan.possible && <Note>{t("undo.nothing")}</Note>}
      {plan && (
        <div aria-busy={query.isFetching} className={retry.form}>
          <UndoPlanList steps={plan.steps} title={t("undo.plan")} consents={{ sayings, onSayings: setSayings, wrong }} />
        </div>
      )}
      {plan?.possible && (
        <TextAreaField
          label={t("undo.reason")}
          aside={t("common:required")}
          hint={t("undo.reasonHint")}
          error={told && silent ? t("undo.reasonMissing") : undefined}
          rows={2}
          maxLength={LONGEST}
          required
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      )}
      {undo.isError && !stale && !placed && <ErrorCard title={t("undo.failed")} error={undo.error} />}
      <div className={retry.foot}>
        <p role="alert" className={retry.footNews}>
          {told && missing.size > 0 && t("retry.missingCount", { count: missing.size })}
          {undo.isError && placed && t("undo.failed")}
        </p>
        <Button onClick={onClose}>{plan && !plan.possible ? t("common:action.close") : t("common:action.cancel")}</Button>
        {(!plan || plan.possible) && (
          <Button type="submit" variant="primary" busy={isAsking} disabled={!plan || query.isPlaceholderData}>
            {plan ? (carriedOut > 0 ? t("undo.confirm", { count: carriedOut }) : t("undo.record")) : t("undo.button")}
          </Button>
        )}
      </div>
    </form>
  );
}
