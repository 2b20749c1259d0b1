import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ChevronRight, CircleCheck, Download, TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { contentUrl } from "../../api/files";
import { GROUPS, type Reconciliation, useReconciliation } from "../../api/reconciliations";
import { useWorkspace } from "../../api/session";
import { useLiveRun } from "../../live";
import { buttonClass, cx, ErrorCard, PageBody, segmentClass, segmentsClass, SkeletonRows, TopBar, useFormatter } from "../../ui";
import { runTitle } from "../runs/words";
import { firstGroup, openOf } from "./groups";
import { Outcomes } from "./Outcomes";
import css from "./reconciliation.module.css";
import { Totals } from "./Totals";

/** What a step found that reconciled two lists: whether the totals agree, and every row in its group. */
export default function ReconciliationPage() {
  const { t } = useTranslation(["reconciliation", "runs"]);
  const { runId, node } = useParams({ from: "/shell/reconciliations/$runId/$node" });
  const search = useSearch({ from: "/shell/reconciliations/$runId/$node" });
  const navigate = useNavigate({ from: "/reconciliations/$runId/$node" });
  const read = useReconciliation(runId, node);
  const workspace = useWorkspace().id;
  const { store } = useLiveRun(workspace, runId);
  const run = useStore(store, (state) => state.run);
  const format = useFormatter();
  const found = read.data;
  useEffect(() => {
    document.title = `${found?.name ?? t("title")} · Millrace`;
  }, [found?.name, t]);
  const group = search.group ?? (found ? firstGroup(found.counts) : "matched");
  return (
    <>
      <TopBar
        showWay
        crumbs={
          <>
            <Link to="/runs/$runId" params={{ runId }}>
              {run ? runTitle(run) : "…"}
            </Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={found?.name ?? t("title")}
        actions={
          found && (
            <>
              {found.csv && (
                <a className={buttonClass()} href={contentUrl(workspace, found.csv.id)} download>
                  <Download size={15} aria-hidden /> CSV
                </a>
              )}
              {found.excel && (
                <a className={buttonClass("primary")} href={contentUrl(workspace, found.excel.id)} download>
                  <Download size={15} aria-hidden /> Excel
                </a>
              )}
            </>
          )
        }
      />
      <PageBody>
        {read.isError && <ErrorCard title={t("loadFailed")} error={read.error} onRetry={() => void read.refetch()} />}
        {read.isPending && <SkeletonRows rows={6} height={40} label={t("loading")} />}
        {found && (
          <>
            <Verdict found={found} />
            <Totals found={found} />
            <div className={cx(segmentsClass, css.tabs)} role="tablist" aria-label={t("groups")}>
              {GROUPS.map((one) => (
                <button
                  key={one}
                  type="button"
                  role="tab"
                  id={`group-${one}`}
                  aria-selected={group === one}
                  aria-controls="group-rows"
                  className={segmentClass}
                  data-on={group === one || undefined}
                  onClick={() => void navigate({ search: { group: one }, replace: true })}
                >
                  {t(`group.${one}`, { a: found.a_name, b: found.b_name })} <span className="tn">{format.number(found.counts[one])}</span>
                </button>
              ))}
            </div>
            <div id="group-rows" role="tabpanel" aria-labelledby={`group-${group}`}>
              <Outcomes key={group} found={found} group={group} />
            </div>
          </>
        )}
      </PageBody>
    </>
  );
}

/** In a sentence: whether everything fits. */
function Verdict({ found }: { found: Reconciliation }) {
  const { t } = useTranslation("reconciliation");
  const format = useFormatter();
  const open = openOf(found.counts);
  return (
    <p className={cx(css.verdict, open > 0 ? css.wrong : css.right)} data-testid="verdict">
      {open > 0 ? <TriangleAlert size={18} aria-hidden /> : <CircleCheck size={18} aria-hidden />}
      <span>
        <b>{open > 0 ? t("verdict.open", { count: open, number: format.number(open) }) : t("verdict.allMatch")}</b>{" "}
        <small>
          {t("verdict.of", { a: found.a_name, aCount: format.number(found.a_count), b: found.b_name, bCount: format.number(found.b_count), matched: format.number(found.counts.matched) })}
        </small>
      </span>
    </p>
  );
}
