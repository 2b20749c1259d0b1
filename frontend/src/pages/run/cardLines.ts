/** The second line of a card in a run: the value that decided, who answered, what came of a call. */
import type { TFunction } from "i18next";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Card, useCards } from "../../api/cards";
import type { GraphDocument, GraphNode, Run, RunStep, StepSpec } from "../../api/types";
import type { CardLine } from "../../canvas";
import { doneNote } from "../../graph/ports";
import { useRun } from "../../live";
import { type Formatter, useFormatter } from "../../ui";

/** A live run has something new many times a second; its cards are asked for once in this time. */
const EVERY_MS = 1_000;
const DOTS = "••••";

interface Of {
  node: GraphNode;
  spec: StepSpec | undefined;
  step: RunStep;
}

/** One line; null where there is nothing to say but what the step says of itself. `t`: of the runs. */
export function lineOf(card: Card, { node, spec, step }: Of, t: TFunction<"runs">, format: Formatter): string | null {
  switch (card.kind) {
    case "value": {
      const way = doneNote(spec, node, step);
      const value = card.hidden ? DOTS : valueOf(card, format);
      return value && way ? t("card.way", { value, way }) : null;
    }
    case "people": {
      if (!card.by) return null;
      const known = card.outcome === "approved" || card.outcome === "rejected" || card.outcome === "out" ? card.outcome : null;
      const said = card.called ? t("card.calledBy", { called: card.called, by: card.by }) : t(known ? `card.by.${known}` : "card.by.out", { by: card.by });
      return card.took_ms === null ? said : `${said} · ${format.duration(card.took_ms)}`;
    }
    case "http":
      return [String(card.status), card.identity, card.identity === null && card.took_ms !== null ? format.duration(card.took_ms) : null].filter(Boolean).join(" · ");
    case "mail":
      return card.count === null ? null : t("card.mail", { count: card.count, number: format.number(card.count) });
  }
}

function valueOf(card: Card, format: Formatter): string | null {
  if (card.value === null || !card.number) return card.value && card.currency && /^-?\d+(\.\d+)?$/.test(card.value) ? money(card.value, card.currency, format) : card.value;
  return card.currency ? money(card.value, card.currency, format) : format.digits(card.value);
}

function money(value: string, currency: string, format: Formatter): string {
  try {
    return format.amount(Number(value), currency);
  } catch {
    return `${format.digits(value)} ${currency}`;
  }
}

/** By step, what its card says once it is done. */
export function useCardLines(run: Run | null, graph: GraphDocument | null, specs: Readonly<Record<string, StepSpec>>): Readonly<Record<string, CardLine>> {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const seq = useNowAndThen(run?.seq ?? 0);
  const cards = useCards(run?.data_removed_at ? undefined : run?.id, seq).data;
  const steps = useRun((state) => state.steps);
  return useMemo(() => {
    const nodes = new Map(graph?.nodes.map((node) => [node.id, node]));
    const found: Record<string, CardLine> = {};
    for (const card of cards ?? []) {
      const node = nodes.get(card.node);
      const step = steps[card.node];
      if (!node || !step || step.generation !== card.generation) continue;
      const text = lineOf(card, { node, spec: specs[node.type], step }, t, format);
      if (text) found[card.node] = { text, generation: card.generation };
    }
    return found;
  }, [cards, graph, specs, steps, t, format]);
}

/** What this is, at most once a second: the timer of a change stands, however many follow. */
export function useNowAndThen(value: number): number {
  const [seen, setSeen] = useState(value);
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  const behind = seen !== value;
  useEffect(() => {
    if (!behind) return;
    const timer = setTimeout(() => setSeen(latest.current), EVERY_MS);
    return () => clearTimeout(timer);
  }, [behind, seen]);
  return seen;
}
