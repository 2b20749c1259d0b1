import { CircleCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { CountAndSum } from "../../api/batches";
import type { Review, ReviewTotal } from "../../api/reviews";
import { Card, cx, numClass, tableClass, useFormatter } from "../../ui";
import css from "./totals.module.css";

/** The accountant's check before anything is done: what came, what is accepted and rejected, and what it has to be. */
export function Totals({ review }: { review: Review }) {
  const { t } = useTranslation("reviews");
  const format = useFormatter();
  const { expected_count: expected, totals } = review;
  const counted = expected === null || expected === review.rows;
  if (expected === null && totals.length === 0) return null;
  const right = !review.differs;
  return (
    <Card className={css.totals} aria-label={t("totals.title")} role="region">
      <header>
        <h2>{t("totals.title")}</h2>
        {(expected !== null || totals.some((one) => one.expected !== null)) && (
          <span className={right ? css.right : css.wrong} data-testid="agrees">
            {right ? <CircleCheck size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
            {t(right ? "totals.agree" : "totals.differ")}
          </span>
        )}
      </header>
      {expected !== null && (
        <p className={counted ? css.faint : css.wrong}>
          {t(counted ? "totals.counted" : "totals.notCounted", { expected: format.number(expected), rows: format.number(review.rows) })}
        </p>
      )}
      {totals.length > 0 && (
        <div className={css.wide}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">{t("totals.currency")}</th>
                <th scope="col" className={numClass}>{t("totals.expected")}</th>
                <th scope="col" className={numClass}>{t("totals.prepared")}</th>
                <th scope="col" className={numClass}>{t("totals.now")}</th>
                <th scope="col" className={numClass}>{t("totals.rejected")}</th>
                <th scope="col" className={numClass}>{t("totals.accepted")}</th>
              </tr>
            </thead>
            <tbody>
              {totals.map((total) => (
                <Row key={total.currency} total={total} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Row({ total }: { total: ReviewTotal }) {
  const { t } = useTranslation("reviews");
  const format = useFormatter();
  return (
    <tr data-testid={`total-${total.currency || "none"}`}>
      <th scope="row">
        {total.currency || "–"}
        {total.without > 0 && <small className={css.wrong}>{t("totals.without", { count: total.without, number: format.number(total.without) })}</small>}
      </th>
      <td className={cx(numClass, "tn", !total.agrees && css.wrongCell)} data-label={t("totals.expected")}>{total.expected === null ? "–" : format.digits(total.expected, 2)}</td>
      <Sum label={t("totals.prepared")} of={total.prepared} />
      <Sum label={t("totals.now")} of={total.now} wrong={!total.agrees} />
      <Sum label={t("totals.rejected")} of={total.rejected} />
      <Sum label={t("totals.accepted")} of={total.accepted} strong />
    </tr>
  );
}

function Sum({ label, of, wrong = false, strong = false }: { label: string; of: CountAndSum; wrong?: boolean; strong?: boolean }) {
  const format = useFormatter();
  const amount = format.digits(of.amount, 2);
  return (
    <td className={cx(numClass, "tn", wrong && css.wrongCell)} data-label={label}>
      {strong ? <b>{amount}</b> : amount}
      <small>{format.number(of.count)}×</small>
    </td>
  );
}
