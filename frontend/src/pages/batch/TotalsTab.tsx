import { CircleCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Batch, ControlTotal, CountAndSum } from "../../api/batches";
import { cx, Note, numClass, tableBoxClass, tableClass, useFormatter, useLanguage } from "../../ui";
import css from "./batch.module.css";
import { receivedOf, sameAmount } from "./numbers";

/** The accountant's check: what came in, what was done, what was posted, and whether that is what it has to be. */
export function TotalsTab({ batch }: { batch: Batch }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  const received = receivedOf(batch);
  const skips = batch.totals.some((total) => total.left_out.count > 0);
  const countsMatch = batch.expected_count === null || batch.expected_count === received;
  return (
    <div className={css.stack}>
      <p className={css.equation}>
        {t(batch.left_out > 0 ? "totals.equationSkipped" : "totals.equation", {
          received: format.number(received),
          done: format.number(batch.done + batch.solved),
          failed: format.number(batch.failed),
          skipped: format.number(batch.skipped),
          leftOut: format.number(batch.left_out),
          open: format.number(batch.running + batch.waiting + (batch.left ?? 0)),
        })}
      </p>
      {batch.expected_count !== null && (
        <p className={countsMatch ? css.right : css.wrong}>
          {countsMatch ? <CircleCheck size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          {t(countsMatch ? "totals.countMatches" : "totals.countDiffers", { expected: format.number(batch.expected_count), received: format.number(received) })}
        </p>
      )}
      {batch.totals.length === 0 ? (
        <Note tone="idle">{t(batch.has_amounts ? "totals.noneYet" : "totals.none")}</Note>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled with the keys
        <div className={cx(tableBoxClass, css.wide)} tabIndex={0} role="group" aria-label={t("tab.totals")}>
          <table className={tableClass}>
            <thead>
              <tr>
                <th scope="col">{t("totals.currency")}</th>
                <th scope="col">{t("totals.verdict")}</th>
                <th scope="col" className={numClass}>{t("totals.received")}</th>
                <th scope="col" className={numClass}>{t("totals.done")}</th>
                <th scope="col" className={numClass}>{t("totals.failed")}</th>
                {skips && <th scope="col" className={numClass}>{t("totals.leftOut")}</th>}
                <th scope="col" className={numClass}>{t("totals.open")}</th>
                <th scope="col" className={numClass}>{t("totals.posted")}</th>
                <th scope="col" className={numClass}>{t("totals.expected")}</th>
              </tr>
            </thead>
            <tbody>
              {batch.totals.map((total) => (
                <Row key={total.currency} total={total} skips={skips} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Row({ total, skips }: { total: ControlTotal; skips: boolean }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  const problems = [
    ...(total.expected !== null && !sameAmount(total.expected, total.received.amount) ? [t("totals.notExpected")] : []),
    ...(total.posted !== null && !sameAmount(total.posted.amount, total.done.amount) ? [t("totals.notPosted")] : []),
    ...(total.without > 0 ? [t("totals.without", { count: total.without, number: format.number(total.without) })] : []),
  ];
  return (
    <tr data-testid={`total-${total.currency || "none"}`}>
      <th scope="row">{total.currency || "–"}</th>
      <td>
        <span className={problems.length > 0 ? css.wrong : css.right}>
          {problems.length > 0 ? <TriangleAlert size={15} aria-hidden /> : <CircleCheck size={15} aria-hidden />}
          {problems.length > 0 ? problems.join(" ") : t("totals.right")}
        </span>
      </td>
      <Cell sum={total.received} />
      <Cell sum={total.done} />
      <Cell sum={total.failed} />
      {skips && <Cell sum={total.left_out} />}
      <Cell sum={total.open} />
      <Cell sum={total.posted} />
      <td className={cx(numClass, "tn")}>{total.expected === null ? "–" : <Amount amount={total.expected} />}</td>
    </tr>
  );
}

function Cell({ sum }: { sum: CountAndSum | null }) {
  const format = useFormatter();
  if (sum === null) return <td className={numClass}>–</td>;
  return (
    <td className={cx(numClass, "tn")}>
      <Amount amount={sum.amount} />
      <small>{format.number(sum.count)}×</small>
    </td>
  );
}

/** A decimal in this language, to the last digit: never by way of a float. */
export function Amount({ amount }: { amount: string }) {
  const language = useLanguage();
  const digits = Math.max(2, amount.split(".")[1]?.length ?? 0);
  // `format` takes a decimal text exactly; its types do not know that yet.
  return <>{new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(amount as unknown as number)}</>;
}
