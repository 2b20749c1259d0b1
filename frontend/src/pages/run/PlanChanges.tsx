import { useTranslation } from "react-i18next";

import type { PlanChanges, PlanStep, StepSpec } from "../../api/types";
import css from "./retry.module.css";
import { fieldNames } from "./planChanges";

interface ChangesProps {
  changes: PlanChanges;
  steps: readonly PlanStep[];
  specs: Readonly<Record<string, StepSpec>>;
}

const MOST = 6;

/** Beneath the choice of a version: what the live one has otherwise than the run's own. */
export function VersionChanges({ changes, steps, specs }: ChangesProps) {
  const { t } = useTranslation("runs");
  const { before, after } = changes;
  const types = new Map(steps.map((step) => [step.node, step.type]));
  const lines = [
    ...changes.changed.map(({ node, name, fields }) =>
      t("retry.changes.changed", { name, fields: fieldNames(fields, specs[types.get(node) ?? ""], t).join(", ") }),
    ),
    ...changes.added.map((name) => t("retry.changes.added", { name })),
    ...changes.removed.map((name) => t("retry.changes.removed", { name })),
  ];
  if (lines.length === 0) return <p className={css.changes}>{t("retry.changes.none", { before, after })}</p>;
  return (
    <div className={css.changes}>
      <p>{t("retry.changes.title", { before, after })}</p>
      <ul>
        {lines.slice(0, MOST).map((line) => (
          <li key={line}>{line}</li>
        ))}
        {lines.length > MOST && <li>{t("retry.changes.more", { count: lines.length - MOST })}</li>}
      </ul>
    </div>
  );
}

/** In a step's line of the plan, where it goes on with the live version. */
export function StepChanges({ changes, version, step, spec }: { changes: PlanChanges | null; version: number; step: PlanStep; spec: StepSpec | undefined }) {
  const { t } = useTranslation("runs");
  const changed = changes?.after === version ? changes.changed.find((one) => one.node === step.node) : undefined;
  if (!changes || !changed) return null;
  return <small>{t("retry.changes.step", { before: changes.before, fields: fieldNames(changed.fields, spec, t).join(", ") })}</small>;
}
