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

type Round = Drill["rounds"][number];

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
      {drill !== null && <Advice rounds={drill.rounds} />}
      {drill !== null && drill.rounds.length > 0 && (
        <ol className={css.rounds} aria-label={t("rounds")}>
          {drill.rounds.map((one, at) => {
            const again = timesBefore(drill.rounds, at);
            return (
              <li key={one.round} data-tone={outcomeOf(one)}>
                <div className={css.round}>
                  <span>
                    {one.step && <span className={css.step}>{one.step}</span>} {t(`point.${one.point.replace(".", "_")}`)}
                    {again > 0 && ` ${t("time", { count: again + 1 })}`}
                  </span>
                  <b>
                    {outcomeOf(one) === "undo" && `${t(`round.${endOf(one)}`)} · `}
                    {t(`round.${outcomeOf(one)}`)}
                  </b>
                </div>
              </li>
            );
          })}
        </ol>
      )}
    </Dialog>
  );
}

/** How often the plug was pulled at a boundary of the same name before: of a step with several tries or entries. */
function timesBefore(rounds: readonly Round[], at: number): number {
  const { step, point } = rounds[at] as Round;
  return rounds.slice(0, at).filter((one) => one.step === step && one.point === point).length;
}

function outcomeOf(one: Round): "twice" | "finished" | "asks" | "beyond" | "undo" | "lost" {
  if (Object.keys(one.duplicates).length > 0) return "twice";
  if (one.undo === false) return "undo";
  return endOf(one);
}

function endOf(one: Round): "finished" | "asks" | "beyond" | "lost" {
  return one.finished ? "finished" : one.asks ? "asks" : one.beyond ? "beyond" : "lost";
}

/** What to do about the rounds that did not simply finish, each said once. */
function Advice({ rounds }: { rounds: readonly Round[] }) {
  const { t } = useTranslation("drill");
  const found = new Map(rounds.flatMap((one) => (one.advice ?? []).map((said) => [`${said.what} ${said.step}`, said] as const)));
  const lost = rounds.some((one) => outcomeOf(one) === "lost");
  if (found.size === 0 && !lost) return null;
  return (
    <section className={css.advice} aria-label={t("advice.title")}>
      <h3>{t("advice.title")}</h3>
      <ul>
        {[...found].map(([key, { what, step }]) => (
          <li key={key}>
            {t(`advice.${what.replace(/_person$/, "")}`, { step })} {what.startsWith("doubt") && t(what.endsWith("_person") ? "advice.person" : "advice.noPerson")}
          </li>
        ))}
        {lost && <li>{t("advice.lost")}</li>}
      </ul>
    </section>
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
