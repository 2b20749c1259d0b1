import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FlaskConical, Play } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { WholeEvent } from "../../api/schema.gen";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { reasonText } from "../../i18n/server";
import { Button, CheckboxField, ConfirmDialog, CopyBox, Dialog, ErrorCard, Note, SkeletonRows, Time, useFormatter } from "../../ui";
import css from "./events.module.css";
import { useWholeEvent } from "./queries";
import { useSample } from "./useSample";

/** One event, whole: who sent it, what it said, what it was answered, and what came of it. */
export function EventDetail({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation("events");
  const found = useWholeEvent(id);
  const title = found.data ? t("detail.title", { source: t(`source.${found.data.source}`, { defaultValue: found.data.source }) }) : t("detail.loading");
  return (
    <Dialog opened onClose={onClose} title={title} size={720}>
      {found.isPending && <SkeletonRows rows={5} label={t("detail.loading")} />}
      {found.isError && <ErrorCard title={t("failed")} error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <Whole event={found.data} />}
    </Dialog>
  );
}

function Whole({ event }: { event: WholeEvent }) {
  const { t } = useTranslation(["events", "common"]);
  const format = useFormatter();
  const keep = useSample();
  const canBuild = useCan("builder");
  const canRun = useCan("reviewer");
  const [asks, setAsks] = useState(false);
  const sample = event.body_text;
  const facts: [string, string | null][] = [
    [t("detail.came"), format.exact(event.received_at)],
    [t("detail.answer"), event.answered === null ? null : t(`answered.${event.answered}`, { defaultValue: String(event.answered) })],
    [t("detail.signature"), event.source === "webhook" ? t(`signature.${event.signature}`, { defaultValue: event.signature }) : null],
    [t("detail.key"), event.dedupe_key],
    [t("detail.request"), event.method ? `${event.method} ${event.path}${event.query ? `?${event.query}` : ""}` : null],
    [t("detail.type"), event.content_type || null],
    [t("detail.size"), format.bytes(event.body_size)],
    [t("detail.sha256"), event.body_sha256],
  ];
  const use = () => {
    if (sample !== null) keep(event.workflow_id, sample);
  };
  return (
    <div className={css.detail}>
      {event.reason && <Note tone={event.run_id ? "idle" : "wait"}>{reasonText(event.reason)}</Note>}
      {event.parse_error && <Note tone="err">{event.parse_error}</Note>}
      <div className={css.actions}>
        {canRun && (
          <Button icon={<Play size={15} aria-hidden />} onClick={() => setAsks(true)}>
            {t("replay.open")}
          </Button>
        )}
        {canBuild && sample !== null && (
          <Button icon={<FlaskConical size={15} aria-hidden />} onClick={use}>
            {t("sample.use")}
          </Button>
        )}
        {event.run_id && (
          <Link to="/runs/$runId" params={{ runId: event.run_id }}>
            {t("run")}
          </Link>
        )}
      </div>
      <dl className={css.facts}>
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {event.headers.length > 0 && (
        <details className={css.headers}>
          <summary>{t("detail.headers", { count: event.headers.length })}</summary>
          <dl className={css.facts}>
            {event.headers.map(([name, value], place) => (
              // oxlint-disable-next-line react/no-array-index-key -- a header may come twice
              <div key={`${String(name)} ${place}`}>
                <dt>{String(name)}</dt>
                <dd>{String(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <h3>{t("detail.body")}</h3>
      {sample === null ? <p>{t("detail.noText")}</p> : sample === "" ? <p>{t("detail.empty")}</p> : <CopyBox label={t("detail.body")} text={sample} />}
      {event.deliveries.length > 0 && (
        <>
          <h3>{t("detail.again", { count: event.deliveries.length })}</h3>
          <ul className={css.again}>
            {event.deliveries.map((one) => (
              <li key={one.id}>
                <Time at={one.received_at} /> {one.conflict && t("detail.conflict")}
              </li>
            ))}
          </ul>
        </>
      )}
      {asks && <Replay event={event} onClose={() => setAsks(false)} />}
    </div>
  );
}

function Replay({ event, onClose }: { event: WholeEvent; onClose: () => void }) {
  const { t } = useTranslation("events");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const navigate = useNavigate();
  const strange = event.signature === "invalid" && !event.run_id;
  const [sure, setSure] = useState(false);
  const replay = useMutation({
    mutationFn: () => api.post<Run>(`${workspacePath(workspace)}/events/${event.id}/replay`, { unverified: strange && sure }, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: async (run) => {
      await client.invalidateQueries({ queryKey: [workspace, "events"] });
      void navigate({ to: "/runs/$runId", params: { runId: run.id } });
    },
  });
  return (
    <ConfirmDialog opened onClose={onClose} title={t("replay.title")} confirm={t("replay.confirm")} busy={replay.isPending} disabled={strange && !sure} onConfirm={() => replay.mutate()}>
      {replay.isError && <ErrorCard title={t("replay.failed")} error={replay.error} />}
      <p>{event.run_id ? t("replay.again") : t("replay.first")}</p>
      {strange && <CheckboxField label={t("replay.unverified")} hint={t("replay.unverifiedHint")} checked={sure} onChange={setSure} />}
    </ConfirmDialog>
  );
}
