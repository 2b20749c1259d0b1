import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Unplug } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { Drill, LatestDrill, Workflow } from "../../api/types";
import type { Json } from "../../graph";
import { useEnvironment } from "../../inspector/EditorContext";
import { Button, CheckboxField, Dialog, ErrorCard, Note } from "../../ui";
import css from "./drill.module.css";

/** The plug-pull drill: starts it, shows each round as it comes, and what came of all. */
export default function DrillDialog(props: { workflow: Workflow; trigger: string | null; input: Json; onClose(): void }) {
  const { t } = useTranslation("drill");
  const { store, workspace } = useEnvironment();
  const client = useQueryClient();
  const [keysCount, setKeysCount] = useState(true);
  const path = `${workspacePath(workspace)}/workflows/${props.workflow.id}/drill`;
  const key = [workspace, "drill", props.workflow.id];
  const latest = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.get<LatestDrill>(path, { signal }),
    refetchInterval: (query) => (query.state.data?.drill?.status === "running" ? 1000 : false),
  });
  const start = useMutation({
    mutationFn: () => {
      const graph = store.getState().document;
      return api.post<LatestDrill>(path, { graph, trigger: props.trigger, input: props.input, keys_count: keysCount });
    },
    onSuccess: (found) => client.setQueryData(key, found),
  });
  const drill = latest.data?.drill ?? null;
  const running = drill?.status === "running";
  return (
    <Dialog
      opened
      onClose={props.onClose}
      size={600}
      title={t("title")}
      footer={
        <>
          <Button onClick={props.onClose}>{t("close")}</Button>
          <Button variant="primary" icon={<Unplug size={15} aria-hidden />} busy={start.isPending || running} onClick={() => start.mutate()} data-testid="drill-start">
            {t(drill ? "again" : "start")}
          </Button>
        </>
      }
    >
      <p>{t("what")}</p>
      <CheckboxField label={t("keys")} hint={t("keysHint")} checked={keysCount} onChange={setKeysCount} />
      {start.error !== null && <ErrorCard title={t("wrong")} error={start.error} />}
      <div role="status">{drill && <Outcome drill={drill} />}</div>
      {drill !== null && drill.rounds.length > 0 && (
        <ol className={css.rounds} aria-label={t("rounds")}>
          {drill.rounds.map((one) => (
            <li key={one.round}>
              <span>
                {one.step && <span className={css.step}>{one.step}</span>} {t(`point.${one.point.replace(".", "_")}`)}
              </span>
              <b>{t(Object.keys(one.duplicates).length > 0 ? "round.twice" : one.finished ? "round.finished" : one.asks ? "round.asks" : one.beyond ? "round.beyond" : "round.lost")}</b>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}

function Outcome({ drill }: { drill: Drill }) {
  const { t } = useTranslation("drill");
  if (drill.status === "failed") return <Note tone="err">{t(`failed.${drill.error}`)}</Note>;
  if (drill.status === "running") {
    return <Note tone="wait">{drill.total === null ? t("starting") : t("running", { round: drill.rounds.length, total: drill.total })}</Note>;
  }
  const undo = t(drill.undo_complete === null ? "undo.none" : drill.undo_complete ? "undo.complete" : "undo.incomplete");
  const well = drill.duplicates === 0 && drill.undo_complete !== false && drill.beyond === null && drill.finished + drill.asks === drill.total;
  return (
    <Note tone={well ? "ok" : "err"}>
      <b data-testid="drill-result">{t("result", { finished: drill.finished, total: drill.total, duplicates: drill.duplicates, undo })}</b>{" "}
      {drill.beyond && t(drill.beyond.step ? `beyond.${drill.beyond.why}` : "beyond.somewhere", { step: drill.beyond.step })}{" "}
      {drill.asks > 0 && t("asks", { count: drill.asks })} {drill.careless.length > 0 && t("careless", { names: drill.careless.join(", ") })}
    </Note>
  );
}
