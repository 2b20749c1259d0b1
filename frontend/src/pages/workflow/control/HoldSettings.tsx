import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, CirclePause } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import { refreshWorkflow, workspacePath } from "../../../api/queries";
import { useCan, useWorkspace } from "../../../api/session";
import type { Workflow, WorkflowBreaker } from "../../../api/types";
import { Button, Card, ErrorCard, sectionTitleClass, TextField, useFormatter } from "../../../ui";
import css from "./control.module.css";
import HoldDialog from "./HoldDialog";
import { wholeNumber } from "./useControl";

const BOUNDS = { failures: [0, 10_000], percent: [0, 100], minutes: [1, 1_440] } as const;
type Field = keyof typeof BOUNDS;
const FIELDS: readonly Field[] = ["failures", "percent", "minutes"];

/** In a workflow's settings: pausing it by hand, and when it is paused by itself. */
export default function HoldSettings({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("control");
  const canBuild = useCan("builder");
  const [asking, setAsking] = useState(false);
  if (!workflow.breaker) return null;
  return (
    <>
      {canBuild && !workflow.hold && (
        <Card padded className={css.pause}>
          <div>
            <h2 className={sectionTitleClass}>{t("hold.heading")}</h2>
            <p>{t("hold.about")}</p>
          </div>
          <Button icon={<CirclePause size={15} aria-hidden />} onClick={() => setAsking(true)}>
            {t("hold.button")}
          </Button>
        </Card>
      )}
      <Card padded className={css.form}>
        <div>
          <h2 className={sectionTitleClass}>{t("breaker.title")}</h2>
          <p style={{ color: "var(--ink2)" }}>{t("breaker.text")}</p>
        </div>
        <BreakerForm workflow={workflow} breaker={workflow.breaker} />
      </Card>
      {asking && <HoldDialog workflow={workflow} onClose={() => setAsking(false)} />}
    </>
  );
}

function BreakerForm({ workflow, breaker }: { workflow: Workflow; breaker: WorkflowBreaker }) {
  const { t } = useTranslation("control");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const canBuild = useCan("builder");
  const [typed, setTyped] = useState(() => ({
    failures: String(breaker.failures),
    percent: String(breaker.percent),
    minutes: String(breaker.minutes),
  }));
  const save = useMutation({
    mutationFn: (body: WorkflowBreaker) => api.put(`${workspacePath(workspace)}/workflows/${workflow.id}/breaker`, body),
    onSuccess: () => refreshWorkflow(client, workspace, workflow.id),
  });
  const read = (field: Field) => wholeNumber(typed[field], BOUNDS[field][0], BOUNDS[field][1]);
  const changed = FIELDS.some((field) => read(field) !== breaker[field]);
  const values = { failures: read("failures"), percent: read("percent"), minutes: read("minutes") };
  const right = (found: typeof values): found is WorkflowBreaker => Object.values(found).every((value) => value !== null);
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (right(values)) save.mutate(values);
      }}
    >
      {save.isError && <ErrorCard title={t("breaker.saveFailed")} error={save.error} />}
      <div className={css.numbers}>
        {FIELDS.map((field) => (
          <TextField
            key={field}
            label={t(`breaker.${field}`)}
            hint={field === "minutes" ? undefined : t(`breaker.${field}Hint`)}
            inputMode="numeric"
            value={typed[field]}
            disabled={!canBuild}
            error={
              values[field] === null
                ? t("breaker.wrong", { least: BOUNDS[field][0], most: format.number(BOUNDS[field][1]) })
                : undefined
            }
            onChange={(event) => setTyped({ ...typed, [field]: event.currentTarget.value })}
          />
        ))}
      </div>
      {canBuild && (
        <div className={css.save}>
          <Button type="submit" disabled={!changed || !right(values)} busy={save.isPending}>
            {t("breaker.save")}
          </Button>
          <span role="status">
            {save.isSuccess && !changed && (
              <>
                <Check size={15} aria-hidden /> {t("breaker.saved")}
              </>
            )}
          </span>
        </div>
      )}
    </form>
  );
}
