import { useTranslation } from "react-i18next";

import type { BulkKind, BulkPlan } from "../../api/runSearch";
import { Note, useFormatter } from "../../ui";

/** "Retry 43 runs from their failed step. 41 safe to repeat, 2 will ask." */
export function BulkPlanNote({ kind, plan }: { kind: BulkKind; plan: BulkPlan }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const many = (count: number) => ({ count, number: format.number(count) });
  const parts = [
    plan.safe > 0 && t(`bulk.safe.${kind}`, many(plan.safe)),
    plan.asks > 0 && t("bulk.asks", many(plan.asks)),
    plan.again > 0 && t("bulk.again", many(plan.again)),
    plan.refused > 0 && t(`bulk.refused.${kind}`, many(plan.refused)),
  ].filter((part) => part !== false);
  return (
    <Note tone={plan.safe === plan.looked_at ? "ok" : "wait"}>
      <strong>{t(`bulk.plan.${kind}`, many(plan.total))}</strong>{" "}
      {plan.looked_at < plan.total && `${t("bulk.lookedAt", many(plan.looked_at))} `}
      {parts.join(", ")}
      {parts.length > 0 && "."}
      {kind === "retry" && plan.asks > 0 && ` ${t("bulk.asksLeft", many(plan.asks))}`}
      {plan.more && ` ${t("bulk.more")}`}
    </Note>
  );
}
