import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, LoaderCircle, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useWorkspace } from "../../api/session";
import type { DeadLetter } from "../../api/types";
import { Button, buttonClass, ErrorCard, IconButton, Note, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import { useSaid } from "../run/AskedNow";
import { runTitle } from "../runs/words";
import css from "./deadLetters.module.css";
import type { Came } from "./following";
import { lettersOf, useRetryOne } from "./letters";
import { countOf, type Target } from "./target";

interface TrialProps {
  target: Target;
  onEnd: () => void;
  onClose: () => void;
  /** Go on with all the others. */
  onRest: (rest: Target) => void;
}

/** Retries the newest run alone, watches it, and only if it worked offers the others. */
export function Trial({ target, onEnd, onClose, onRest }: TrialProps) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const told = useSaid();
  const workspace = useWorkspace().id;
  const retry = useRetryOne(target.group.step.node);
  const trial = useMutation({
    mutationFn: async (): Promise<Came | null> => {
      const letter = (target.letters ?? (await lettersOf(workspace, target, 1)))[0];
      return letter ? retry(letter) : null;
    },
    onSettled: onEnd,
  });
  const begun = useRef(false);
  const { mutate } = trial;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);

  if (trial.isError) {
    return (
      <div className={css.trial}>
        <ErrorCard title={t("trial.error")} error={trial.error} onRetry={() => mutate()} />
      </div>
    );
  }
  const done = trial.data;
  const others = countOf(target) - 1;
  const many = { count: others, number: format.number(others) };
  const fate = done?.fate;
  const tone = !fate ? "accent" : fate === "worked" ? "ok" : fate === "failed" ? "err" : "wait";
  const icon =
    done === undefined ? <LoaderCircle size={16} className={ui.spin} aria-hidden /> : tone === "ok" ? <CircleCheck size={16} aria-hidden /> : undefined;

  const words = () => {
    if (done === undefined) return t("trial.running");
    if (done === null) return t("trial.nothing");
    if (fate === "happened") return t("trial.happened");
    if (fate === "worked") return others > 0 ? t("trial.worked", many) : t("trial.workedAlone");
    if (fate === "failed") return t(others > 0 ? "trial.failed" : "trial.failedAlone", { title: done.message.replace(/\.$/, "") });
    if (fate === "asks") return t("trial.asks");
    if (fate === "refused") return t("trial.refused", { reason: done.message });
    return t("trial.underWay");
  };
  const offered = done && others > 0 && (fate === "worked" || fate === "underWay");
  const rest = (letter: DeadLetter): Target => ({
    group: { ...target.group, count: others },
    letters: target.letters?.filter((one) => one !== letter) ?? null,
    sent: target.sent,
  });
  return (
    <div className={css.trial}>
      <Note tone={tone} icon={icon}>
        <div className={css.trialRow}>
          <span role="status">
            {words()} {done?.said && told(done.said).text}
          </span>
          <span className={css.trialActions}>
            {done && (
              <Link to="/runs/$runId" params={{ runId: done.letter.run.id }} className={buttonClass("link")}>
                {t("trial.look", { name: runTitle(done.letter.run) })}
              </Link>
            )}
            {offered && (
              <Button size="sm" variant="primary" onClick={() => onRest(rest(done.letter))}>
                {t("trial.rest", many)}
              </Button>
            )}
            {done !== undefined && (
              <IconButton size="sm" label={t("common:action.close")} icon={<X size={14} aria-hidden />} onClick={onClose} />
            )}
          </span>
        </div>
      </Note>
    </div>
  );
}
