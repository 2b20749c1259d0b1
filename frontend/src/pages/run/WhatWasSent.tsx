import { useTranslation } from "react-i18next";

import { useStepDetail } from "../../api/queries";
import type { StepSpec } from "../../api/types";
import { words } from "../../graph/schema";
import { failureMessage, failureTitle } from "../../i18n/server";
import { CopyButton, ErrorCard, Skeleton } from "../../ui";
import { keyOf, sentOf } from "./doubt";
import { shortFacts } from "./retry";
import css from "./retry.module.css";

interface WhatWasSentProps {
  run: string;
  node: string;
  /** How far the step has come, as its run tells. */
  seq: number;
  spec?: StepSpec | undefined;
  /** The failure is told of elsewhere. */
  bare?: boolean;
}

/** The exact request of which nobody knows whether it arrived, and whether a key makes another one harmless. */
export default function WhatWasSent({ run, node, seq, spec, bare = false }: WhatWasSentProps) {
  const { t } = useTranslation("runs");
  const detail = useStepDetail(run, node, seq);
  if (detail.isPending) return <Skeleton height={54} />;
  if (detail.isError) return <ErrorCard error={detail.error} onRetry={() => void detail.refetch()} />;
  const last = detail.data.attempts.at(-1);
  const recorded = shortFacts(sentOf(last?.request ?? null));
  // Whoever was killed while sending could not write down what exactly it sent: then what it was given says it.
  const facts = recorded.length > 0 ? recorded : shortFacts(detail.data.input);
  const title = recorded.length > 0 || facts.length === 0 ? t("retry.sent") : t("retry.sentSettings");
  const key = keyOf(last, detail.data.input);
  // What is sent is often called as the setting is.
  const named = (name: string) => spec?.config_schema.properties?.[name]?.title ?? words(name);
  return (
    <section className={css.sent} data-testid="what-was-sent">
      <h3>{title}</h3>
      {facts.length === 0 && <p>{t("retry.sentNone")}</p>}
      {facts.length > 0 && (
        <dl tabIndex={0} aria-label={title}>
          {facts.map((fact) => (
            <div key={fact.name}>
              {fact.name && <dt>{named(fact.name)}</dt>}
              <dd>{fact.text}</dd>
            </div>
          ))}
        </dl>
      )}
      {last && (
        <p>
          {t(`retry.key.${key.sent}`)}
          {key.sent === "sent" && (
            <>
              {" "}
              <code>{key.key}</code> <CopyButton text={key.key} />
            </>
          )}
        </p>
      )}
      {!bare && last?.error && <p className={css.sentError}>{failureMessage(last.error) || failureTitle(last.error)}</p>}
    </section>
  );
}
