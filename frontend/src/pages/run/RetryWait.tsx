import { Clock, RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { useTryNow } from "../../api/runStands";
import { useCan } from "../../api/session";
import type { GraphNode, Run, RunStep } from "../../api/types";
import { Button, Note, showToast, useErrorText, useFormatter } from "../../ui";
import css from "./people.module.css";

/** A step that did not work and is tried again: when, which try that is, and not to wait for it. */
export function RetryWait({ run, node, step }: { run: Run; node: GraphNode; step: RunStep }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const until = step.wait?.until;
  const of = node.settings.retry?.attempts;
  const attempt = step.attempt + 1;
  const which = of !== undefined && of >= attempt ? t("step.tryOf", { attempt, of }) : t("step.tryNumber", { attempt });
  return (
    <Note tone="wait" icon={<Clock size={16} />}>
      {until ? t("step.triesAgainAt", { time: format.clockSeconds(until), which }) : t("step.triesAgain")}
      {until && <TryNow run={run} node={node.id} attempt={step.attempt} />}
    </Note>
  );
}

/** For those who may: the next try begins now. */
export function TryNow({ run, node, attempt }: { run: Run; node: string; attempt: number }) {
  const { t } = useTranslation("runs");
  const may = useCan("reviewer");
  const now = useTryNow(run.id, node);
  const errorText = useErrorText();
  if (!may || run.paused || run.cancel_requested) return null;
  const asked = now.isSuccess && now.variables === attempt;
  return (
    <div className={css.signalActions}>
      <Button
        size="sm"
        icon={<RotateCcw size={14} aria-hidden />}
        busy={now.isPending}
        aria-disabled={asked}
        onClick={() => {
          if (asked) return;
          now.mutate(attempt, {
            onSuccess: () => showToast({ title: t("step.triedNow") }),
            onError: (error) => {
              const begun = error instanceof ApiError && error.code === "already_trying";
              const paused = error instanceof ApiError && error.code === "run_paused";
              showToast({ tone: begun ? "info" : "err", title: begun ? t("step.begunAlready") : paused ? t("step.resumeFirst") : errorText(error).title });
            },
          });
        }}
      >
        {t("step.tryNow")}
      </Button>
    </div>
  );
}
