import { Link } from "@tanstack/react-router";
import { useQueryClient } from "@tanstack/react-query";
import { ExternalLink, RotateCcw } from "lucide-react";
import type { TFunction } from "i18next";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useItems } from "../../../api/items";
import { useCan, useWorkspace } from "../../../api/session";
import type { GraphNode, ItemFilter, RunItem, RunStep, Solved } from "../../../api/types";
import { failureTitle } from "../../../i18n/server";
import { useLiveRun } from "../../../live";
import { Button, cx, ErrorCard, FilterChip, IconButton, runIsFinished, runStatusKind, SkeletonRows, StatusIcon, useFormatter } from "../../../ui";
import { useWaitingText } from "../../runs/waiting";
import { runStatusName } from "../../runs/words";
import { isRetryable } from "../retry";
import { solvedBy } from "../solved";
import css from "./items.module.css";
import { useOpened } from "./opened";
import { unitOf } from "./shown";

const ItemRetry = lazy(() => import("./ItemRetry"));

const FILTERS: readonly ItemFilter[] = ["all", "failed", "solved", "skipped", "open", "done"];
/** Shown only where there are any. */
const RARE: readonly ItemFilter[] = ["solved", "skipped"];

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
  const mayRetry = useCan("reviewer");
  const [asked, setAsked] = useState<{ item: RunItem; name: string } | null>(null);
  const [followed, setFollowed] = useState<readonly string[]>([]);
  const { reload } = useOpened();
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  // A run that has ended learns nothing of an item that goes on by itself.
  const readAgain = useCallback(() => {
    reload();
    void client.invalidateQueries({ queryKey: [workspace, "items"] });
  }, [client, reload, workspace]);
  const { items } = step;
  if (!items) return null;
  const counts: Record<ItemFilter, number | null> = {
    all: items.total ?? items.started,
    failed: items.failed,
    solved: items.solved,
    skipped: items.left_out,
    open: items.running + items.waiting,
    done: items.done,
  };
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className={css.tab}>
      <div className={css.filters} role="group" aria-label={t("filter.label", { context: unitOf(node) })}>
        {FILTERS.filter((one) => !RARE.includes(one) || counts[one] || filter === one).map((one) => (
          <FilterChip key={one} on={filter === one} onClick={() => setFilter(one)}>
            {t(`filter.${one}`)} <span className="tn">{counts[one]}</span>
          </FilterChip>
        ))}
      </div>
      {node.type.startsWith("flow.for_each@") && (
        <Link className={css.batch} to="/batches/$runId/$node" params={{ runId: run, node: node.id }}>
          {t("asBatch")}
        </Link>
      )}
      {found.isPending && <SkeletonRows rows={4} height={34} label={t("loading")} />}
      {found.isError && <ErrorCard title={t("failedToLoad")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && rows.length === 0 && <p className={css.none}>{t(`none.${filter}`, { context: unitOf(node) })}</p>}
      <ol className={css.list} aria-label={t("cells", { name: node.name, context: unitOf(node) })}>
        {rows.map((item) => (
          <Row key={item.run_id} node={node} item={item} onOpen={onOpen} onRetry={mayRetry ? (name) => setAsked({ item, name }) : undefined} />
        ))}
      </ol>
      {found.hasNextPage && (
        <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
      {asked && (
        <Suspense>
          <ItemRetry
            key={asked.item.run_id}
            item={asked.item}
            name={asked.name}
            onClose={() => setAsked(null)}
            onChanged={() => {
              setFollowed((before) => [...before.filter((one) => one !== asked.item.run_id), asked.item.run_id]);
              readAgain();
            }}
          />
        </Suspense>
      )}
      {followed.map((one) => (
        <Followed key={one} run={one} onChanged={readAgain} />
      ))}
    </div>
  );
}

/** Reads again what is shown when an item that was gone on with begins, and when it has ended. */
function Followed({ run, onChanged }: { run: string; onChanged: () => void }) {
  const { store } = useLiveRun(useWorkspace().id, run);
  useEffect(
    () =>
      store.subscribe((state, before) => {
        if (state.run && (state.run.generation !== before.run?.generation || runIsFinished(state.run) !== (before.run && runIsFinished(before.run)))) onChanged();
      }),
    [store, onChanged],
  );
  return null;
}

/** How an item that failed was settled, or that it was skipped, by whom, and why. */
function solvedText(solved: Solved, t: TFunction<"items">): string {
  return [solvedBy(solved, t), solved.reason].filter(Boolean).join(": ");
}

interface RowProps {
  node: GraphNode;
  item: RunItem;
  onOpen: ItemsTabProps["onOpen"];
  /** Asks for a retry of the item that is called so. */
  onRetry: ((name: string) => void) | undefined;
}

function Row({ node, item, onOpen, onRetry }: RowProps) {
  const { t } = useTranslation(["items", "runs", "common"]);
  const format = useFormatter();
  const waiting = useWaitingText();
  const { items: opened } = useOpened();
  const kind = runStatusKind(item);
  const number = t("item", { number: item.index + 1, context: unitOf(node) });
  const took = item.started_at && item.finished_at ? format.duration(Date.parse(item.finished_at) - Date.parse(item.started_at)) : "";
  const news = (item.solved && solvedText(item.solved, t)) ?? (item.error && failureTitle(item.error)) ?? (kind === "running" ? null : waiting({ waiting: item.waiting, current_step: null })) ?? runStatusName(item, t);
  const name = item.label ? `${item.index + 1} · ${item.label}` : String(item.index + 1);
  const text = (
    <>
      <StatusIcon kind={kind} size={17} />
      <span className={css.rowText}>
        <b>{item.label ? name : number}</b>
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
      {onRetry && isRetryable(item) && (
        <IconButton size="sm" className={css.rowRetry} label={t("retryOf", { number: item.index + 1, context: unitOf(node) })} icon={<RotateCcw size={15} aria-hidden />} onClick={() => onRetry(name)} />
      )}
      {onOpen && (
        <Link className={css.rowLink} to="/runs/$runId" params={{ runId: item.run_id }} aria-label={t("openRunOf", { number: item.index + 1, context: unitOf(node) })} title={t("openRun")}>
          <ExternalLink size={15} aria-hidden />
        </Link>
      )}
    </li>
  );
}
