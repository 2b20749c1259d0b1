import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useSinceGood } from "../../api/lookingBack";
import { useNodeTypes } from "../../api/queries";
import type { Run } from "../../api/types";
import { useRun } from "../../live";
import { buttonClass, EmptyState, ErrorCard, SkeletonRows, useFormatter } from "../../ui";
import { runTitle } from "../runs/words";
import { DifferingSteps, FirstDifference, Surroundings } from "./Changes";
import css from "./changes.module.css";

/** What is not as it was when it last worked: version, connections, start data and steps on one list. */
export default function SinceGood({ run, onSelect }: { run: Run; onSelect: (node: string) => void }) {
  const { t } = useTranslation("lookback");
  const format = useFormatter();
  const specs = useNodeTypes().data ?? {};
  const graph = useRun((state) => state.graph);
  const list = useSinceGood(run.id, run.seq);
  const nodes = useMemo(() => new Map(graph?.nodes.map((node) => [node.id, node])), [graph]);
  if (list.isPending) return <SkeletonRows rows={4} height={30} label={t("loading")} />;
  if (list.isError) return <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />;
  const found = list.data.found;
  if (!found) return <EmptyState plain title={t("noGood")} text={t("noGoodText")} />;
  const words = { nodes, specs };
  const a = t("this");
  const b = t("good");
  return (
    <div className={css.changes} tabIndex={0} role="group" aria-label={t("tab")} data-testid="since-good">
      <p className={css.against}>
        {t("against")}{" "}
        <Link to="/runs/$runId" params={{ runId: found.there.id }}>
          {runTitle(found.there)}
        </Link>{" "}
        · {format.dayClock(found.there.accepted_at)}{" "}
        <Link to="/runs/$runId/compare/$otherId" params={{ runId: run.id, otherId: found.there.id }} className={buttonClass("quiet", "sm")}>
          {t("onCanvas")}
        </Link>
      </p>
      <FirstDifference found={found} words={words} a={a} b={b} onSelect={onSelect} />
      <div className={css.columns}>
        <section>
          <h3>{t("stepsTitle")}</h3>
          <DifferingSteps found={found} words={words} a={a} b={b} onSelect={onSelect} />
        </section>
        <div>
          <Surroundings found={found} here={t("this")} there={t("good")} />
        </div>
      </div>
    </div>
  );
}
