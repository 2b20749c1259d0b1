import { ChevronDown, ChevronRight } from "lucide-react";
import { Fragment, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Group, type Outcome, type Reconciliation, useOutcomes } from "../../api/reconciliations";
import { Button, cx, EmptyState, ErrorCard, numClass, SearchBox, SkeletonRows, tableBoxClass, tableClass, useFormatter } from "../../ui";
import { Amount } from "../batch/TotalsTab";
import { DataView } from "../run/DataView";
import { isZero } from "./groups";
import css from "./reconciliation.module.css";

/** What is in one group, a page at a time, found by whatever stands in it. */
export function Outcomes({ found, group }: { found: Reconciliation; group: Group }) {
  const { t } = useTranslation(["reconciliation", "common"]);
  const format = useFormatter();
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const read = useOutcomes(found.run_id, found.node, group, search);
  const rows = read.data?.pages.flatMap((page) => page.items) ?? [];
  const names = { a: found.a_name, b: found.b_name };
  const both = group === "matched" || group === "differing";
  const toggle = (at: number) =>
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(at)) next.add(at);
      return next;
    });
  return (
    <div className={css.stack}>
      <div className={css.tools}>
        <p>{t(`lead.${group}`, { ...names, within: format.number(found.within), count: found.within })}</p>
        <SearchBox value={typed} onChange={setTyped} label={t("search")} className={css.search} />
      </div>
      {read.isPending && <SkeletonRows rows={6} height={40} label={t("loading")} />}
      {read.isError && <ErrorCard title={t("loadFailed")} error={read.error} onRetry={() => void read.refetch()} />}
      {read.data && rows.length === 0 && <EmptyState plain title={search ? t("notFound", { search }) : t("none")} />}
      {rows.length > 0 && (
        <div className={tableBoxClass}>
          <table className={cx(tableClass, css.rows)} aria-label={t(`group.${group}`, names)}>
            <thead>
              <tr>
                <th scope="col">{t("column.key")}</th>
                <th scope="col">{t("column.why")}</th>
                {(both || group !== "only_b") && <th scope="col" className={numClass}>{found.a_name}</th>}
                {(both || group !== "only_a") && <th scope="col" className={numClass}>{found.b_name}</th>}
                {both && <th scope="col" className={numClass}>{t("column.difference")}</th>}
                <th scope="col">{t("column.currency")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((one) => (
                <Fragment key={one.at}>
                  <tr data-testid="outcome">
                    <td>
                      <button type="button" className={css.opener} aria-expanded={open.has(one.at)} onClick={() => toggle(one.at)}>
                        {open.has(one.at) ? <ChevronDown size={15} aria-hidden /> : <ChevronRight size={15} aria-hidden />}
                        {one.key || t("noKey")}
                      </button>
                    </td>
                    <td className={css.why}>{t(`why.${one.why || "equal"}`, { missing: one.missing.join(", "), days: one.days ?? 0, count: one.days ?? 0 })}</td>
                    {(both || group !== "only_b") && <Money amount={one.a_amount} />}
                    {(both || group !== "only_a") && <Money amount={one.b_amount} />}
                    {both && <Money amount={one.difference} red={one.difference !== null && !isZero(one.difference)} />}
                    <td>{one.currency || "–"}</td>
                  </tr>
                  {open.has(one.at) && (
                    <tr className={css.whole}>
                      <td colSpan={both ? 6 : group === "twice" ? 5 : 4}>
                        <Whole outcome={one} names={names} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {read.hasNextPage && (
        <Button size="sm" busy={read.isFetchingNextPage} onClick={() => void read.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </div>
  );
}

function Money({ amount, red }: { amount: string | null; red?: boolean }) {
  return <td className={cx(numClass, "tn", red && css.red)}>{amount === null ? "–" : <Amount amount={amount} />}</td>;
}

/** All that stands in the rows, beside each other. */
function Whole({ outcome, names }: { outcome: Outcome; names: { a: string; b: string } }) {
  const { t } = useTranslation("reconciliation");
  return (
    <div className={css.sides}>
      {(["a", "b"] as const).map((side) => (
        <section key={side} aria-label={names[side]}>
          <h3>{names[side]}</h3>
          {outcome[side].length === 0 && <p className={css.nothing}>{t("nothingThere")}</p>}
          {outcome[side].map((row, at) => (
            <div key={at} className={css.row}>
              <small>{outcome[`${side}_places`][at]}</small>
              <DataView value={row} empty="" />
            </div>
          ))}
        </section>
      ))}
    </div>
  );
}
