import { Link } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useItems } from "../../../api/items";
import type { GraphNode, ItemFilter, RunItem, RunStep } from "../../../api/types";
import { Button, cx, ErrorCard, FilterChip, runStatusKind, SkeletonRows, StatusIcon, useFormatter } from "../../../ui";
import { useWaitingText } from "../../runs/waiting";
import css from "./items.module.css";
import { useOpened } from "./opened";

const FILTERS: readonly ItemFilter[] = ["all", "failed", "open", "done"];

export interface ItemsTabProps {
  node: GraphNode;
  step: RunStep;
  /** The run whose step this is. */
  run: string;
  /** Opens an item on the canvas; without one its run is opened. */
  onOpen: ((item: RunItem) => void) | undefined;
}

/** All items of a container, or those that failed, are under way, or done. */
export function ItemsTab({ node, step, run, onOpen }: ItemsTabProps) {
  const { t } = useTranslation(["items", "runs", "common"]);
  const [filter, setFilter] = useState<ItemFilter>(() => ((step.items?.failed ?? 0) > 0 ? "failed" : "all"));
  const found = useItems(run, node.id, filter, step.items);
  const { items } = step;
  if (!items) return null;
  const counts: Record<ItemFilter, number | null> = {
    all: items.total ?? items.started,
    failed: items.failed,
    open: items.running + items.waiting,
    done: items.done,
  };
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className={css.tab}>
      <div className={css.filters} role="group" aria-label={t("filter.label")}>
        {FILTERS.map((one) => (
          <FilterChip key={one} on={filter === one} onClick={() => setFilter(one)}>
            {t(`filter.${one}`)} <span className="tn">{counts[one]}</span>
          </FilterChip>
        ))}
      </div>
      {found.isPending && <SkeletonRows rows={4} height={34} label={t("loading")} />}
      {found.isError && <ErrorCard title={t("failedToLoad")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && rows.length === 0 && <p className={css.none}>{t(`none.${filter}`)}</p>}
      <ol className={css.list} aria-label={t("cells", { name: node.name })}>
        {rows.map((item) => (
          <Row key={item.run_id} node={node} item={item} onOpen={onOpen} />
        ))}
      </ol>
      {found.hasNextPage && (
        <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </div>
  );
}

function Row({ node, item, onOpen }: { node: GraphNode; item: RunItem; onOpen: ItemsTabProps["onOpen"] }) {
  const { t } = useTranslation(["items", "common"]);
  const format = useFormatter();
  const waiting = useWaitingText();
  const { items: opened } = useOpened();
  const kind = runStatusKind(item);
  const number = t("item", { number: item.index + 1 });
  const took = item.started_at && item.finished_at ? format.duration(Date.parse(item.finished_at) - Date.parse(item.started_at)) : "";
  const news = item.error?.title ?? (kind === "running" ? null : waiting({ waiting: item.waiting, current_step: null })) ?? t(`common:status.${kind}`);
  const text = (
    <>
      <StatusIcon kind={kind} size={17} />
      <span className={css.rowText}>
        <b>{item.label ? `${item.index + 1} · ${item.label}` : number}</b>
        <small>{news}</small>
      </span>
      <span className={cx(css.took, "tn")}>{took}</span>
    </>
  );
  return (
    <li className={cx(css.row, opened[node.id]?.run === item.run_id && onOpen && css.rowOn)} data-status={kind} data-testid={`item-${item.index + 1}`}>
      {onOpen ? (
        <button type="button" className={css.rowMain} aria-pressed={opened[node.id]?.run === item.run_id} onClick={() => onOpen(item)}>
          {text}
        </button>
      ) : (
        <Link className={css.rowMain} to="/runs/$runId" params={{ runId: item.run_id }}>
          {text}
        </Link>
      )}
      {onOpen && (
        <Link className={css.rowLink} to="/runs/$runId" params={{ runId: item.run_id }} aria-label={t("openRunOf", { number: item.index + 1 })} title={t("openRun")}>
          <ExternalLink size={15} aria-hidden />
        </Link>
      )}
    </li>
  );
}
