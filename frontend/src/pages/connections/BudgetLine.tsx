import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Connection, ConnectionBudget } from "../../api/types";
import { Button, showToast, useErrorText, useFormatter } from "../../ui";
import { limitWords, PERIODS } from "../../ui/limitWords";
import css from "./connections.module.css";

/** How much of what a connection takes is used now, who waits, and a pause that the other system has asked for. */
export function BudgetLine({ connection, budget }: { connection: Connection; budget: ConnectionBudget }) {
  const { t } = useTranslation(["connections", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const errorText = useErrorText();
  const number = (value: number) => format.number(value);
  const goOn = useMutation({
    mutationFn: () => api.post<Connection>(`${workspacePath(workspace)}/connections/${connection.id}/go-on`),
    onError: (error) => showToast({ tone: "err", title: errorText(error).title }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "connections"] }),
  });
  const used =
    budget.calls === null
      ? t("budget.underWay", { used: number(budget.under_way), most: number(budget.at_once ?? 0) })
      : t(`budget.used.${budget.per}`, { used: number(budget.used), most: number(budget.calls) });
  const says = limitWords({ ...budget, period_ms: PERIODS[budget.per] }, t, number);
  return (
    <div className={css.budget} data-testid="budget">
      <span title={says}>{used}</span>
      {budget.waiting > 0 && <span>{t("budget.waiting", { count: budget.waiting, number: number(budget.waiting) })}</span>}
      {budget.paused_until && (
        <span data-tone="wait">
          {t("budget.paused", { time: format.clockOf(budget.paused_until, Date.now()), status: budget.paused_status ?? 429 })}
        </span>
      )}
      {budget.paused_until && connection.mine && (
        <Button size="sm" busy={goOn.isPending} onClick={() => goOn.mutate()}>
          {t("budget.goOn")}
        </Button>
      )}
      {budget.calls !== null && (
        <span
          className={css.meter}
          role="meter"
          aria-label={used}
          aria-valuemin={0}
          aria-valuemax={budget.calls}
          aria-valuenow={Math.min(budget.used, budget.calls)}
        >
          <span style={{ inlineSize: `${Math.min(100, (budget.used / budget.calls) * 100)}%` }} />
        </span>
      )}
    </div>
  );
}
