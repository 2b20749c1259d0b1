import { CircleCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { CountAndSum } from "../../api/batches";
import { GROUPS, type Reconciliation, type ReconciledTotal } from "../../api/reconciliations";
import { cx, numClass, tableBoxClass, tableClass, useFormatter } from "../../ui";
import { Amount } from "../batch/TotalsTab";
import { isZero } from "./groups";
import css from "./reconciliation.module.css";

/** Of each currency: what each list comes to, of which groups that is the sum, and what the difference is. */
export function Totals({ found }: { found: Reconciliation }) {
  return (
    <div className={css.totals}>
      {found.totals.map((total) => (
        <Total key={total.currency} total={total} found={found} />
      ))}
    </div>
  );
}

function Total({ total, found }: { total: ReconciledTotal; found: Reconciliation }) {
  const { t } = useTranslation("reconciliation");
  const name = total.currency || t("totals.noCurrency");
  const agrees = isZero(total.difference);
  return (
    <section className={css.total} aria-label={name} data-testid={`total-${total.currency || "none"}`}>
      <header>
        <h2>{name}</h2>
        <span className={agrees ? css.right : css.wrong}>
          {agrees ? <CircleCheck size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          {agrees ? t("totals.agree") : t("totals.differ")} {!agrees && <b className="tn"><Amount amount={total.difference} /></b>}
        </span>
      </header>
      <div className={tableBoxClass} tabIndex={0} role="group" aria-label={t("totals.table", { currency: name })}>
        <table className={cx(tableClass, css.sums)}>
          <thead>
            <tr>
              <th scope="col">{t("totals.group")}</th>
              <th scope="col" className={numClass}>{found.a_name}</th>
              <th scope="col" className={numClass}>{found.b_name}</th>
            </tr>
          </thead>
          <tbody>
            {GROUPS.map((group) => (
              <tr key={group}>
                <th scope="row">{t(`group.${group}`, { a: found.a_name, b: found.b_name })}</th>
                <Cell sum={total[group].a} />
                <Cell sum={total[group].b} />
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("totals.all")}</th>
              <Cell sum={total.a} />
              <Cell sum={total.b} />
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function Cell({ sum }: { sum: CountAndSum }) {
  const format = useFormatter();
  if (sum.count === 0) return <td className={cx(numClass, css.nothing)}>–</td>;
  return (
    <td className={cx(numClass, "tn")}>
      <Amount amount={sum.amount} /> <small>{format.number(sum.count)}×</small>
    </td>
  );
}
