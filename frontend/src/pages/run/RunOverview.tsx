import { ScrollText } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { GraphDocument, GraphNode, Run, StepSpec } from "../../api/types";
import type { CardLine } from "../../canvas";
import { itemsText } from "../../canvas/itemsText";
import { isContainer } from "../../graph/containers";
import { doneNote } from "../../graph/ports";
import { localNote } from "../../graph/notes";
import { undoneStepOf } from "../../graph/undo";
import { failureTitle } from "../../i18n/server";
import { useRun, useRunStep, useUndone } from "../../live";
import { Button, runStatusKind, StatusIcon, stepStatusKind, Tile, useFormatter } from "../../ui";
import { useCardLines } from "./cardLines";
import { failedItems } from "./items/shown";
import css from "./run.module.css";
import { AtMoment } from "./Moment";
import { RunNews } from "./RunNews";
import { stepsOfRun } from "./undo";

const RunRecord = lazy(() => import("./RunRecord"));

function StepLine(props: {
  node: GraphNode;
  spec: StepSpec | undefined;
  /** What this step undoes. */
  undoes: GraphNode | undefined;
  /** What came of it, once it is done. */
  line: CardLine | undefined;
  onSelect: (node: string) => void;
}) {
  const { t } = useTranslation(["runs", "common"]);
  const { t: canvas } = useTranslation("canvas");
  const format = useFormatter();
  const { node, spec, undoes } = props;
  const step = useRunStep(node.id);
  const undone = useUndone(node.id);
  const kind = undone ? "undone" : stepStatusKind(step);
  // What it waited for until it was cancelled is over.
  const items = step?.items && isContainer(spec) ? itemsText(node, step.items, canvas) : null;
  const line = step?.status === "succeeded" && props.line?.generation === step.generation ? props.line.text : null;
  const note = step?.status === "succeeded" ? (line ?? doneNote(spec, node, step)) : step?.status === "cancelled" ? null : step?.note;
  // The server notes the same of a step that waits, in its own words and zone.
  const until = step?.status === "waiting" && step.wait?.until ? t("step.until", { time: format.dayClock(step.wait.until) }) : null;
  const second =
    (items === null ? step?.error && failureTitle(step.error) : items) ??
    until ??
    (undoes && step ? t("undo.step.undoes", { name: undoes.name }) : undone ? t("common:status.undone") : localNote(note, format)) ??
    (step?.status === "succeeded" && step.duration_ms !== null && step.duration_ms > 0
      ? format.duration(step.duration_ms)
      : t(`common:status.${kind}`));
  return (
    <li>
      <button type="button" className={css.line} onClick={() => props.onSelect(node.id)} data-status={kind}>
        <Tile icon={spec?.icon} category={spec?.category ?? "app"} size="sm" />
        <span>
          <b>{node.name}</b>
          <small>{second}</small>
        </span>
        <StatusIcon kind={kind} size={17} />
      </button>
    </li>
  );
}

interface StepLinesProps {
  graph: GraphDocument;
  specs: Record<string, StepSpec>;
  onSelect: (node: string) => void;
}

/** All steps in order with what became of them: the run in words, and the run view of a phone. */
export function StepLines(props: StepLinesProps) {
  const run = useRun((state) => state.run);
  const told = useCardLines(run, props.graph, props.specs);
  return (
    <AtMoment>
      <Lines {...props} told={told} />
    </AtMoment>
  );
}

function Lines(props: StepLinesProps & { told: Readonly<Record<string, CardLine>> }) {
  const { t } = useTranslation("runs");
  const { graph } = props;
  const steps = useRun((state) => state.steps);
  const nodes = useMemo(() => stepsOfRun(graph, steps), [graph, steps]);
  return (
    <ol className={css.lines} aria-label={t("steps")}>
      {nodes.map((node) => (
        <StepLine
          key={node.id}
          node={node}
          spec={props.specs[node.type]}
          undoes={undoneStepOf(graph, node.id)}
          line={props.told[node.id]}
          onSelect={props.onSelect}
        />
      ))}
    </ol>
  );
}

/** The panel while no step is chosen: how the run stands, in words. */
export function RunOverview(props: {
  graph: GraphDocument;
  specs: Record<string, StepSpec>;
  onSelect: (node: string) => void;
}) {
  const { t } = useTranslation("runs");
  const run = useRun((state) => state.run);
  const failed = useRun(failedItems);
  if (!run) return null;
  const kind = runStatusKind(run);
  return (
    <section className={css.panel} aria-label={t("overview.title")}>
      <header className={css.panelHead}>
        <div className={css.panelTitle} style={{ paddingBottom: 14 }}>
          <StatusIcon kind={kind} size={22} />
          <div>
            <h2 className={css.wholeTitle}>{kind === "done_with_failures" && (failed || run.failed_items) > 0 ? t("overview.doneFailed", { count: failed || run.failed_items }) : kind === "done_with_failures" && run.failed_calls > 0 ? t("overview.doneCallFailed", { count: run.failed_calls }) : t(`overview.${kind}`)}</h2>
            <small>{t("overview.hint")}</small>
          </div>
          <RecordButton run={run} />
        </div>
      </header>
      <div className={css.panelBody} tabIndex={0} role="group" aria-label={t("overview.title")}>
        <RunNews graph={props.graph} onSelect={props.onSelect} />
        <StepLines graph={props.graph} specs={props.specs} onSelect={props.onSelect} />
      </div>
    </section>
  );
}

/** Opens what is on record of the run. */
export function RecordButton({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button size="sm" icon={<ScrollText size={14} aria-hidden />} onClick={() => setOpened(true)} data-testid="record-button">
        {t("overview.record")}
      </Button>
      {opened && (
        <Suspense>
          <RunRecord run={run} onClose={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  );
}
