import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeftRight, ChevronRight } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useRunAbove } from "../../api/items";
import { type ComparedStep, type Comparison, useComparison, useStepComparison } from "../../api/lookingBack";
import { useNodeTypes, useVersion } from "../../api/queries";
import type { GraphDocument, GraphNode, Run, RunSnapshot, StepSpec } from "../../api/types";
import { type CanvasHandle, FlowCanvas, ZoomBar } from "../../canvas";
import { createRunStore, RunStoreProvider } from "../../live";
import { buttonClass, ErrorCard, runStatusKind, segmentClass, segmentsClass, SkeletonRows, StatusIcon, stepStatusKind, Time, TopBar, useFormatter } from "../../ui";
import { DifferingSteps, Fields, FirstDifference, type StepWords, Surroundings } from "../run/Changes";
import css from "../run/changes.module.css";
import { runStatusName, runTitle } from "../runs/words";
import { both } from "./both";

type Side = "a" | "b";

/** On a card that differs: how it stands in either run, and in what else. */
function Badge({ step }: { step: ComparedStep | undefined }) {
  const { t } = useTranslation(["lookback", "common"]);
  const format = useFormatter();
  if (!step || step.differs.length === 0) return null;
  const [ours, theirs] = [stepStatusKind(step.here ?? undefined), stepStatusKind(step.there ?? undefined)];
  const times = Number(step.times ?? 1);
  const more = [
    step.times !== null && `×${format.number(times, { maximumFractionDigits: times < 1 ? 2 : 1 })}`,
    step.differs.includes("way") && t("differs.way"),
    (step.differs.includes("input") || step.differs.includes("output")) && t("values"),
  ].filter((one) => one !== false);
  return (
    <span className={css.badge} data-testid={`ab-${step.node}`}>
      A <StatusIcon kind={ours} size={13} decorative />
      <span className="srOnly">{t(`common:status.${ours}`)}</span>
      <em aria-hidden>|</em> B <StatusIcon kind={theirs} size={13} decorative />
      <span className="srOnly">{t(`common:status.${theirs}`)}</span>
      {more.length > 0 && <em>{more.join(" · ")}</em>}
    </span>
  );
}

function Picture(props: { found: Comparison; graph: GraphDocument; snapshot: RunSnapshot; specs: Record<string, StepSpec>; selected: string | null; onSelect: (node: string | null) => void }) {
  const { t } = useTranslation("lookback");
  const { found, graph, snapshot, specs, selected, onSelect } = props;
  const store = useMemo(() => {
    const made = createRunStore();
    made.load(snapshot);
    return made;
  }, [snapshot]);
  const handle = useRef<CanvasHandle>(null);
  const { workflow, version } = snapshot.run;
  const summaries = useVersion(workflow.id, version > 0 ? version : null).data?.summaries;
  useEffect(() => {
    if (selected) handle.current?.reveal(selected);
  }, [selected]);
  const steps = useMemo(() => new Map(found.steps.map((step) => [step.node, step])), [found]);
  const beside = useCallback((node: GraphNode) => <Badge step={steps.get(node.id)} />, [steps]);
  const chosen = useMemo(() => (selected ? [selected] : []), [selected]);
  return (
    <RunStoreProvider value={store}>
      <FlowCanvas mode="run" readOnly graph={graph} specs={specs} {...(summaries ? { summaries } : {})} selected={chosen} onSelect={onSelect} beside={beside} insets={INSETS} label={t("canvas")} handle={handle}>
        <ZoomBar place="top" onFit={() => handle.current?.fit()} />
      </FlowCanvas>
    </RunStoreProvider>
  );
}
const INSETS = { top: 64 };

function Named({ letter, run }: { letter: string; run: Run }) {
  const { t } = useTranslation(["runs", "common"]);
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }}>
      <span className={css.letter}>{letter}</span>
      <StatusIcon kind={runStatusKind(run)} size={16} decorative />
      <b>{runTitle(run)}</b>
      <small>
        {runStatusName(run, t)} · v{run.version} · <Time at={run.accepted_at} />
      </small>
    </Link>
  );
}

function StepFields({ found, step, onBack }: { found: Comparison; step: ComparedStep; onBack: () => void }) {
  const { t } = useTranslation("lookback");
  const list = useStepComparison(found.here.id, found.there.id, step.node);
  return (
    <section aria-label={step.name}>
      <h3>{step.name}</h3>
      {list.isPending && <SkeletonRows rows={3} height={26} label={t("loading")} />}
      {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.input.length === 0 && list.data.output.length === 0 && <p className={css.none}>{t("valuesSame")}</p>}
      {(["input", "output"] as const).map((side) => {
        const fields = list.data?.[side] ?? [];
        return (
          fields.length > 0 && (
            <div key={side}>
              <h3>{t(`differs.${side}`)}</h3>
              <Fields fields={fields} here="A" there="B" label={t(`differs.${side}`)} />
            </div>
          )
        );
      })}
      <button type="button" className={buttonClass("link", "sm")} onClick={onBack}>
        {t("allDifferences")}
      </button>
    </section>
  );
}

/** `/runs/:a/compare/:b`: two runs of one workflow on one picture. */
export default function ComparePage() {
  const { t } = useTranslation(["lookback", "common"]);
  const { runId, otherId } = useParams({ from: "/shell/runs/$runId/compare/$otherId" });
  const search = useSearch({ from: "/shell/runs/$runId/compare/$otherId" });
  const navigate = useNavigate({ from: "/runs/$runId/compare/$otherId" });
  const specs = useNodeTypes();
  const list = useComparison(runId, otherId);
  const [a, b] = [useRunAbove(runId), useRunAbove(otherId)];
  const select = useCallback(
    (node: string | null) => void navigate({ search: ({ step: _step, ...rest }) => (node ? { ...rest, step: node } : rest), replace: true }),
    [navigate],
  );
  const side: Side = search.show ?? "a";
  const show = (next: Side) => void navigate({ search: ({ show: _show, ...rest }) => (next === "a" ? rest : { ...rest, show: next }), replace: true });
  const graph = useMemo(() => (a.data && b.data ? both(a.data.graph, b.data.graph) : null), [a.data, b.data]);
  const words = useMemo<StepWords>(() => ({ nodes: new Map(graph?.nodes.map((node) => [node.id, node])), specs: specs.data ?? {} }), [graph, specs.data]);
  const found = list.data;
  useEffect(() => {
    document.title = `${found ? `${runTitle(found.here)} · ${runTitle(found.there)} · ` : ""}${t("title")} · Millrace`;
  }, [found, t]);
  const error = list.error ?? a.error ?? b.error;
  if (error) {
    return (
      <>
        <TopBar title={t("title")} />
        <div style={{ padding: 24, maxWidth: 560 }}>
          <ErrorCard title={t("loadFailed")} error={error} onRetry={() => void Promise.all([list.refetch(), a.refetch(), b.refetch()])} />
        </div>
      </>
    );
  }
  if (!found || !graph || !a.data || !b.data || specs.isPending) {
    return (
      <>
        <TopBar title={t("title")} />
        <SkeletonRows rows={8} height={40} label={t("loading")} />
      </>
    );
  }
  const chosen = found.steps.find((step) => step.node === search.step);
  return (
    <>
      <TopBar
        showWay
        crumbs={
          <>
            <Link to="/workflows/$id/runs" params={{ id: found.here.workflow.id }}>
              {found.here.workflow.name}
            </Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={t("title")}
        actions={
          <Link to="/runs/$runId/compare/$otherId" params={{ runId: otherId, otherId: runId }} search={search} className={buttonClass()}>
            <ArrowLeftRight size={15} aria-hidden />
            {t("swap")}
          </Link>
        }
      />
      <div className={css.layout}>
        <div className={css.stage}>
          <Picture found={found} graph={graph} snapshot={side === "a" ? a.data : b.data} specs={specs.data ?? {}} selected={chosen?.node ?? null} onSelect={select} />
          <div className={`${css.switch} ${segmentsClass}`} role="radiogroup" aria-label={t("shown")}>
            {(["a", "b"] as const).map((one) => (
              <button key={one} type="button" role="radio" aria-checked={side === one} className={segmentClass} onClick={() => show(one)}>
                {one === "a" ? "A" : "B"}
              </button>
            ))}
          </div>
        </div>
        <aside className={css.side} aria-label={t("differences")}>
          <div className={css.runs}>
            <Named letter="A" run={found.here} />
            <Named letter="B" run={found.there} />
          </div>
          <FirstDifference found={found} words={words} a="A" b="B" onSelect={select} />
          {chosen && <StepFields found={found} step={chosen} onBack={() => select(null)} />}
          <h3>{t("stepsTitle")}</h3>
          <DifferingSteps found={found} words={words} a="A" b="B" selected={chosen?.node ?? null} onSelect={select} />
          {!chosen && <Surroundings found={found} here="A" there="B" />}
        </aside>
      </div>
    </>
  );
}
