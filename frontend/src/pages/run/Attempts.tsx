import { lazy, type ReactNode, Suspense, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useRetries } from "../../api/queries";
import type { RunAttempt } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { useRun } from "../../live";
import { ClockTime, StatusIcon, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import tries from "./attempts.module.css";
import { DataView } from "./DataView";
import { doubtOf, sentOf } from "./doubt";
import { ErrorBox } from "./ErrorBox";
import { byGo } from "./retry";
import css from "./run.module.css";
import { goOf } from "./undo";

const AttemptDifferences = lazy(() => import("./AttemptDifferences"));

function attemptKind(attempt: RunAttempt, last: boolean) {
  switch (attempt.status) {
    case "in_doubt":
      return "in_doubt" as const;
    case "succeeded":
      return "done" as const;
    case "running":
    case "started":
      return "running" as const;
    case "waiting":
      return "waiting" as const;
    case "interrupted":
      return "retrying" as const;
    default:
      return last ? ("failed" as const) : ("retrying" as const);
  }
}

function iconOf(kind: ReturnType<typeof attemptKind>) {
  return kind === "in_doubt" ? ("waiting" as const) : kind;
}

/** What became of a try of which nobody knew whether it happened. */
function DoubtText({ attempt }: { attempt: RunAttempt }) {
  const { t } = useTranslation("runs");
  const doubt = doubtOf(attempt);
  return doubt && <> · {t(`attempt.doubt.${doubt.said}`)}</>;
}

type Attempts = readonly RunAttempt[];

/** How the goes of this run are called. */
function useGoName(): (generation: number) => string {
  const { t } = useTranslation("runs");
  const retries = useRetries(useRun((state) => state.run)).data ?? [];
  return (generation) => {
    const go = goOf(retries, generation);
    if (go.kind === "first") return t("retry.firstGo");
    return go.kind === "undo" ? t("undo.go", { number: go.number }) : t("retry.go", { number: go.number });
  };
}

/** The attempts, newest first; where there are those of several goes, each go under its name. */
function ByGo(props: { attempts: Attempts; heading: "h3" | "h4"; children: (own: RunAttempt[]) => ReactNode }) {
  const { attempts, heading: Heading, children } = props;
  const nameOf = useGoName();
  const goes = byGo(attempts);
  if (goes.length === 1) return children(goes[0]?.attempts ?? []);
  return goes.map(({ go, attempts: own }) => (
    <section key={go} className={css.block}>
      <Heading>{nameOf(go)}</Heading>
      {children(own)}
    </section>
  ));
}

export function AttemptLines({ attempts }: { attempts: Attempts }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  return (
    <ByGo attempts={attempts} heading="h4">
      {(own) => (
        <ol className={css.attempts}>
          {own.map((attempt) => {
            const kind = attemptKind(attempt, attempt === own[0]);
            return (
              <li key={attempt.attempt}>
                <StatusIcon kind={iconOf(kind)} size={15} />
                <b className="tn">{attempt.attempt}</b>
                <span>
                  {(attempt.error && failureTitle(attempt.error)) ?? t(`attempt.${kind}`)}
                  <DoubtText attempt={attempt} />
                </span>
                <small className="tn">
                  {attempt.started_at && <ClockTime at={attempt.started_at} />}
                  {attempt.duration_ms !== null && ` · ${format.duration(attempt.duration_ms)}`}
                </small>
              </li>
            );
          })}
        </ol>
      )}
    </ByGo>
  );
}

export function AttemptsTab({ attempts }: { attempts: Attempts }) {
  const { t } = useTranslation("runs");
  if (attempts.length === 0) return <p className={css.plain}>{t("attempt.none")}</p>;
  return (
    <ByGo attempts={attempts} heading="h3">
      {(own) => (
        <ol className={css.attemptCards}>
          {own.map((attempt, index) => (
            <AttemptCard key={attempt.attempt} attempt={attempt} before={own[index + 1]} last={index === 0} all={attempts} />
          ))}
        </ol>
      )}
    </ByGo>
  );
}

/** What was different from an earlier try; which one, is chosen where there are several. */
function Differences({ attempt, all }: { attempt: RunAttempt; all: Attempts }) {
  const { t } = useTranslation("runs");
  const id = useId();
  const goName = useGoName();
  const [open, setOpen] = useState(false);
  const earlier = all
    .filter((one) => one.generation < attempt.generation || (one.generation === attempt.generation && one.attempt < attempt.attempt))
    .sort((left, right) => right.generation - left.generation || right.attempt - left.attempt);
  const keyOf = (one: RunAttempt) => `${one.generation}-${one.attempt}`;
  const [chosen, setChosen] = useState<string | null>(null);
  const other = earlier.find((one) => keyOf(one) === chosen) ?? earlier[0];
  if (!other) return null;
  const several = earlier.some((one) => one.generation !== attempt.generation);
  const nameOf = (one: RunAttempt) => [several && goName(one.generation), t("attempt.number", { number: one.attempt })].filter(Boolean).join(" · ");
  return (
    <details className={ui.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("attempt.different", { other: nameOf(other) })}</summary>
      {open && (
        <>
          {earlier.length > 1 && (
            <p className={tries.against}>
              <label htmlFor={id}>{t("attempt.against")}</label>
              <select id={id} value={keyOf(other)} onChange={(event) => setChosen(event.currentTarget.value)}>
                {earlier.map((one) => (
                  <option key={keyOf(one)} value={keyOf(one)}>
                    {nameOf(one)}
                  </option>
                ))}
              </select>
            </p>
          )}
          <Suspense>
            <AttemptDifferences here={attempt} there={other} names={[nameOf(attempt), nameOf(other)]} />
          </Suspense>
        </>
      )}
    </details>
  );
}

function AttemptCard(props: { attempt: RunAttempt; before: RunAttempt | undefined; last: boolean; all: Attempts }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const { attempt, before } = props;
  const doubt = doubtOf(attempt);
  const sent = sentOf(attempt.request);
  const kind = attemptKind(attempt, props.last);
  const pause =
    before?.finished_at && attempt.started_at ? Date.parse(attempt.started_at) - Date.parse(before.finished_at) : null;
  return (
    <li className={css.attemptCard}>
      <header>
        <StatusIcon kind={iconOf(kind)} size={17} />
        <b>{t("attempt.number", { number: attempt.attempt })}</b>
        <span>
          {t(`attempt.${kind}`)}
          <DoubtText attempt={attempt} />
        </span>
        <small className="tn">
          {attempt.started_at && <ClockTime at={attempt.started_at} />}
          {attempt.duration_ms !== null && ` · ${format.duration(attempt.duration_ms)}`}
        </small>
      </header>
      {attempt.worker && <p className={css.plain}>{t("attempt.worker", { worker: attempt.worker })}</p>}
      {pause !== null && pause > 0 && (
        <p className={css.plain}>{t("attempt.waitedBefore", { time: format.duration(pause) })}</p>
      )}
      {attempt.error && <ErrorBox error={attempt.error} />}
      {doubt !== null && doubt.looked.length > 0 && (
        <details className={ui.details}>
          <summary>{t("attempt.doubt.looks")}</summary>
          <DataView value={doubt.looked} empty="" />
        </details>
      )}
      {sent !== null && sent !== undefined && (
        <details className={ui.details}>
          <summary>{t("attempt.request")}</summary>
          <DataView value={sent} empty="" />
        </details>
      )}
      {attempt.response !== null && attempt.response !== undefined && (
        <details className={ui.details}>
          <summary>{t("attempt.response")}</summary>
          <DataView value={attempt.response} empty="" />
        </details>
      )}
      <Differences attempt={attempt} all={props.all} />
    </li>
  );
}
