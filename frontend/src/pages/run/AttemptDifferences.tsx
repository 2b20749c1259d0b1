import { useTranslation } from "react-i18next";

import type { RunAttempt } from "../../api/types";
import { attemptDifference } from "./attemptDiff";
import own from "./attempts.module.css";
import { Fields } from "./Changes";
import css from "./run.module.css";

const PARTS = ["request", "response", "error", "worker"] as const;

/** What was different in one try from another one of the same step. */
export default function AttemptDifferences({ here, there, names }: { here: RunAttempt; there: RunAttempt; names: [string, string] }) {
  const { t } = useTranslation("runs");
  const found = attemptDifference(here, there);
  const parts = PARTS.filter((part) => found[part].length > 0);
  if (parts.length === 0) return <p className={css.plain}>{t("attempt.same")}</p>;
  return parts.map((part) => (
    <section key={part} className={own.different}>
      <h4>{t(`attempt.part.${part}`)}</h4>
      <Fields fields={found[part]} here={names[0]} there={names[1]} label={t(`attempt.part.${part}`)} />
    </section>
  ));
}
