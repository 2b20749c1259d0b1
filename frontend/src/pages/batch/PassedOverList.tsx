import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { type Batch, usePassedOver } from "../../api/batches";
import { Button, cx, ErrorCard, SkeletonRows, tableBoxClass, tableClass, useFormatter } from "../../ui";
import css from "./batch.module.css";

/** Entries that began no run: they came twice, or an earlier run had done them. */
export function PassedOverList({ batch }: { batch: Batch }) {
  const { t } = useTranslation(["batches", "items"]);
  const format = useFormatter();
  const found = usePassedOver(batch.run_id, batch.node, batch.skipped);
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {found.isPending && <SkeletonRows rows={6} height={34} label={t("loading")} />}
      {found.isError && <ErrorCard title={t("items:failedToLoad")} error={found.error} onRetry={() => void found.refetch()} />}
      {rows.length > 0 && (
        <div className={cx(tableBoxClass, css.wide)}>
          <table className={tableClass} aria-label={t("passedOver.filter")}>
            <thead>
              <tr>
                <th scope="col">{t("passedOver.place")}</th>
                <th scope="col">{t("passedOver.key")}</th>
                <th scope="col">{t("passedOver.why")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((one) => (
                <tr key={one.number} data-testid={`passed-over-${one.number}`}>
                  <td>{one.place}</td>
                  <td>{one.key}</td>
                  <td>
                    {one.done_by && one.done_at ? (
                      <Link to="/runs/$runId" params={{ runId: one.done_by }}>
                        {t("passedOver.before", { time: format.dayClock(one.done_at) })}
                      </Link>
                    ) : (
                      t("passedOver.twice")
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.hasNextPage && (
        <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </>
  );
}
