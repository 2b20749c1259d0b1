import { useId } from "react";
import { useTranslation } from "react-i18next";

import { useStepDetail } from "../../api/queries";
import type { Run, StepSpec } from "../../api/types";
import { words } from "../../graph/schema";
import { JsonEditor } from "../../inspector/JsonEditor";
import { useRunStep } from "../../live";
import { ErrorCard, RadioGroup, Skeleton } from "../../ui";
import { type InDoubt, shortFacts } from "./retry";
import css from "./retry.module.css";

interface RetryDoubtProps {
  run: Run;
  node: string;
  spec: StepSpec | undefined;
  said: InDoubt | undefined;
  onChange: (said: InDoubt) => void;
}

/** A step whose answer was lost: what it sent, and the question whether it happened. */
export function RetryDoubt({ run, node, spec, said, onChange }: RetryDoubtProps) {
  const { t } = useTranslation("runs");
  const name = useId();
  return (
    <>
      <WhatWasSent run={run} node={node} spec={spec} />
      <RadioGroup
        legend={t("retry.decide")}
        name={name}
        value={said?.decision ?? ""}
        choices={[
          { value: "happened", label: t("retry.happened"), hint: t("retry.happenedHint") },
          { value: "send_again", label: t("retry.sendAgain"), hint: t("retry.sendAgainHint") },
        ]}
        onChange={(value) =>
          onChange({ decision: value === "happened" ? "happened" : "send_again", result: said?.result ?? "" })
        }
      />
      {said?.decision === "happened" && (
        <JsonEditor
          label={t("retry.result")}
          hint={t("retry.resultHint")}
          rows={3}
          value={said.result}
          onChange={(result) => onChange({ ...said, result })}
          mayBeEmpty
        />
      )}
    </>
  );
}

function WhatWasSent({ run, node, spec }: { run: Run; node: string; spec: StepSpec | undefined }) {
  const { t } = useTranslation("runs");
  const seq = useRunStep(node)?.seq ?? 0;
  const detail = useStepDetail(run.id, node, seq);
  if (detail.isPending) return <Skeleton height={54} />;
  if (detail.isError) return <ErrorCard error={detail.error} onRetry={() => void detail.refetch()} />;
  const last = detail.data.attempts.at(-1);
  const facts = shortFacts(last?.request ?? null);
  // What is sent is often called as the setting is.
  const named = (name: string) => spec?.config_schema.properties?.[name]?.title ?? words(name);
  return (
    <div className={css.sent}>
      <h3>{t("retry.sent")}</h3>
      {facts.length === 0 && <p>{t("retry.sentNone")}</p>}
      {facts.length > 0 && (
        <dl tabIndex={0} aria-label={t("retry.sent")}>
          {facts.map((fact) => (
            <div key={fact.name}>
              {fact.name && <dt>{named(fact.name)}</dt>}
              <dd>{fact.text}</dd>
            </div>
          ))}
        </dl>
      )}
      {last?.error && <p className={css.sentError}>{last.error.message || last.error.title}</p>}
    </div>
  );
}
