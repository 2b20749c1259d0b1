import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { usePlanItems } from "../../api/items";
import type { ItemFate, PlanItem, PlanItems as Counts } from "../../api/types";
import { failureTitle } from "../../i18n/server";
import { Button, CheckboxField, ErrorCard, runStatusKind, SkeletonRows, StatusIcon, useFormatter } from "../../ui";
import { countedAs } from "./items/shown";
import { countsText, ITEM_FATES } from "./retry";
import css from "./retry.module.css";

interface PlanItemsProps {
  run: string;
  node: string;
  type: string;
  /** The plan that the list belongs to, and what it was asked for. */
  plan: string;
  start: readonly string[];
  version: number | null;
  items: Counts;
  /** Whether those may go on that would do something a second time. */
  may: boolean;
  onMay: (may: boolean) => void;
}

/** Of a step that has others done by runs: how many are kept, go on, or wait for somebody; and which these are. */
export function PlanItems({ items, may, onMay, ...which }: PlanItemsProps) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const [shown, setShown] = useState<ItemFate | null>(null);
  const id = useId();
  const context = countedAs(which.type);
  const parts = ITEM_FATES.filter((fate) => items[fate] > 0);
  return (
    <div className={css.items} data-testid={`plan-items-${which.node}`}>
      <p>{countsText(items, which.type, t, (count) => format.number(count))}</p>
      {items.asks > 0 && <p>{t("retry.items.asksText", { context })}</p>}
      {!items.same && items.total > 0 && <p>{t("retry.items.otherwise", { context })}</p>}
      {items.version !== null && <p>{t("retry.items.version", { version: items.version })}</p>}
      {items.repeats > 0 && <CheckboxField label={t("retry.items.mayRepeat", { count: items.repeats, number: format.number(items.repeats), context })} checked={may} onChange={onMay} />}
      {parts.length > 0 && (
        <div className={css.itemButtons}>
          {parts.map((fate) => {
            const open = shown === fate;
            const Arrow = open ? ChevronDown : ChevronRight;
            return (
              <Button
                key={fate}
                size="sm"
                variant="quiet"
                aria-expanded={open}
                aria-controls={open ? id : undefined}
                icon={<Arrow size={14} aria-hidden />}
                onClick={() => setShown(open ? null : fate)}
              >
                {t(`retry.items.show.${fate}`, { count: items[fate], context })}
              </Button>
            );
          })}
        </div>
      )}
      {shown && <List id={id} fate={shown} {...which} />}
    </div>
  );
}

function List({ id, fate, run, node, type, plan, start, version }: Omit<PlanItemsProps, "items" | "may" | "onMay"> & { id: string; fate: ItemFate }) {
  const { t } = useTranslation(["runs", "items"]);
  const found = usePlanItems(run, node, plan, { start, version, fate });
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div id={id}>
      {found.isPending && <SkeletonRows rows={3} height={30} label={t("items:loading")} />}
      {found.isError && <ErrorCard title={t("items:failedToLoad")} error={found.error} onRetry={() => void found.refetch()} />}
      <ol className={css.itemList} aria-label={t(`retry.items.show.${fate}`, { count: 2, context: countedAs(type) })}>
        {rows.map((item) => (
          <li key={item.run_id}>
            <Item item={item} type={type} />
          </li>
        ))}
      </ol>
      {found.hasNextPage && (
        <Button size="sm" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("items:more")}
        </Button>
      )}
    </div>
  );
}

function Item({ item, type }: { item: PlanItem; type: string }) {
  const { t } = useTranslation(["items", "common"]);
  const kind = runStatusKind({ ...item, outcome: null });
  const number = t("item", { number: item.index + 1, context: countedAs(type) });
  return (
    <Link to="/runs/$runId" params={{ runId: item.run_id }}>
      <StatusIcon kind={kind} size={16} />
      <span>
        <b>{item.label ? `${item.index + 1} · ${item.label}` : number}</b>
        <small>{(item.error && failureTitle(item.error)) ?? t(`common:status.${kind}`)}</small>
      </span>
    </Link>
  );
}
