import { useTranslation } from "react-i18next";

import type { ConnectionBudget } from "../../api/types";
import { SelectField, TextField } from "../../ui";
import { PERIODS, type Period } from "../../ui/limitWords";
import ui from "../../ui/ui.module.css";
import css from "./connections.module.css";

/** What stands in the inputs. */
export interface BudgetInput {
  calls: string;
  per: Period;
  at_once: string;
}

/** No step calls these: what comes in is checked with one, one is a folder of this machine, one is told of alerts. */
const NEVER_CALLED = ["webhook_secret", "folder", "alert_hook"];

export const isCalled = (kind: string) => !NEVER_CALLED.includes(kind);

export function budgetInput(budget: ConnectionBudget | null | undefined): BudgetInput {
  const text = (value: number | null | undefined) => (value == null ? "" : String(value));
  return { calls: text(budget?.calls), per: budget?.per ?? "minute", at_once: text(budget?.at_once) };
}

const numberOf = (text: string) => (text.trim() === "" ? null : Number(text.trim()));

/** What to send; null where nothing is limited. A number that is none is sent as it is, and refused there. */
export function budgetToSend(input: BudgetInput): { calls: number | string | null; per: Period; at_once: number | string | null } | null {
  const [calls, at_once] = [input.calls, input.at_once].map((text) => {
    const value = numberOf(text);
    return value !== null && Number.isNaN(value) ? text : value;
  }) as [number | string | null, number | string | null];
  return calls === null && at_once === null ? null : { calls, per: input.per, at_once };
}

/** How many calls the other system takes, for all workflows together. */
export function BudgetFields(props: { value: BudgetInput; errorOf: (field: string) => string | undefined; onChange: (value: BudgetInput) => void }) {
  const { t } = useTranslation(["connections", "common"]);
  const { value, errorOf, onChange } = props;
  const change = (part: Partial<BudgetInput>) => onChange({ ...value, ...part });
  return (
    <details className={ui.details} open={Boolean(value.calls || value.at_once) || undefined}>
      <summary>{t("budget.title")}</summary>
      <div className={css.budgetFields}>
        <p>{t("budget.help")}</p>
        <div className={css.pair}>
          <TextField
            label={t("budget.calls")}
            name="budget.calls"
            inputMode="numeric"
            autoComplete="off"
            placeholder={t("budget.any")}
            value={value.calls}
            error={errorOf("budget.calls")}
            onChange={(event) => change({ calls: event.currentTarget.value })}
          />
          <SelectField
            label={t("budget.per")}
            name="budget.per"
            value={value.per}
            options={(Object.keys(PERIODS) as Period[]).map((period) => ({ value: period, label: t(`budget.period.${period}`) }))}
            onChange={(per) => change({ per: per as Period })}
          />
        </div>
        <TextField
          label={t("budget.atOnce")}
          name="budget.at_once"
          inputMode="numeric"
          autoComplete="off"
          placeholder={t("budget.any")}
          value={value.at_once}
          error={errorOf("budget.at_once")}
          onChange={(event) => change({ at_once: event.currentTarget.value })}
        />
      </div>
    </details>
  );
}
