import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Page, Run, RunBecause, TrailEntry } from "../../api/types";
import { Button, buttonClass, ClockTime, Dialog, ErrorCard, FilterChip, SkeletonRows } from "../../ui";
import { useWaitingText } from "../runs/waiting";
import { type Group, GROUPS, groupOf, KINDS, OWNERS, pausedWords, PROGRAMS, stateWords } from "./record";
import css from "./record.module.css";

const History = lazy(() => import("../history/History"));

/** Everything that is on record of a run, page by page, and the run as a file. */
export default function RunRecord({ run, onClose }: { run: Run; onClose: () => void }) {
  const { t } = useTranslation("trail");
  const workspace = useWorkspace().id;
  const path = `${workspacePath(workspace)}/runs/${run.id}`;
  const [group, setGroup] = useState<Group | null>(null);
  const [deeds, setDeeds] = useState(false);
  const choose = (one: Group | null) => {
    setGroup(one);
    setDeeds(false);
  };
  const trail = useInfiniteQuery({
    queryKey: [workspace, "trail", run.id, run.seq],
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<TrailEntry>>(`${path}/trail`, { query: { limit: 100, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<TrailEntry>) => page.next_cursor,
  });
  const entries = (trail.data?.pages ?? []).flatMap((page) => page.items);
  const shown = entries.filter((entry) => group === null || groupOf(entry) === group);
  return (
    <Dialog
      opened
      onClose={onClose}
      size={680}
      title={t("title")}
      footer={
        <a className={buttonClass()} href={`/api/v1${path}/export`} download>
          <Download size={15} aria-hidden />
          {t("export")}
        </a>
      }
    >
      <Because path={path} run={run} />
      <div className={css.filters} role="group" aria-label={t("filter")}>
        <FilterChip on={!deeds && group === null} onClick={() => choose(null)}>
          {t("all")}
        </FilterChip>
        {GROUPS.map((one) => (
          <FilterChip key={one} on={!deeds && group === one} onClick={() => choose(one)}>
            {t(`group.${one}`)}
          </FilterChip>
        ))}
        <FilterChip on={deeds} onClick={() => setDeeds(true)}>
          {t("deeds")}
        </FilterChip>
      </div>
      {deeds ? (
        <Suspense fallback={<SkeletonRows rows={4} label={t("title")} />}>
          <History what="runs" id={run.id} />
        </Suspense>
      ) : (
        <>
      {trail.isPending && <SkeletonRows rows={5} label={t("title")} />}
      {trail.error !== null && <ErrorCard title={t("title")} error={trail.error} />}
      <ol className={css.events} aria-label={t("list")}>
        {shown.map((entry) => (
          <Line key={`${entry.seq}-${entry.token}-${entry.kind}-${entry.at}`} entry={entry} />
        ))}
      </ol>
      {trail.isSuccess && shown.length === 0 && <p>{t("none")}</p>}
      {trail.hasNextPage && (
        <Button busy={trail.isFetchingNextPage} onClick={() => void trail.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
        </>
      )}
    </Dialog>
  );
}

function Because({ path, run }: { path: string; run: Run }) {
  const { t } = useTranslation("trail");
  const words = useWaitingText();
  const workspace = useWorkspace().id;
  const found = useQuery({
    queryKey: [workspace, "because", run.id, run.seq],
    queryFn: ({ signal }) => api.get<RunBecause>(`${path}/because`, { signal }),
    enabled: run.finished_at === null,
  }).data;
  if (!found?.owner) return null;
  const owner = found.owner === "people" && found.names.length === 0 ? "everybody" : found.owner;
  return (
    <p className={css.because}>
      <b>{t("because.title")}</b> {found.kind === "held" && run.waiting ? words(run) : t(found.kind === "paused" ? pausedWords(found.names[0] ?? "") : OWNERS.has(owner) ? `because.${owner}` : "because.other", { names: found.names.join(", "), owner })}{" "}
      {found.next_at !== null && (
        <>
          {t("because.next")} <ClockTime at={found.next_at} />
        </>
      )}
    </p>
  );
}

function Line({ entry }: { entry: TrailEntry }) {
  const { t } = useTranslation("trail");
  const { by, before, status, detail } = entry;
  const who = by === null ? (entry.worker ? t("worker", { worker: entry.worker }) : t("system")) : PROGRAMS.has(by) ? t(`who.${by}`) : by || t("somebody");
  const together = detail["together"];
  const what = [
    together === "run" || together === "workflow" ? t(`together.${together}`) : null,
    typeof detail["version"] === "number" ? t("onVersion", { version: detail["version"] }) : null,
    typeof detail["reason"] === "string" ? t("reason", { reason: detail["reason"] }) : null,
    before !== null && status !== null && before !== status ? t("status", { before: stateWords(t, before), status: stateWords(t, status) }) : null,
    ...entry.steps.map((step) => t(step.tried ? "tried" : "step", { name: step.name, attempt: step.attempt, status: stateWords(t, step.status) })),
  ];
  return (
    <li>
      <span>{entry.at === null ? "" : <ClockTime at={entry.at} />}</span>
      <span>
        <b>{t(KINDS.has(entry.kind) ? `kind.${entry.kind}` : "kind.other", { what: entry.kind })}</b> · {who}
      </span>
      <small>{what.filter((one) => one !== null).join(" · ")}</small>
    </li>
  );
}
