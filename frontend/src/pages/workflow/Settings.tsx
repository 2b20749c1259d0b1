import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { CalendarClock, Check, MousePointerClick, Trash2, Webhook } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { refreshWorkflow, useTriggers, useWorkflow, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Trigger, Workflow } from "../../api/types";
import {
  Button,
  Card,
  Chip,
  CopyBox,
  ErrorCard,
  PageBody,
  sectionTitleClass,
  SkeletonRows,
  TextAreaField,
  TextField,
  useFormatter,
} from "../../ui";
import { DeleteWorkflowDialog } from "./DeleteWorkflow";
import { EnableSwitch } from "./EnableSwitch";
import { WorkflowBar } from "./WorkflowBar";

const HoldSettings = lazy(() => import("./control/HoldSettings"));

function NameForm({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation(["workflows", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const canBuild = useCan("builder");
  const [name, setName] = useState(workflow.name);
  const [description, setDescription] = useState(workflow.description);
  const save = useMutation({
    mutationFn: () =>
      api.patch(`${workspacePath(workspace)}/workflows/${workflow.id}`, {
        name: name.trim(),
        description: description.trim(),
      }),
    onSuccess: () => refreshWorkflow(client, workspace, workflow.id),
  });
  const changed = name.trim() !== workflow.name || description.trim() !== workflow.description;
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  return (
    <form
      style={{ display: "grid", gap: 16 }}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {save.isError && Object.keys(fields).length === 0 && (
        <ErrorCard title={t("settings.saveFailed")} error={save.error} />
      )}
      <TextField
        label={t("settings.name")}
        value={name}
        required
        maxLength={120}
        disabled={!canBuild}
        error={fields.name?.join(" ")}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextAreaField
        label={t("settings.description")}
        hint={t("settings.descriptionHint")}
        value={description}
        rows={3}
        disabled={!canBuild}
        error={fields.description?.join(" ")}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      {canBuild && (
        <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
          <Button type="submit" variant="primary" disabled={!changed || !name.trim()} busy={save.isPending}>
            {t("settings.save")}
          </Button>
          <span role="status" style={{ display: "flex", gap: 5, alignItems: "center", color: "var(--ink2)" }}>
            {save.isSuccess && !changed && (
              <>
                <Check size={15} aria-hidden />
                {t("settings.saved")}
              </>
            )}
          </span>
        </div>
      )}
    </form>
  );
}

function StartItem({ trigger }: { trigger: Trigger }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const kind = trigger.type.includes("webhook") ? "webhook" : trigger.type.includes("schedule") ? "schedule" : "manual";
  const Icon = { webhook: Webhook, schedule: CalendarClock, manual: MousePointerClick }[kind];
  return (
    <li style={{ display: "grid", gap: 10 }}>
      <div style={{ display: "flex", gap: 9, alignItems: "center" }}>
        <Icon size={17} color="var(--cTrigger)" aria-hidden />
        <b>{t(`settings.startType.${kind}`)}</b>
        <span className="mono" style={{ color: "var(--ink3)" }}>
          {trigger.key}
        </span>
        {!trigger.enabled && <Chip tone="idle">{t("settings.off")}</Chip>}
      </div>
      {trigger.url && (
        <div style={{ display: "grid", gap: 5 }}>
          <small>{t("settings.url")}</small>
          <CopyBox text={trigger.url} />
        </div>
      )}
      {trigger.curl && (
        <div style={{ display: "grid", gap: 5 }}>
          <small>{t("settings.curl")}</small>
          <CopyBox text={trigger.curl} />
        </div>
      )}
      {trigger.next.length > 0 && (
        <div style={{ display: "grid", gap: 5 }}>
          <small>{t("settings.next")}</small>
          <ol style={{ display: "grid", gap: 3 }}>
            {trigger.next.slice(0, 5).map((at) => (
              <li key={at}>
                <time dateTime={at}>{format.exact(at)}</time>
              </li>
            ))}
          </ol>
        </div>
      )}
      {kind === "manual" && <small style={{ color: "var(--ink2)" }}>{t("settings.manual")}</small>}
    </li>
  );
}

function Starts({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const triggers = useTriggers(workflow.id);
  if (triggers.isPending) return <SkeletonRows rows={2} label={t("settings.startsLoading")} />;
  if (triggers.isError) {
    return (
      <ErrorCard
        title={t("settings.startsFailed")}
        error={triggers.error}
        onRetry={() => void triggers.refetch()}
      />
    );
  }
  if (triggers.data.length === 0) return <p style={{ color: "var(--ink2)" }}>{t("settings.startsNone")}</p>;
  return (
    <ul style={{ display: "grid", gap: 22 }}>
      {triggers.data.map((trigger) => (
        <StartItem key={trigger.id} trigger={trigger} />
      ))}
    </ul>
  );
}

export default function WorkflowSettingsPage() {
  const { t } = useTranslation("workflows");
  const { id } = useParams({ from: "/shell/workflows/$id/settings" });
  const navigate = useNavigate();
  const canBuild = useCan("builder");
  const query = useWorkflow(id);
  const workflow = query.data;
  const [deleting, setDeleting] = useState(false);
  useEffect(() => {
    document.title = `${t("tabs.settings")} · ${workflow?.name ?? ""} · Millrace`;
  }, [t, workflow?.name]);
  return (
    <>
      <WorkflowBar id={id} workflow={workflow} tab="settings" />
      <PageBody narrow>
        {query.isError && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
        {workflow && (
          <>
            <Card padded style={{ display: "grid", gap: 16 }}>
              <h2 className={sectionTitleClass}>{t("settings.general")}</h2>
              <NameForm key={workflow.id} workflow={workflow} />
            </Card>
            <Card padded style={{ display: "flex", gap: 14, alignItems: "center" }}>
              <div style={{ flex: 1 }}>
                <h2 className={sectionTitleClass}>{t("settings.state")}</h2>
                <p style={{ color: "var(--ink2)" }}>
                  {workflow.live === null
                    ? t("settings.stateDraft")
                    : workflow.enabled
                      ? t(workflow.hold ? "settings.stateHeld" : "settings.stateOn")
                      : t("settings.stateOff")}
                </p>
              </div>
              <EnableSwitch workflow={workflow} />
            </Card>
            <Suspense>
              <HoldSettings workflow={workflow} />
            </Suspense>
            <Card padded style={{ display: "grid", gap: 16 }}>
              <h2 className={sectionTitleClass}>{t("settings.starts")}</h2>
              <Starts workflow={workflow} />
            </Card>
            {canBuild && (
              <Card padded style={{ display: "flex", gap: 14, alignItems: "center", flexWrap: "wrap" }}>
                <div style={{ flex: 1, minWidth: 240 }}>
                  <h2 className={sectionTitleClass}>{t("settings.danger")}</h2>
                  <p style={{ color: "var(--ink2)" }}>{t("settings.dangerText")}</p>
                </div>
                <Button variant="danger" icon={<Trash2 size={15} aria-hidden />} onClick={() => setDeleting(true)}>
                  {t("settings.deleteButton")}
                </Button>
              </Card>
            )}
            {deleting && (
              <DeleteWorkflowDialog
                workflow={workflow}
                onClose={() => setDeleting(false)}
                onDeleted={() => void navigate({ to: "/workflows" })}
              />
            )}
          </>
        )}
      </PageBody>
    </>
  );
}
