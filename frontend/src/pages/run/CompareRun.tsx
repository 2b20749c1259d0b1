import { Link } from "@tanstack/react-router";
import { GitCompareArrows } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSinceGood } from "../../api/lookingBack";
import { useRuns } from "../../api/queries";
import type { Run } from "../../api/types";
import { Button, Dialog, EmptyState, ErrorCard, runStatusKind, SearchBox, SkeletonRows, StatusIcon, Time } from "../../ui";
import { runStatusName, runTitle } from "../runs/words";
import css from "./changes.module.css";

/** Chooses the run that this one is laid beside. */
export function CompareRun({ run }: { run: Run }) {
  const { t } = useTranslation("lookback");
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button icon={<GitCompareArrows size={15} aria-hidden />} onClick={() => setOpened(true)} data-testid="compare-button">
        {t("compare")}
      </Button>
      {opened && <Choice run={run} onClose={() => setOpened(false)} />}
    </>
  );
}

function Choice({ run, onClose }: { run: Run; onClose: () => void }) {
  const { t } = useTranslation(["lookback", "runs", "common"]);
  const [text, setText] = useState("");
  const good = useSinceGood(run.id, run.seq).data?.found?.there;
  const list = useRuns({ workflow: run.workflow.id, ...(text.trim() ? { q: text.trim() } : {}) }, 20);
  const others = (list.data?.pages[0]?.items ?? []).filter((one) => one.id !== run.id && one.id !== good?.id);
  const line = (one: Run, note?: string) => (
    <li key={one.id}>
      <Link to="/runs/$runId/compare/$otherId" params={{ runId: run.id, otherId: one.id }} onClick={onClose}>
        <StatusIcon kind={runStatusKind(one)} size={16} decorative />
        <span>
          <b>{runTitle(one)}</b>
          <small>
            {note ?? runStatusName(one, t)} · <Time at={one.accepted_at} />
          </small>
        </span>
      </Link>
    </li>
  );
  return (
    <Dialog opened onClose={onClose} title={t("choose.title", { name: runTitle(run) })} size={520}>
      <SearchBox value={text} onChange={setText} label={t("choose.search")} placeholder={t("choose.search")} first />
      {list.isPending && <SkeletonRows rows={4} height={40} label={t("loading")} />}
      {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      <ul className={css.choice} aria-label={t("choose.list")}>
        {good && text.trim() === "" && line(good, t("choose.good"))}
        {others.map((one) => line(one))}
      </ul>
      {list.isSuccess && others.length === 0 && !(good && text.trim() === "") && <EmptyState plain title={t("choose.none")} text={t("choose.noneText")} />}
    </Dialog>
  );
}
