import { ArrowRight, Clock } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { GraphDocument, RunStep, StepSpec } from "../../api/types";
import { numberSteps } from "../../graph/outline";
import { useRun, useRunStep } from "../../live";
import { Note, runIsFinished, runStatusKind, StatusIcon, stepStatusKind, Tile, useFormatter } from "../../ui";
import { useWaitingText } from "../runs/waiting";
import { ErrorBox } from "./ErrorBox";
import css from "./run.module.css";

function StepLine(props: {
  node: GraphDocument["nodes"][number];
  spec: StepSpec | undefined;
  onSelect: (node: string) => void;
}) {
  const { t } = useTranslation(["runs", "common"]);
  const format = useFormatter();
  const { node, spec } = props;
  const step = useRunStep(node.id);
  const kind = stepStatusKind(step);
  const second =
    step?.error?.title ??
    step?.note ??
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

/** All steps in order with what became of them: the run in words, and the run view of a phone. */
export function StepLines(props: {
  graph: GraphDocument;
  specs: Record<string, StepSpec>;
  onSelect: (node: string) => void;
}) {
  const { t } = useTranslation("runs");
  const { graph } = props;
  const nodes = useMemo(() => {
    const numbers = numberSteps(graph);
    return [...graph.nodes].sort((left, right) => (numbers.get(left.id) ?? 0) - (numbers.get(right.id) ?? 0));
  }, [graph]);
  return (
    <ol className={css.lines} aria-label={t("steps")}>
      {nodes.map((node) => (
        <StepLine key={node.id} node={node} spec={props.specs[node.type]} onSelect={props.onSelect} />
      ))}
    </ol>
  );
}

/** The first step that explains why the run stands where it stands. */
export function culprit(steps: Readonly<Record<string, RunStep>>): RunStep | undefined {
  return Object.values(steps)
    .filter((step) => step.status === "failed")
    .sort((left, right) => right.seq - left.seq)[0];
}

/** The panel while no step is chosen: how the run stands, in words. */
export function RunOverview(props: {
  graph: GraphDocument;
  specs: Record<string, StepSpec>;
  onSelect: (node: string) => void;
}) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const waitingText = useWaitingText();
  const run = useRun((state) => state.run);
  const steps = useRun((state) => state.steps);
  if (!run) return null;
  const failed = culprit(steps);
  const failedName = props.graph.nodes.find((node) => node.id === failed?.node)?.name;
  const kind = runStatusKind(run);
  return (
    <section className={css.panel} aria-label={t("overview.title")}>
      <header className={css.panelHead}>
        <div className={css.panelTitle} style={{ paddingBottom: 14 }}>
          <StatusIcon kind={kind} size={22} />
          <div>
            <h2>{t(`overview.${kind}`)}</h2>
            <small>{t("overview.hint")}</small>
          </div>
        </div>
      </header>
      <div className={css.panelBody} tabIndex={0} role="group" aria-label={t("overview.title")}>
        {run.error && (
          <ErrorBox error={run.error}>
            {failed && failedName && (
              <button type="button" className={css.inlineLink} onClick={() => props.onSelect(failed.node)}>
                <ArrowRight size={14} aria-hidden />
                {t("overview.goToStep", { name: failedName })}
              </button>
            )}
          </ErrorBox>
        )}
        {run.waiting && !runIsFinished(run) && (
          <Note tone="wait" icon={<Clock size={16} />}>
            <b>{waitingText(run)}</b>
            {run.waiting.since && <div>{t("overview.since", { time: format.clockSeconds(run.waiting.since) })}</div>}
          </Note>
        )}
        <StepLines graph={props.graph} specs={props.specs} onSelect={props.onSelect} />
      </div>
    </section>
  );
}
