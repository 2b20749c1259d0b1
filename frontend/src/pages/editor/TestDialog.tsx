import { useMutation, useQuery } from "@tanstack/react-query";
import { Play, Unplug } from "lucide-react";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, keyForEach } from "../../api/client";
import { useTriggers, workspacePath } from "../../api/queries";
import type { CheckResult, Run, Workflow } from "../../api/types";
import { downstreamOf, formatExact, type GraphNode, isJsonObject, type Json, type JsonObject, stampOf, type StepSpec } from "../../graph";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { inputFields, inputIsClear, sentInput } from "../../inspector/inputFields";
import { InputForm } from "../../inspector/InputForm";
import { isHalfSaid, type Missing } from "../../intake/intake";
import { JsonEditor } from "../../inspector/JsonEditor";
import { parseJson } from "../../inspector/jsonText";
import { Button, Dialog, ErrorCard, Note, SelectField } from "../../ui";
import { answers, keptSample } from "../events/sample";
import type { Autosave } from "./autosave";
import css from "./editor.module.css";
import { ProblemList } from "./ProblemsBar";
import type { TestRun } from "./testRun";
import { ui } from "./uiStore";

const DrillDialog = lazy(() => import("./DrillDialog"));
const TableIntake = lazy(() => import("../../intake/TableIntake"));

export interface TestDialogProps {
  workflow: Workflow;
  autosave: Autosave;
  test: TestRun;
  onClose(): void;
}

/** Runs the draft with data of one's own; what happens is shown on the canvas. */
export function TestDialog({ workflow, autosave, test, onClose }: TestDialogProps) {
  const { t } = useTranslation("editor");
  const { store, workspace, samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const starts = useMemo(() => document.nodes.filter((node) => specs[node.type]?.trigger && !node.settings.disabled), [document, specs]);
  const [drilling, setDrilling] = useState(false);
  const [chosen, setChosen] = useState(starts[0]?.id ?? "");
  const start = starts.find((node) => node.id === chosen);
  const spec = start ? specs[start.type] : undefined;
  const problems = useEditor((state) => state.problems);
  const errors = problems.filter((problem) => problem.severity === "error");
  const writers = useWriters(workflow.id, start?.id);
  const [text, setText] = useState<Record<string, string>>({});
  const [values, setValues] = useState<Record<string, JsonObject>>({});
  const [tables, setTables] = useState<Readonly<Record<string, { value: Json; missing: Missing }>>>({});
  const keyOf = useRef<(body: unknown) => string>(null);
  keyOf.current ??= keyForEach();
  const fields = useMemo(() => (start ? inputFields(start) : []), [start]);
  const kind = start?.type.startsWith("trigger.manual@") ? "form" : start?.type.startsWith("trigger.schedule@") ? "none" : "json";
  const posted = useTriggers(workflow.id).data?.find((one) => one.node === start?.id)?.sample ?? null;
  const sample = useMemo(() => keptSample(workflow.id), [workflow.id]);
  const begins = useMemo(() => ({ ...defaults(start), ...answers(fields, sample) }), [start, fields, sample]);
  const current = text[chosen] ?? (kind === "json" ? sample : null) ?? (start ? sampleText(start, spec, samples, posted) : "");
  const parsed = kind === "json" ? parseJson(current) : null;

  const placeOf = (field: string): string => `test:${workflow.id}:${chosen}:${field}`;
  const asked = kind === "form" ? fields.filter((field) => field.type === "table") : [];
  const given = Object.fromEntries(asked.flatMap(({ name }) => (tables[placeOf(name)]?.value ? [[name, tables[placeOf(name)]?.value ?? null]] : [])));
  const halfSaid = isHalfSaid(asked, (name) => tables[placeOf(name)]?.missing);
  const input: Json =
    kind === "json" ? (parsed?.ok ? parsed.value : null) : kind === "form" ? { ...sentInput(fields, values[chosen] ?? begins), ...given } : {};

  const run = useMutation({
    mutationFn: async () => {
      const { document: graph } = store.getState();
      void autosave.flush();
      const body = { graph, trigger: start?.id ?? null, input };
      return api.post<Run>(`${workspacePath(workspace)}/workflows/${workflow.id}/test`, body, { idempotencyKey: keyOf.current?.(body) ?? "" });
    },
    onSuccess: (made) => {
      onClose();
      ui.set({ outline: false });
      test.show(made.id);
    },
  });
  if (drilling) {
    return (
      <Suspense>
        <DrillDialog workflow={workflow} trigger={start?.id ?? null} input={input} onClose={onClose} />
      </Suspense>
    );
  }
  return (
    <Dialog
      opened
      onClose={onClose}
      size={asked.length > 0 ? 860 : 600}
      title={t("test.title")}
      footer={
        <>
          <Button onClick={onClose}>{t("publish.cancel")}</Button>
          <Button icon={<Unplug size={15} aria-hidden />} disabled={!start || errors.length > 0 || halfSaid || Object.keys(given).length > 0 || (parsed !== null && !parsed.ok)} title={Object.keys(given).length > 0 ? t("test.drillNoFiles") : undefined} onClick={() => setDrilling(true)} data-testid="drill-button">
            {t("test.drill")}
          </Button>
          <Button
            variant="primary"
            icon={<Play size={15} aria-hidden />}
            busy={run.isPending}
            disabled={!start || errors.length > 0 || writers === null || halfSaid || (kind === "form" && !inputIsClear(fields, values[chosen] ?? begins)) || (parsed !== null && !parsed.ok)}
            onClick={() => run.mutate()}
            data-testid="test-run"
          >
            {t("test.run")}
          </Button>
        </>
      }
    >
      {!start && <Note tone="wait">{t("test.noStart")}</Note>}
      {starts.length > 1 && (
        <SelectField label={t("test.start")} value={chosen} onChange={setChosen} options={starts.map((node) => ({ value: node.id, label: node.name }))} />
      )}
      {start && kind === "form" && (
        <InputForm
          fields={fields}
          value={values[chosen] ?? begins}
          onChange={(value) => setValues({ ...values, [chosen]: value })}
          renderTable={(field) => (
            <Suspense>
              <TableIntake
                key={chosen}
                workflow={workflow.id}
                owner={placeOf(field.name)}
                field={field}
                onReady={(value, missing) => setTables((before) => ({ ...before, [placeOf(field.name)]: { value, missing } }))}
              />
            </Suspense>
          )}
        />
      )}
      {start && kind === "json" && (
        <JsonEditor label={t("test.body")} hint={t("test.bodyHint")} value={current} rows={12} onChange={(value) => setText({ ...text, [chosen]: value })} />
      )}
      {start && kind === "none" && <p>{t("test.schedule")}</p>}
      {errors.length > 0 && (
        <div className={css.publishProblems}>
          <b>{t("test.problems", { count: errors.length })}</b>
          <ProblemList problems={errors} onGo={onClose} />
        </div>
      )}
      {writers !== null && writers.length > 0 && (
        <div data-testid="test-writers">
          <Note tone="wait">
            <b>{t("test.really", { count: writers.length, names: writers.map((node) => node.name).join(", ") })}</b> {t("test.reallyHint", { count: writers.length })}
          </Note>
        </div>
      )}
      {writers?.length === 0 && start && <Note tone="ok">{t("test.harmless")}</Note>}
      {run.error !== null && errors.length === 0 && <ErrorCard title={t("test.failed")} error={run.error} />}
    </Dialog>
  );
}

/** The steps behind this start that change something outside, with the settings they have now; null until that is known. */
function useWriters(workflow: string, start: string | undefined): GraphNode[] | null {
  const { workspace } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  const saved = useEditor((state) => state.saved);
  const known = useEditor((state) => state.effects);
  const check = useQuery({
    queryKey: [workspace, "check", workflow, stampOf(document)],
    queryFn: ({ signal }) => api.post<CheckResult>(`${workspacePath(workspace)}/workflows/${workflow}/check`, { graph: document }, { signal }),
    enabled: document !== saved,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const effects = document === saved ? known : check.data?.effects;
  return useMemo(() => {
    if (!effects && !check.isError) return null;
    const reached = start === undefined ? new Set<string>() : downstreamOf(document, start);
    // Without word from the server the worst is assumed of every step that does more than compute.
    const writes = (node: GraphNode): boolean => (effects ? (effects[node.id]?.writes ?? true) : specs[node.type]?.effect !== "pure");
    return document.nodes.filter((node) => reached.has(node.id) && !node.settings.disabled && writes(node));
  }, [document, specs, start, effects, check.isError]);
}

/** What came in last, else what an example that came along is to be tried with, else the example of the step type. */
function sampleText(start: GraphNode, spec: StepSpec | undefined, samples: Readonly<Record<string, Json>>, posted: Json): string {
  if (samples[start.key] === undefined && posted !== null) return formatExact(posted, 2);
  const sample = samples[start.key] ?? spec?.output_sample ?? null;
  const body = isJsonObject(sample) && "body" in sample ? sample["body"] : sample;
  return formatExact(body ?? {}, 2);
}

function defaults(start: GraphNode | undefined): JsonObject {
  const values: JsonObject = {};
  for (const field of start ? inputFields(start) : []) if (field.default !== undefined) values[field.name] = field.default;
  return values;
}
