import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { useTriggers, useWorkflow, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Run, Trigger, Workflow } from "../../api/types";
import { isJsonObject, type Json, type JsonObject } from "../../graph";
import { inputIsClear, questionsOf, sentInput } from "../../inspector/inputFields";
import { InputForm } from "../../inspector/InputForm";
import { firstMissing, type Missing } from "../../intake/intake";
import { Button, buttonClass, Card, EmptyState, ErrorCard, Note, PageBody, SelectField, SkeletonRows, useFormatter } from "../../ui";
import { dropUploadsOf } from "../../uploads/store";
import { WorkflowBar } from "../workflow/WorkflowBar";
import css from "./begin.module.css";

const TableIntake = lazy(() => import("../../intake/TableIntake"));

/** Starts a live workflow by hand: asks what its form asks, a file with rows among it. */
export default function BeginPage() {
  const { t } = useTranslation("intake");
  const { id } = useParams({ from: "/shell/workflows/$id/run" });
  const query = useWorkflow(id);
  const triggers = useTriggers(id);
  const mayStart = useCan("reviewer");
  const workflow = query.data;
  useEffect(() => {
    document.title = `${t("begin.title", { name: workflow?.name ?? "" })} · Millrace`;
  }, [t, workflow?.name]);
  const starts = (triggers.data ?? []).filter((one) => one.form !== null && one.enabled);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} />
      <PageBody className={css.page}>
        {query.isError && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
        {triggers.isError && <ErrorCard error={triggers.error} onRetry={() => void triggers.refetch()} />}
        {(query.isPending || triggers.isPending) && <SkeletonRows rows={4} label={t("begin.loading")} />}
        {workflow && triggers.data && <Begin key={starts.map((one) => one.node).join()} workflow={workflow} starts={starts} mayStart={mayStart} />}
      </PageBody>
    </>
  );
}

function Begin({ workflow, starts, mayStart }: { workflow: Workflow; starts: readonly Trigger[]; mayStart: boolean }) {
  const { t } = useTranslation("intake");
  const [node, setNode] = useState(starts[0]?.node ?? "");
  const start = starts.find((one) => one.node === node);
  const params = { id: workflow.id };
  const link = buttonClass("default");
  if (!mayStart) return <EmptyState title={t("begin.role.title")} text={t("begin.role.text")} />;
  if (!workflow.live) return <EmptyState title={t("begin.draft.title")} text={t("begin.draft.text")} actions={<Link to="/workflows/$id/build" params={params} className={link}>{t("begin.draft.open")}</Link>} />;
  if (!workflow.enabled) return <EmptyState title={t("begin.off.title")} text={t("begin.off.text")} actions={<Link to="/workflows/$id/settings" params={params} className={link}>{t("begin.off.open")}</Link>} />;
  if (!start) return <EmptyState title={t("begin.none.title")} text={t("begin.none.text")} actions={<Link to="/workflows/$id/settings" params={params} className={link}>{t("begin.none.open")}</Link>} />;
  return (
    <>
      {starts.length > 1 && <SelectField label={t("begin.which")} value={node} options={starts.map((one) => ({ value: one.node, label: titleOf(one) || one.key }))} onChange={setNode} />}
      <StartForm key={start.node} workflow={workflow} start={start} />
    </>
  );
}

const titleOf = (start: Trigger): string => (typeof start.form?.["title"] === "string" ? start.form["title"] : "");
const textOf = (start: Trigger, name: string): string => (typeof start.form?.[name] === "string" ? start.form[name] : "");

function StartForm({ workflow, start }: { workflow: Workflow; start: Trigger }) {
  const { t } = useTranslation("intake");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const navigate = useNavigate();
  const fields = useMemo(() => questionsOf(start.form?.["fields"]), [start.form]);
  const [values, setValues] = useState<JsonObject>(() => Object.fromEntries(fields.flatMap((one) => (one.default === undefined ? [] : [[one.name, one.default]]))));
  const [tables, setTables] = useState<Readonly<Record<string, { value: Json; missing: Missing }>>>({});
  const keyOf = useRef<(body: unknown) => string>(null);
  keyOf.current ??= keyForEach();
  const ownerOf = useCallback((name: string) => `start:${workflow.id}:${start.node}:${name}`, [workflow.id, start.node]);
  const asked = fields.filter((one) => one.type === "table");
  const missing = firstMissing(asked, (name) => tables[name]?.missing);
  const rows = asked.reduce((sum, one) => sum + rowsOf(tables[one.name]?.value), 0);
  const input: JsonObject = { ...sentInput(fields, values) };
  for (const one of asked) if (tables[one.name]?.value) input[one.name] = tables[one.name]?.value ?? null;

  const run = useMutation({
    mutationFn: () => {
      const body = { input, trigger: start.node };
      return api.post<Run>(`${workspacePath(workspace)}/workflows/${workflow.id}/runs`, body, { idempotencyKey: keyOf.current?.(body) ?? "" });
    },
    onSuccess: async (made) => {
      await navigate({ to: "/runs/$runId", params: { runId: made.id } });
      for (const one of asked) dropUploadsOf(ownerOf(one.name));
    },
  });
  const errors = run.error instanceof ApiError ? namedErrors(run.error.fields) : {};
  const button = textOf(start, "button") || t("begin.start");
  const text = textOf(start, "text");
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (missing === null && inputIsClear(fields, values) && !run.isPending) run.mutate();
      }}
    >
      <Card padded className={css.card}>
        <div className={css.title}>
          <h2>{titleOf(start) || t("begin.title", { name: workflow.name })}</h2>
          {text && <p>{text}</p>}
        </div>
        {fields.length === 0 ? (
          <p className={css.hint}>{t("begin.plain")}</p>
        ) : (
          <InputForm
            fields={fields}
            value={values}
            onChange={setValues}
            errors={errors}
            renderTable={(field) => (
              <Suspense fallback={<SkeletonRows rows={2} label={t("begin.loading")} />}>
                <TableIntake
                  workflow={workflow.id}
                  owner={ownerOf(field.name)}
                  field={field}
                  error={errors[field.name]}
                  onReady={(value, what) => setTables((before) => ({ ...before, [field.name]: { value, missing: what } }))}
                />
              </Suspense>
            )}
          />
        )}
      </Card>
      {workflow.hold && <Note tone="wait">{t("begin.held")}</Note>}
      {run.isError && (Object.keys(errors).length === 0 || !fields.some((one) => errors[one.name])) && <ErrorCard title={t("begin.failed")} error={run.error} />}
      <div className={css.foot}>
        <span role="status">{missing !== null && t(`begin.missing.${missing}`)}</span>
        <Button type="submit" variant="primary" size="lg" icon={<Play size={16} aria-hidden />} busy={run.isPending} disabled={missing !== null || !inputIsClear(fields, values)} data-testid="start-run">
          {rows > 0 ? t("begin.startRows", { button, count: rows, number: format.number(rows) }) : button}
        </Button>
      </div>
    </form>
  );
}

function rowsOf(value: Json | undefined): number {
  return isJsonObject(value) && typeof value["rows"] === "number" ? value["rows"] : 0;
}

/** By question: the server says `input.name`. */
function namedErrors(fields: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([path, said]) => [path.replace(/^input\.?/, ""), said.join(" ")]));
}
