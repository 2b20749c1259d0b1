import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkspace } from "../../api/session";
import { Button, CheckboxField, Dialog, ErrorCard, Note, RadioGroup, StatusIcon, type StatusKind, TextField, useFormatter } from "../../ui";
import { runTitle } from "../runs/words";
import { howMany, type Progress, RATES } from "./batches";
import css from "./deadLetters.module.css";
import { countOf, type Target } from "./target";
import { lettersOf, useRetrying } from "./useRetrying";

/** Going on with many: how many, how fast and until when; then what comes of each, with a way to stop. */
export function RetryDialog({ target, onClose }: { target: Target; onClose: () => void }) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const most = countOf(target);
  const [typed, setTyped] = useState(String(most));
  const [rate, setRate] = useState("5");
  const [stopRule, setStopRule] = useState(true);
  const [told, setTold] = useState(false);
  const [stopped, setStopped] = useState(false);
  const { progress, start, stop } = useRetrying();
  const wanted = howMany(typed, most);
  const retry = useMutation({
    mutationFn: async (count: number) => {
      const letters = target.letters?.slice(0, count) ?? (await lettersOf(workspace, target.group, count));
      return start(letters, { rate: Number(rate), stopRule });
    },
  });
  const many = (count: number) => ({ count, number: format.number(count) });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (retry.isPending) return;
    setTold(true);
    if (wanted !== undefined) retry.mutate(wanted);
    else event.currentTarget.querySelector<HTMLInputElement>("input")?.focus();
  };
  const ended = progress?.ended ?? false;
  return (
    <Dialog opened onClose={onClose} title={t("retry.title", { title: target.group.title })}>
      {progress === null ? (
        <form onSubmit={submit} className={css.form} noValidate>
          {retry.isError && <ErrorCard title={t("retry.failed")} error={retry.error} />}
          <p>{t("retry.text")}</p>
          <TextField
            label={t("retry.howMany")}
            hint={t("retry.newestFirst", many(most))}
            error={told && wanted === undefined ? t("retry.badNumber", many(most)) : undefined}
            inputMode="numeric"
            autoComplete="off"
            data-autofocus
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <RadioGroup
            legend={t("retry.rate")}
            name="rate"
            value={rate}
            choices={RATES.map((one) => ({ value: String(one), label: t("retry.perSecond", { count: one }) }))}
            onChange={setRate}
          />
          <CheckboxField label={t("retry.rule")} hint={t("retry.ruleHint")} checked={stopRule} onChange={setStopRule} />
          <div className={css.formFoot}>
            <Button onClick={onClose}>{t("common:action.cancel")}</Button>
            <Button type="submit" variant="primary" busy={retry.isPending}>
              {t("retry.confirm", many(wanted ?? most))}
            </Button>
          </div>
        </form>
      ) : (
        <div className={css.form}>
          <Bar progress={progress} />
          <Counts progress={progress} />
          {progress.stopped === "error" && <ErrorCard title={t("retry.broke")} error={progress.error} />}
          <div role="status">{ended && <Result progress={progress} />}</div>
          {progress.left.length > 0 && <LeftRuns progress={progress} />}
          {!ended && <p className={css.quiet}>{t("retry.close")}</p>}
          <div className={css.formFoot}>
            {!ended && (
              <Button
                variant="danger"
                aria-disabled={stopped || progress.stopped !== null || progress.sent === progress.total || undefined}
                onClick={() => {
                  setStopped(true);
                  stop();
                }}
              >
                {stopped ? t("retry.stopping") : t("retry.stop")}
              </Button>
            )}
            <Button variant={ended ? "primary" : "default"} onClick={onClose}>
              {t("common:action.close")}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Bar({ progress }: { progress: Progress }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const share = (part: number) => `${(100 * part) / Math.max(1, progress.total)}%`;
  const settled = progress.sent - progress.open;
  const words = t("retry.progress", { done: format.number(settled), count: progress.total, total: format.number(progress.total) });
  return (
    <div className={css.progress}>
      <span>{words}</span>
      <div
        className={css.bar}
        role="progressbar"
        aria-label={t("retry.bar")}
        aria-valuemin={0}
        aria-valuemax={progress.total}
        aria-valuenow={settled}
        aria-valuetext={words}
      >
        <i data-part="worked" style={{ width: share(progress.worked + progress.underWay) }} />
        <i data-part="left" style={{ width: share(progress.left.length) }} />
        <i data-part="open" style={{ width: share(progress.open) }} />
      </div>
    </div>
  );
}

const COUNTS: readonly { of: "worked" | "failed" | "asks" | "underWay" | "refused" | "open"; kind: StatusKind; always?: boolean }[] = [
  { of: "worked", kind: "done", always: true },
  { of: "failed", kind: "failed", always: true },
  { of: "asks", kind: "waiting_person", always: true },
  { of: "open", kind: "queued" },
  { of: "underWay", kind: "waiting" },
  { of: "refused", kind: "skipped" },
];

function Counts({ progress }: { progress: Progress }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  return (
    <dl className={css.counts}>
      {COUNTS.filter((one) => one.always || progress[one.of] > 0).map((one) => (
        <div key={one.of}>
          <dt>
            <StatusIcon kind={one.kind} size={14} decorative />
            {t(`fate.${one.of}`)}
          </dt>
          <dd>{format.number(progress[one.of])}</dd>
        </div>
      ))}
    </dl>
  );
}

function Result({ progress }: { progress: Progress }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const untouched = progress.total - progress.sent;
  const good = progress.worked + progress.underWay;
  const many = (count: number) => ({ count, number: format.number(count) });
  const all = good === progress.total;
  return (
    <Note tone={all ? "ok" : "wait"}>
      {all && (progress.underWay > 0 ? t("result.allGoOn", many(good)) : t("result.all", many(good)))}
      {!all && t(progress.underWay > 0 ? "result.someGoOn" : "result.some", { good: format.number(good), ...many(progress.sent) })}
      {progress.stopped === "rule" && ` ${t("result.rule")}`}
      {untouched > 0 && ` ${t("result.untouched", many(untouched))}`}
    </Note>
  );
}

const SHOWN = 5;

/** Those that did not just work, to look at. */
function LeftRuns({ progress }: { progress: Progress }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const more = progress.left.length - SHOWN;
  return (
    <ul className={css.left} aria-label={t("result.left")}>
      {progress.left.slice(0, SHOWN).map(({ letter, fate, message }) => (
        <li key={letter.run.id}>
          <Link to="/runs/$runId" params={{ runId: letter.run.id }}>
            {runTitle(letter.run)}
          </Link>
          <span>{fate === "asks" ? t("trial.asks") : message || t(`fate.${fate}`)}</span>
        </li>
      ))}
      {more > 0 && <li>{t("result.more", { count: more, number: format.number(more) })}</li>}
    </ul>
  );
}
