import { useNavigate } from "@tanstack/react-router";
import { ArrowLeft, ExternalLink } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { indexOf } from "../../graph";
import { localNote } from "../../graph/notes";
import { failureTitle } from "../../i18n/server";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { useRunStep } from "../../live";
import { Button, Duration, keyText, runStatusKind, StatusChip, stepStatusKind, Tile, useFormatter } from "../../ui";
import css from "./states.module.css";
import type { TestRun } from "./testRun";
import { ui } from "./uiStore";

/** How the shown test stands, and the way back to building. */
export function TestBar({ test, over }: { test: TestRun; over: boolean }) {
  const { t } = useTranslation("editor");
  const navigate = useNavigate();
  const run = test.run;
  return (
    <div className={css.testBar} data-over={over} data-testid="test-bar">
      {run ? <StatusChip kind={runStatusKind(run)} /> : <span>{t("test.starting")}</span>}
      <b>{t("test.running")}</b>
      {run?.started_at && <Duration from={run.started_at} until={run.finished_at} />}
      {run && (
        <Button size="sm" icon={<ExternalLink size={14} aria-hidden />} onClick={() => void navigate({ to: "/runs/$runId", params: { runId: run.id } })}>
          {t("test.open")}
        </Button>
      )}
      <Button size="sm" icon={<ArrowLeft size={14} aria-hidden />} onClick={test.hide} title={keyText("Esc")}>
        {t("test.back")}
      </Button>
    </div>
  );
}

/** The test as a list of steps, where there is no room for the canvas. */
export function TestSteps({ test }: { test: TestRun }) {
  const { t } = useTranslation("editor");
  const document = useEditor((state) => state.document);
  const steps = useMemo(() => indexOf(document).order, [document]);
  return (
    <section className={css.testSteps} aria-label={t("test.steps")}>
      <TestBar test={test} over={false} />
      <ol>
        {steps.map((id) => (
          <TestStep key={id} id={id} />
        ))}
      </ol>
    </section>
  );
}

function TestStep({ id }: { id: string }) {
  const { store } = useEnvironment();
  const format = useFormatter();
  const node = useEditor((state) => indexOf(state.document).byId.get(id));
  const spec = useEditor((state) => (node ? state.specs[node.type] : undefined));
  const step = useRunStep(id);
  if (!node) return null;
  return (
    <li>
      <button
        type="button"
        className={css.testStep}
        data-testid={`test-step-${node.key}`}
        data-status={step?.status}
        onClick={() => {
          store.select([id]);
          ui.openPanel();
        }}
      >
        <Tile icon={spec?.icon} category={spec?.category ?? "app"} />
        <span>
          <b>{node.name}</b>
          {step && (step.error?.title ?? step.note) && <small>{(step.error && failureTitle(step.error)) ?? localNote(step.note, format)}</small>}
        </span>
        {step?.duration_ms !== null && step?.duration_ms !== undefined && <span className="tn">{format.duration(step.duration_ms)}</span>}
        {step && <StatusChip kind={stepStatusKind(step)} />}
      </button>
    </li>
  );
}
