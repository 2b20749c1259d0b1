import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ChartGantt, ChevronRight, CircleAlert, History, ListTree, PanelLeftClose, PanelLeftOpen, Radio, Workflow } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useNodeTypes, useVersion } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { GraphNode, StepSpec } from "../../api/types";
import { type CanvasHandle, FlowCanvas, ZoomBar } from "../../canvas";
import { numberSteps } from "../../graph/outline";
import { RunStoreProvider, useLiveRun, useLiveState, useRun, useRunStore } from "../../live";
import {
  buttonClass,
  cx,
  EmptyState,
  ErrorCard,
  IconButton,
  runIsFinished,
  SkeletonRows,
  TopBar,
  topBarExtraClass,
  useFormatter,
} from "../../ui";
import page from "../../ui/page.module.css";
import { runTitle } from "../runs/words";
import { WorkflowTabs } from "../workflow/WorkflowBar";
import { CancelRun } from "./CancelRun";
import { useCardLines } from "./cardLines";
import { CompareRun } from "./CompareRun";
import { InItem } from "./items/InItem";
import { ItemCells } from "./items/ItemCells";
import { OpenedItems, useOpened, WithItems } from "./items/opened";
import { ItemTitle, RunCrumbs } from "./items/RunCrumbs";
import { useShownGraph } from "./items/shown";
import { Dock } from "./Dock";
import { AtMoment, MomentBar, MomentProvider, useMoment } from "./Moment";
import { Scrubber } from "./Scrubber";
import away from "./away.module.css";
import css from "./run.module.css";
import { RAIL_KEY, railWanted, useFollowing } from "./remembered";
import { RunAnnouncer, RunFacts } from "./RunFacts";
import { RunMore } from "./RunMore";
import { RunNews } from "./RunNews";
import { RecordButton, RunOverview, StepLines } from "./RunOverview";
import { PhoneSheet } from "./PhoneSheet";
import { RetryMenu, Retrying } from "./Retrying";
import { RunRail } from "./RunRail";
import { RunTitle } from "./RunTitle";
import { StepPanel } from "./StepPanel";
import { UndoBar } from "./UndoBar";
import { UndoRun } from "./UndoRun";
import { useWidth } from "../../ui/useWidth";

const ExpiredBar = lazy(() => import("./ExpiredBar"));
const PauseRun = lazy(() => import("./PauseRun"));
const StandsBar = lazy(() => import("./StandsBar"));
const StoppedBar = lazy(() => import("./StoppedBar"));

/** A bar while the run is paused or held, stands in line or is stuck, or when its data has expired. */
function StopBar() {
  const run = useRun((state) => state.run);
  const waiting = run?.waiting;
  return (
    <div role="status">
      {run && waiting && (waiting.kind === "paused" || waiting.kind === "held") && (
        <Suspense>
          <StoppedBar run={run} waiting={waiting} />
        </Suspense>
      )}
      {run && !runIsFinished(run) && (
        <Suspense>
          <StandsBar run={run} />
        </Suspense>
      )}
      {run?.data_removed_at && (
        <Suspense>
          <ExpiredBar at={run.data_removed_at} />
        </Suspense>
      )}
    </div>
  );
}

/** A word while the socket is down; short interruptions are not worth one. It lies over the picture: nothing moves under
 *  the pointer when it comes and goes. */
function PausedBar() {
  const { t } = useTranslation("shell");
  const format = useFormatter();
  const paused = useLiveState((live) => live.status === "paused" || live.status === "connecting");
  const inStepAt = useLiveState((live) => live.inStepAt);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!paused) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), 1500);
    return () => clearTimeout(timer);
  }, [paused]);
  return (
    <div role="status" className={away.place}>
      {shown && (
        <div className={away.bar}>
          <Radio size={15} aria-hidden />
          {t("livePaused", { time: format.clockSeconds(inStepAt) })}
        </div>
      )}
    </div>
  );
}

interface RunBarProps {
  railOpen: boolean;
  onRail: (() => void) | undefined;
  onChanged: () => void;
  /** The chosen step, and its type. */
  node: GraphNode | undefined;
  spec: StepSpec | undefined;
}

function RunBar(props: RunBarProps) {
  const { t } = useTranslation("runs");
  const run = useRun((state) => state.run);
  const graph = useRun((state) => state.graph);
  if (!run) return <TopBar title={t("title")} />;
  return (
    <TopBar
      showWay
      crumbs={
        <>
          {props.onRail && (
            <IconButton
              size="sm"
              label={props.railOpen ? t("rail.hide") : t("rail.show")}
              icon={props.railOpen ? <PanelLeftClose size={16} /> : <PanelLeftOpen size={16} />}
              onClick={props.onRail}
            />
          )}
          {run.parent ? (
            <RunCrumbs parent={run.parent} />
          ) : (
            <>
              <Link to="/workflows/$id/runs" params={{ id: run.workflow.id }}>
                {run.workflow.name}
              </Link>
              <ChevronRight size={14} aria-hidden />
            </>
          )}
        </>
      }
      title={<RunTitle name={<ItemTitle run={run} />} />}
      chips={
        run.business_key && (
          <>
            <span className={cx("mono", topBarExtraClass, css.number)}>
              {t("number", { number: run.short_id })}
            </span>
            {!run.parent?.is_item && (
              <Link to="/keys/$key" params={{ key: run.business_key }} className={buttonClass("quiet", "sm", cx(topBarExtraClass, css.ofKey))} title={t("timeline.link", { key: run.business_key })}>
                <History size={14} aria-hidden />
                <span>{t("timeline.link", { key: run.business_key })}</span>
              </Link>
            )}
          </>
        )
      }
      middle={<WorkflowTabs id={run.workflow.id} current="runs" />}
      actions={
        <>
          <CompareRun run={run} />
          <UndoRun run={run} graph={graph} onChanged={props.onChanged} />
          <RetryMenu node={props.node} spec={props.spec} />
          <Suspense>
            <PauseRun run={run} onChanged={props.onChanged} />
          </Suspense>
          <CancelRun run={run} graph={graph} onCancelled={props.onChanged} />
          <RunMore run={run} />
        </>
      }
    />
  );
}

/** The step that works right now, for the canvas to keep in view. */
function useActiveStep(): string | null {
  return useRun((state) => {
    if (!state.run || runIsFinished(state.run)) return null;
    const active = Object.values(state.steps).filter((step) => ["running", "retrying", "waiting"].includes(step.status));
    return active.sort((left, right) => right.seq - left.seq)[0]?.node ?? null;
  });
}

const itemCells = (node: GraphNode) => <ItemCells node={node} />;

interface StageProps {
  specs: Record<string, StepSpec>;
  selected: string | null;
  onSelect: (node: string | null) => void;
  insetEnd: number;
}

function Stage({ specs, selected, onSelect, insetEnd }: StageProps) {
  const { t } = useTranslation("runs");
  const graph = useRun((state) => state.graph);
  const run = useRun((state) => state.run);
  const active = useActiveStep();
  const [following, setFollowing] = useFollowing();
  const { at } = useMoment();
  const main = useRunStore();
  const handle = useRef<CanvasHandle>(null);
  const version = useVersion(run?.workflow.id ?? "", run && run.version > 0 ? run.version : null);
  const summaries = version.data?.summaries;
  const told = useCardLines(run, graph, specs);
  // The bar of facts is higher with words on the run.
  const said = run ? Math.ceil(run.tags.length / 4) : 0;
  const insets = useMemo(() => ({ top: 64 + 32 * Math.min(said, 3), right: insetEnd }), [insetEnd, said]);
  const chosen = useMemo(() => (selected ? [selected] : []), [selected]);
  useEffect(() => {
    if (selected) handle.current?.reveal(selected);
  }, [selected]);
  if (!graph || !run) return null;
  return (
    <div className={css.stage}>
      <WithItems>
        <AtMoment main={main}>
        <FlowCanvas
        key={run.id}
        mode="run"
        readOnly
        graph={graph}
        specs={specs}
        {...(summaries ? { summaries } : {})}
        told={told}
        selected={chosen}
        onSelect={onSelect}
        items={itemCells}
        follow={following && at === null ? active : null}
        insets={insets}
        label={t("canvas", { name: run.workflow.name })}
        handle={handle}
        minimap
      >
        <ZoomBar
            place="top"
            onFit={() => handle.current?.fit()}
            following={following}
            onFollow={runIsFinished(run) ? undefined : setFollowing}
          />
        </FlowCanvas>
        </AtMoment>
      </WithItems>
      <MomentBar />
      <RunFacts />
      <PausedBar />
    </div>
  );
}

/** `/runs/:id`: the workflow's own picture, showing what this run did with it, live. */
export default function RunPage() {
  const { runId } = useParams({ from: "/shell/runs/$runId" });
  const workspace = useWorkspace().id;
  const { store, state, reload } = useLiveRun(workspace, runId);
  return (
    <RunStoreProvider value={store}>
      <OpenedItems key={runId} reload={reload}>
        <MomentProvider>
          <RunScreen phase={state.phase} error={state.phase === "failed" ? state.error : null} reload={reload} />
        </MomentProvider>
      </OpenedItems>
    </RunStoreProvider>
  );
}

function RunScreen(props: { phase: "loading" | "shown" | "gone" | "failed"; error: unknown; reload: () => void }) {
  const { t } = useTranslation(["runs", "common"]);
  const search = useSearch({ from: "/shell/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const specs = useNodeTypes();
  const run = useRun((state) => state.run);
  const graph = useRun((state) => state.graph);
  const shown = useShownGraph();
  const { stores, open } = useOpened();
  const width = useWidth();
  const phone = width < 900;
  const roomForRail = width >= 1280;
  const overlay = width < 1280;
  const [railOpen, setRailOpen] = useState(() => railWanted(width));
  const toggleRail = () => {
    setRailOpen(!railOpen);
    try {
      localStorage.setItem(RAIL_KEY, railOpen ? "closed" : "open");
    } catch {
      // Remembered until the page is closed.
    }
  };
  const [view, setView] = useState<"steps" | "canvas" | "dock">(search.dock || search.zoom ? "dock" : "steps");

  useEffect(() => {
    document.title = run ? `${runTitle(run)} · ${run.workflow.name} · Millrace` : `${t("title")} · Millrace`;
  }, [t, run]);

  const select = useCallback(
    (node: string | null) =>
      void navigate({
        search: ({ step: _step, ...rest }) => (node ? { ...rest, step: node } : rest),
        replace: true,
      }),
    [navigate],
  );
  const order = useMemo(() => {
    if (!graph) return [];
    const numbers = numberSteps(graph);
    return [...graph.nodes]
      .sort((left, right) => (numbers.get(left.id) ?? 0) - (numbers.get(right.id) ?? 0))
      .map((node) => node.id);
  }, [graph]);
  const node = graph?.nodes.find((one) => one.id === search.step) ?? shown?.nodes.find((one) => one.id === search.step);

  if (props.phase === "gone") {
    return (
      <EmptyState
        first
        title={t("gone.title")}
        text={t("gone.text")}
        actions={
          <Link to="/runs" className={buttonClass("primary")}>
            {t("gone.toRuns")}
          </Link>
        }
      />
    );
  }
  if (props.phase === "failed" && !run) {
    return (
      <>
        <TopBar title={t("title")} />
        <div style={{ padding: 24, maxWidth: 560 }}>
          <ErrorCard title={t("runFailedToLoad")} error={props.error} onRetry={props.reload} />
        </div>
      </>
    );
  }
  if (!run || !graph || !shown || specs.isPending) {
    return (
      <>
        <TopBar title={run ? runTitle(run) : "…"} />
        <SkeletonRows rows={8} height={40} label={t("loadingRun")} />
      </>
    );
  }
  const known = specs.data ?? {};
  const spec = node && known[node.type];
  const at = node ? order.indexOf(node.id) : -1;
  const neighbour = (by: number): (() => void) | undefined => {
    const next = order[at + by];
    return node && next ? () => select(next) : undefined;
  };
  const container = node && graph.nodes.includes(node) ? node.parent : undefined;
  const step = node && (
    <StepPanel
      node={node}
      spec={spec}
      tab={search.tab ?? "what"}
      onTab={(tab) =>
        void navigate({
          search: ({ tab: _tab, ...rest }) => (tab === "what" ? rest : { ...rest, tab }),
          replace: true,
        })
      }
      onClose={() => select(null)}
      onPrevious={neighbour(-1)}
      onNext={neighbour(1)}
      onSelect={select}
      onItem={phone && view === "steps" ? undefined : (item) => open(node.id, item)}
    />
  );
  const panel = step && node ? (
    <InItem container={container} store={container === undefined ? undefined : stores.get(container)}>
      {step}
    </InItem>
  ) : (
    <RunOverview graph={shown} specs={known} onSelect={select} />
  );

  const dock = (
    <Dock
      tab={search.dock ?? "timeline"}
      onTab={(tab) =>
        void navigate({
          search: ({ dock: _dock, ...rest }) => (tab === "timeline" ? rest : { ...rest, dock: tab }),
          replace: true,
        })
      }
      selected={node?.id ?? null}
      onSelect={select}
    />
  );

  if (phone) {
    return (
      <Retrying specs={known} onChanged={props.reload}>
        <RunBar railOpen={false} onRail={undefined} onChanged={props.reload} node={node} spec={spec} />
        <StopBar />
        <UndoBar />
        <RunAnnouncer />
        {view !== "canvas" && <PausedBar />}
        <div className={css.phone}>
          {/* What stands below has headings of its own, which a screen reader finds by their order. */}
          {view === "steps" && <h2 className="srOnly">{t("overview.title")}</h2>}
          {view === "steps" && <RunFacts />}
          {view === "steps" && <RunNews graph={shown} onSelect={select} />}
          <div className={page.segments} role="radiogroup" aria-label={t("view.label")}>
            {(["steps", "canvas", "dock"] as const).map((one) => (
              <button
                key={one}
                type="button"
                role="radio"
                aria-checked={view === one}
                className={page.segment}
                onClick={() => setView(one)}
              >
                {one === "steps" ? <ListTree size={15} aria-hidden /> : one === "canvas" ? <Workflow size={15} aria-hidden /> : <ChartGantt size={15} aria-hidden />}
                {one === "dock" ? t("tabs.timeline") : t(`view.${one}`)}
              </button>
            ))}
          </div>
          {view !== "dock" && (
            <div className={css.phoneScrubber}>
              <Scrubber />
            </div>
          )}
          {view === "dock" && dock}
          {view === "steps" && (
            <>
              <StepLines graph={shown} specs={known} onSelect={select} />
              <div>
                <RecordButton run={run} />
              </div>
            </>
          )}
          {view === "canvas" && <Stage specs={known} selected={node?.id ?? null} onSelect={select} insetEnd={0} />}
        </div>
        {node && (
          <PhoneSheet label={node.name} onClose={() => select(null)}>
            {panel}
          </PhoneSheet>
        )}
      </Retrying>
    );
  }

  const showRail = roomForRail && railOpen;
  return (
    <Retrying specs={known} onChanged={props.reload}>
      <RunBar
        railOpen={showRail}
        onRail={roomForRail ? toggleRail : undefined}
        onChanged={props.reload}
        node={node}
        spec={spec}
      />
      <StopBar />
      <UndoBar />
      <RunAnnouncer />
      {specs.isError && (
        <p className={css.paused}>
          <CircleAlert size={15} aria-hidden />
          {t("typesFailed")}
        </p>
      )}
      <div className={css.layout} data-rail={showRail} data-overlay={overlay} data-panel={Boolean(node) || !overlay}>
        {showRail && <RunRail run={run} />}
        <div className={css.middle}>
          <Stage
            specs={known}
            selected={node?.id ?? null}
            onSelect={select}
            insetEnd={overlay && node ? 408 : 0}
          />
          {dock}
        </div>
        {(node || !overlay) && <div className={css.side}>{panel}</div>}
      </div>
    </Retrying>
  );
}
