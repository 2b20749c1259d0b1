import { useEffect, useMemo } from "react";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useItems } from "../../../api/items";
import type { GraphNode, RunItem, StepItems } from "../../../api/types";
import { useRunStep } from "../../../live";
import { cx, statusColour } from "../../../ui";
import { cellsOf, firstToOpen, MOST_CELLS, segmentsOf } from "./cells";
import css from "./items.module.css";
import { useOpened, useOwner } from "./opened";
import { itemsAsOf } from "../film";
import { useMoment } from "../Moment";
import { unitOf } from "./shown";

const NONE: readonly RunItem[] = [];

/** In the head of a container on the canvas of a run: its items. A click opens one. */
export function ItemCells({ node }: { node: GraphNode }) {
  const step = useRunStep(node.id);
  const owner = useOwner(node.parent);
  if (!step?.items || owner === null) return null;
  return <Cells key={owner} node={node} owner={owner} items={step.items} />;
}

function Cells({ node, owner, items }: { node: GraphNode; owner: string; items: StepItems }) {
  const { t } = useTranslation(["items", "common"]);
  const { items: opened, open } = useOpened();
  const heard = heardOf(items);
  const found = useItems(owner, node.id, "all", heard);
  const failed = useItems(owner, node.id, "failed", heard, items.failed > 0);
  const { at } = useMoment();
  const all = found.data?.pages[0]?.items ?? NONE;
  const known = useMemo(() => (at === null ? all : itemsAsOf(all, at)), [all, at]);
  const cells = useMemo(() => cellsOf(items, known), [items, known]);
  const now = opened[node.id];
  const first = failed.data?.pages[0]?.items[0] ?? firstToOpen(all);
  useEffect(() => {
    // Nobody has chosen: what failed is what people come for.
    if (first && (!now || (now.auto && now.run !== first.run_id))) open(node.id, first, true);
  }, [now, first, node.id, open]);
  if (!cells) return <Bar node={node} items={items} now={now?.index} />;
  return (
    <div className={css.cells} role="group" aria-label={t("cells", { name: node.name, context: unitOf(node) })}>
      {cells.map(({ index, kind, item }) => (
        <button
          key={index}
          type="button"
          tabIndex={-1}
          className={cx(css.cell, now?.index === index && css.cellOn)}
          data-kind={kind}
          data-testid={`cell-${node.key}-${index + 1}`}
          aria-pressed={now?.index === index}
          disabled={!item}
          title={[t("item", { number: index + 1, context: unitOf(node) }), item?.label, t(`common:status.${kind}`)].filter(Boolean).join(" · ")}
          aria-label={[t("item", { number: index + 1, context: unitOf(node) }), item?.label, t(`common:status.${kind}`)].filter(Boolean).join(", ")}
          onClick={(event) => {
            event.stopPropagation();
            if (item) open(node.id, item);
          }}
        >
          {cells.length <= 12 ? index + 1 : ""}
        </button>
      ))}
    </div>
  );
}

/** What has the items read again: any change of few, and of many only that there is one, and that one has failed. */
function heardOf(items: StepItems): StepItems {
  if ((items.total ?? items.started) <= MOST_CELLS) return items;
  return { ...items, total: 0, started: Math.min(1, items.started), done: 0, failed: Math.min(1, items.failed), running: 0, waiting: 0, failed_inside: 0, failed_calls: 0, solved: 0, left_out: Math.min(1, items.left_out) };
}

/** Too many for cells: how many stand how. A part leads to the list of those. */
function Bar({ node, items, now }: { node: GraphNode; items: StepItems; now: number | undefined }) {
  const { t } = useTranslation(["items", "common"]);
  const navigate = useNavigate({ from: "/runs/$runId" });
  return (
    <div className={css.bar}>
      {now !== undefined && <small className="tn">{t("itemOf", { number: now + 1, total: items.total ?? items.started })}</small>}
      <div className={css.segments} role="group" aria-label={t("cells", { name: node.name, context: unitOf(node) })}>
        {segmentsOf(items).map(({ kind, count, share }) => (
          <button
            key={kind}
            type="button"
            tabIndex={-1}
            data-kind={kind}
            style={{ flexGrow: share, background: kind === "not_started" ? "var(--idleSoft)" : statusColour(kind) }}
            title={`${count} ${t(`common:status.${kind}`)}`}
            aria-label={`${count} ${t(`common:status.${kind}`)}`}
            onClick={(event) => {
              event.stopPropagation();
              void navigate({ search: (before) => ({ ...before, step: node.id, tab: "items" }), replace: true });
            }}
          />
        ))}
      </div>
    </div>
  );
}
