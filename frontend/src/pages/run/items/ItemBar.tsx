import { Link } from "@tanstack/react-router";
import { ArrowRight, ExternalLink } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useItems } from "../../../api/items";
import type { RunStep } from "../../../api/types";
import { failureTitle } from "../../../i18n/server";
import { useRun } from "../../../live";
import { runStatusKind, StatusIcon } from "../../../ui";
import css from "./items.module.css";
import { useOpened } from "./opened";

/** Above the panel of a step that stands in a container: in which item, and the way to its run. */
export function ItemBar({ container }: { container: string }) {
  const { t } = useTranslation(["items", "common"]);
  const { items } = useOpened();
  const run = useRun((state) => state.run);
  const item = items[container];
  if (!item) return <p className={css.none}>{t("chooseItem")}</p>;
  const number = t("item", { number: item.index + 1, context: item.unit });
  return (
    <div className={css.itemBar}>
      {run?.id === item.run && <StatusIcon kind={runStatusKind(run)} size={16} />}
      <span>{item.label ? `${number} · ${item.label}` : number}</span>
      <Link to="/runs/$runId" params={{ runId: item.run }}>
        {t("openRun")} <ArrowRight size={14} aria-hidden />
      </Link>
    </div>
  );
}

/** In the panel of a step that runs another workflow: the way to that run. */
export function CalledRun({ run, step }: { run: string; step: RunStep }) {
  const { t } = useTranslation(["items", "common"]);
  const found = useItems(run, step.node, "all", step.items);
  const called = found.data?.pages[0]?.items[0];
  if (!called) return null;
  const kind = runStatusKind(called);
  return (
    <Link className={css.called} to="/runs/$runId" params={{ runId: called.run_id }}>
      <StatusIcon kind={kind} size={17} decorative />
      <span>
        <b>{t("calledRun")}</b>
        <small>{(called.error && failureTitle(called.error)) ?? t(`common:status.${kind}`)}</small>
      </span>
      <ExternalLink size={15} aria-hidden />
    </Link>
  );
}
