import { Link } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Batch, useCorrections } from "../../api/batches";
import { useItems } from "../../api/items";
import type { ItemFilter, RunItem, StepItems } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { Button, cx, ErrorCard, FilterChip, numClass, runStatusKind, SearchBox, SkeletonRows, StatusIcon, tableBoxClass, tableClass, Time, useFormatter } from "../../ui";
import { startedBy } from "../runs/words";
import { runStatusName } from "../runs/words";
import { solvedBy } from "../run/solved";
import css from "./batch.module.css";
import { differencesOf } from "./corrections";
import { PassedOverList } from "./PassedOverList";

const FILTERS: readonly ItemFilter[] = ["all", "failed", "skipped", "open", "done"];

/** All entries, a page at a time, found by their number or by what people call them. */
export function ItemsTab({ batch }: { batch: Batch }) {
  const { t } = useTranslation(["batches", "items", "runs"]);
  const [filter, setFilter] = useState<ItemFilter>("all");
  const [passed, setPassed] = useState(false);
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div className={css.stack}>
      <div className={css.tools}>
        <div className={css.filters} role="group" aria-label={t("items:filter.label")}>
          {FILTERS.filter((one) => one !== "skipped" || batch.left_out > 0 || filter === one).map((one) => (
            <FilterChip
              key={one}
              on={filter === one && !passed}
              onClick={() => {
                setPassed(false);
                setFilter(one);
              }}
            >
              {t(`items:filter.${one}`)}
            </FilterChip>
          ))}
          {batch.skipped > 0 && (
            <FilterChip on={passed} onClick={() => setPassed(true)}>
              {t("passedOver.filter")}
            </FilterChip>
          )}
        </div>
        {!passed && <SearchBox value={typed} onChange={setTyped} label={t("items.search")} className={css.search} />}
      </div>
      {passed ? <PassedOverList batch={batch} /> : <Found batch={batch} search={search} filter={filter} />}
    </div>
  );
}

function Found({ batch, filter, search }: { batch: Batch; filter: ItemFilter; search: string }) {
  const { t } = useTranslation(["batches", "items"]);
  const counts = { ...batch, failed_inside: 0, failed_calls: 0 } as unknown as StepItems;
  const found = useItems(batch.run_id, batch.node, filter, counts, true, search);
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {found.isPending && <SkeletonRows rows={6} height={34} label={t("loading")} />}
      {found.isError && <ErrorCard title={t("items:failedToLoad")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && rows.length === 0 && <p>{search ? t("items.notFound", { search }) : t(`items:none.${filter}`)}</p>}
      {rows.length > 0 && (
        <div className={cx(tableBoxClass, css.wide)}>
          <table className={tableClass} aria-label={t("tab.items")}>
            <thead>
              <tr>
                <th scope="col">{t("failed.number")}</th>
                <th scope="col">{t("failed.name")}</th>
                <th scope="col">{t("items.status")}</th>
                <th scope="col" className={numClass}>{t("items.took")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((item) => (
                <Row key={item.run_id} item={item} node={batch.node} />
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

function Row({ item, node }: { item: RunItem; node: string }) {
  const { t } = useTranslation(["runs", "batches"]);
  const format = useFormatter();
  const [opened, setOpened] = useState(false);
  const kind = runStatusKind(item);
  const took = item.started_at && item.finished_at ? format.duration(Date.parse(item.finished_at) - Date.parse(item.started_at)) : "–";
  return (
    <>
      <tr data-testid={`entry-${item.index + 1}`}>
        <td className="tn">{item.index + 1}</td>
        <td>
          <Link to="/runs/$runId" params={{ runId: item.run_id }}>
            {item.label ?? item.index + 1}
          </Link>
        </td>
        <td>
          <span className={css.status}>
            <StatusIcon kind={kind} size={16} decorative /> {(item.error && failureTitle(item.error)) ?? (item.solved?.how === "skipped" ? `${solvedBy(item.solved, t)}: ${item.solved.reason}` : runStatusName(item, t))}
          </span>
          {item.corrected && (
            <button type="button" className={css.corrected} aria-expanded={opened} aria-label={t("batches:items.correctedOf", { number: item.index + 1 })} onClick={() => setOpened(!opened)}>
              {t("batches:items.corrected")} <ChevronDown size={14} aria-hidden />
            </button>
          )}
        </td>
        <td className={cx(numClass, "tn", css.name)}>{took}</td>
      </tr>
      {opened && (
        <tr data-testid={`corrections-${item.index + 1}`}>
          <td colSpan={4} className={css.correctionsCell}>
            <Corrections run={item.run_id} node={node} />
          </td>
        </tr>
      )}
    </>
  );
}

/** Who gave it what in place of what its list did, and when. */
function Corrections({ run, node }: { run: string; node: string }) {
  const { t } = useTranslation(["batches", "runs"]);
  const found = useCorrections(run, node);
  if (found.isPending) return <SkeletonRows rows={1} height={34} label={t("loading")} />;
  if (found.isError) return <ErrorCard title={t("items.correctionsFailed")} error={found.error} onRetry={() => void found.refetch()} />;
  return (
    <ul className={css.corrections}>
      {found.data.map((one) => (
        <li key={one.at}>
          <small>
            {startedBy(one.by || t("runs:retry.someone"), (key, values) => t(`runs:${key}`, values))} · <Time at={one.at} />
          </small>
          <dl>
            {differencesOf(one.before, one.after).map(({ name, before, after }) => (
              <div key={name}>
                <dt>{name || t("items.whole")}</dt>
                <dd>
                  <del>{before || t("items.nothing")}</del> <span aria-hidden>→</span> <ins>{after || t("items.nothing")}</ins>
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}
