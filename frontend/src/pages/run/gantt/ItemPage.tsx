import { type KeyboardEvent, useEffect } from "react";
import { useTranslation } from "react-i18next";

import { PAGE, useItemPage } from "../../../api/runTimes";
import type { RunItem } from "../../../api/types";
import { runStatusKind, useFormatter } from "../../../ui";
import { unitOf } from "../items/shown";
import type { Scale } from "../timeline";
import type { Line } from "./lines";
import { TimeRow } from "./TimeRow";

type ItemLine = Extract<Line, { kind: "item" }>;

interface ItemPageProps {
  page: number;
  /** Those lines of this page that are looked at, and which row each is. */
  lines: readonly { line: ItemLine; row: number }[];
  active: string;
  /** Whether this item is the one that is opened on the canvas. */
  isChosen(line: ItemLine, item: RunItem | undefined): boolean;
  scale: Scale;
  now: number;
  onKnown(path: string, item: RunItem): void;
  onToggle(path: string): void;
  onSelect(path: string): void;
  onKeyDown(event: KeyboardEvent): void;
  onFocus(path: string): void;
}

export const pageOf = (line: ItemLine): number => Math.floor(line.index / PAGE);

const WAITS = /^(waiting|retrying|queued|parked|held|paused)/;

/** The looked-at items of one page of a container. */
export function ItemPage({ page, lines, onKnown, ...rest }: ItemPageProps) {
  const { t } = useTranslation(["items", "common"]);
  const format = useFormatter();
  const any = lines[0]?.line;
  const found = useItemPage(any?.run ?? "", any?.node.id ?? "", page, any?.items ?? null);
  const known = new Map(found.data?.items.map((item) => [item.index, item]));
  useEffect(() => {
    for (const { line } of lines) {
      const item = known.get(line.index);
      if (item) onKnown(line.path, item);
    }
  });
  return lines.map(({ line, row }) => {
    const item = known.get(line.index);
    const kind = item ? runStatusKind(item) : "not_started";
    const from = item?.started_at ? Date.parse(item.started_at) : null;
    const until = item?.finished_at ? Date.parse(item.finished_at) : null;
    const number = t("item", { number: line.index + 1, context: unitOf(line.node) });
    const words = !item ? (found.isError ? t("failedToLoad") : "…") : from === null || until === null ? t(`common:status.${kind}`) : format.duration(until - from);
    return (
      <TimeRow
        key={line.path}
        path={line.path}
        level={line.level}
        place={line.place}
        of={line.of}
        row={row}
        name={item?.label ? `${line.index + 1} · ${item.label}` : number}
        words={kind === "failed" && until !== null ? `${t("common:status.failed")} · ${words}` : words}
        muted={from === null}
        tries={1}
        bar={from === null ? null : { from, until, kind, waiting: WAITS.test(kind), shades: [] }}
        ticks={[]}
        open={line.open}
        selected={rest.isChosen(line, item)}
        focusable={line.path === rest.active}
        scale={rest.scale}
        now={until === null ? rest.now : 0}
        onToggle={rest.onToggle}
        onSelect={rest.onSelect}
        onKeyDown={rest.onKeyDown}
        onFocus={rest.onFocus}
      />
    );
  });
}
