import { Popover } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useRetries } from "../../api/queries";
import type { Retried, Run } from "../../api/types";
import { useRun } from "../../live";
import { ErrorCard, SkeletonRows, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import { startedBy } from "../runs/words";
import css from "./retry.module.css";
import { goOf, timesOf } from "./undo";

/** Which run this one was started anew from, and how often, by whom and when it was gone on with. */
export function RetriedFacts({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const [opened, setOpened] = useState(false);
  const retries = useRetries(run);
  const { retried, undone } = timesOf(retries.data ?? []);
  const times = [
    ...(retried > 0 ? [t("retry.times", { count: retried })] : []),
    ...(undone > 0 ? [t("undo.times", { count: undone })] : []),
  ];
  return (
    <>
      {run.replay_of !== null && (
        <span>
          {t("retry.from")}{" "}
          <Link to="/runs/$runId" params={{ runId: run.replay_of }} className={ui.link}>
            {/* Runs are called by the end of their id. */}
            {run.replay_of.slice(-8)}
          </Link>
        </span>
      )}
      {run.generation > 1 && !retries.isPending && (
        <Popover opened={opened} onChange={setOpened} position="bottom-start" shadow="lg" width={320} radius={10} withinPortal trapFocus returnFocus>
          <Popover.Target>
            <button type="button" className={ui.link} aria-expanded={opened} onClick={() => setOpened(!opened)}>
              {times.join(" · ") || t("retry.list")}
              <ChevronDown size={14} aria-hidden />
            </button>
          </Popover.Target>
          <Popover.Dropdown className={css.retries}>
            <RetryLines run={run} />
          </Popover.Dropdown>
        </Popover>
      )}
    </>
  );
}

function RetryLines({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const retries = useRetries(run);
  if (retries.isPending) return <SkeletonRows rows={2} label={t("retry.listLoading")} />;
  if (retries.isError) {
    return <ErrorCard title={t("retry.listFailed")} error={retries.error} onRetry={() => void retries.refetch()} />;
  }
  return (
    <ol aria-label={t("retry.list")} tabIndex={0}>
      {[...retries.data].reverse().map((retry) => (
        <RetryLine key={retry.generation} retry={retry} go={goOf(retries.data, retry.generation).number} />
      ))}
    </ol>
  );
}

function RetryLine({ retry, go }: { retry: Retried; go: number }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const nodes = useRun((state) => state.graph?.nodes);
  const names = (ids: readonly string[]) => ids.map((id) => nodes?.find((node) => node.id === id)?.name ?? id).join(", ");
  const edited = Object.keys(retry.edits);
  const decided = Object.keys(retry.decisions);
  const by = startedBy(retry.by || t("retry.someone"), t);
  const again = retry.plan.filter((line) => line["fate"] === "again" || line["fate"] === "repeats").length;
  return (
    <li>
      <b>{retry.kind === "undo" ? t("undo.go", { number: go }) : t("retry.go", { number: go })}</b>
      <span>{t(retry.kind === "undo" ? "undo.undoneByAt" : "retry.byAt", { by, time: format.exact(retry.at) })}</span>
      {retry.kind === "undo" && <span>{t("undo.because", { reason: retry.reason ?? "" })}</span>}
      {retry.kind === "retry" && again > 0 && <span>{t("retry.again", { count: again })}</span>}
      {retry.version_after !== retry.version_before && (
        <span>{t("retry.newVersion", { before: retry.version_before, after: retry.version_after })}</span>
      )}
      {edited.length > 0 && <span>{t("retry.edited", { names: names(edited) })}</span>}
      {decided.length > 0 && <span>{t("retry.decided", { names: names(decided) })}</span>}
    </li>
  );
}
