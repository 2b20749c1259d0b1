import { useId } from "react";
import { useTranslation } from "react-i18next";

import type { Run, StepSpec } from "../../api/types";
import { JsonEditor } from "../../inspector/JsonEditor";
import { useRunStep } from "../../live";
import { RadioGroup } from "../../ui";
import type { InDoubt } from "./retry";
import WhatWasSent from "./WhatWasSent";

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
  const seq = useRunStep(node)?.seq ?? 0;
  return (
    <>
      <WhatWasSent run={run.id} node={node} seq={seq} spec={spec} />
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
