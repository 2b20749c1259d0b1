import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useRetries } from "../../api/queries";
import type { RunAttempt } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { useRun } from "../../live";
import { ClockTime, StatusIcon, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import { DataView } from "./DataView";
import { doubtOf, sentOf } from "./doubt";
import { ErrorBox } from "./ErrorBox";
import { byGo } from "./retry";
import css from "./run.module.css";
import { goOf } from "./undo";

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

/** The attempts, newest first; where there are those of several goes, each go under its name. */
function ByGo(props: { attempts: Attempts; heading: "h3" | "h4"; children: (own: RunAttempt[]) => ReactNode }) {
  const { t } = useTranslation("runs");
  const { attempts, heading: Heading, children } = props;
  const retries = useRetries(useRun((state) => state.run)).data ?? [];
  const goes = byGo(attempts);
  const nameOf = (generation: number) => {
    const go = goOf(retries, generation);
    if (go.kind === "first") return t("retry.firstGo");
    return go.kind === "undo" ? t("undo.go", { number: go.number }) : t("retry.go", { number: go.number });
  };
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
            <AttemptCard key={attempt.attempt} attempt={attempt} before={own[index + 1]} last={index === 0} />
          ))}
        </ol>
      )}
    </ByGo>
  );
}

function AttemptCard(props: { attempt: RunAttempt; before: RunAttempt | undefined; last: boolean }) {
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
    </li>
  );
}
