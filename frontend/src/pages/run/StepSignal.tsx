import { ArrowRight, Bell, Link as LinkIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { useCan } from "../../api/session";
import type { GraphNode, Json, Run, RunStep } from "../../api/types";
import { useResumeLink, useWaits } from "../../api/waits";
import { Button, copyText, Note, runIsFinished, showToast, Time, useFormatter } from "../../ui";
import css from "./people.module.css";
import { cameBy } from "./signal";

const GoOnNow = lazy(() => import("./GoOnNow"));

/** A step that waits for its link or for an event: for what, until when, and what those who may can do about it. */
export function WaitsForSignal({ run, node, step }: { run: Run; node: GraphNode; step: RunStep }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const mayMoveOn = useCan("reviewer");
  const [asking, setAsking] = useState(false);
  const wait = useWaits(run.id, step.seq).data?.find((one) => one.node === step.node && one.status === "open");
  const until = step.wait?.until;
  const isLink = isLinkStep(node);
  return (
    <Note tone="wait" icon={isLink ? <LinkIcon size={16} aria-hidden /> : <Bell size={16} aria-hidden />}>
      <b>{isLink ? t("signal.waits") : wait ? t("signal.waitsFor", { name: wait.name, key: wait.key }) : t("step.waits_event")}</b>
      {isLink && wait?.title && <div className={css.what}>{wait.title}</div>}
      {until && <div>{t("signal.until", { time: format.exact(until) })}</div>}
      {mayMoveOn && (
        <div className={css.signalActions}>
          {isLink && <CopyLink run={run} node={node} />}
          <Button size="sm" icon={<ArrowRight size={14} aria-hidden />} onClick={() => setAsking(true)}>
            {t("signal.goOn")}
          </Button>
        </div>
      )}
      {asking && (
        <Suspense>
          <GoOnNow run={run} node={node} onClose={() => setAsking(false)} />
        </Suspense>
      )}
    </Note>
  );
}

/** Of a step that the run has not come to: its link is good already. */
export function LinkAhead({ run, node }: { run: Run; node: GraphNode }) {
  const { t } = useTranslation("runs");
  const may = useCan("reviewer");
  if (!may || !isLinkStep(node) || runIsFinished(run)) return null;
  return (
    <div className={css.ahead}>
      <p>{t("signal.ahead")}</p>
      <CopyLink run={run} node={node} />
    </div>
  );
}

function CopyLink({ run, node }: { run: Run; node: GraphNode }) {
  const { t } = useTranslation("runs");
  const link = useResumeLink(run.id, node.id);
  const [busy, setBusy] = useState(false);
  const copy = async () => {
    setBusy(true);
    try {
      const url = await link();
      showToast((await copyText(url)) ? { title: t("signal.copied"), text: t("signal.copiedText") } : { tone: "info", title: t("signal.link"), text: url });
    } catch (error) {
      showToast({ tone: "err", title: error instanceof ApiError ? error.title : t("signal.noLink") });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="sm" icon={<LinkIcon size={14} aria-hidden />} busy={busy} onClick={() => void copy()}>
      {t("signal.copy")}
    </Button>
  );
}

/** What moved a step on that waited for a signal. */
export function SignalCame({ node, output }: { node: GraphNode; output: Json }) {
  const { t } = useTranslation("runs");
  const came = cameBy(node.type, output);
  if (!came) return null;
  return (
    <p className={css.came}>
      {came.by === "link" ? t("signal.cameByLink") : t("signal.cameBy", { name: came.by })}
      {" · "}
      <Time at={came.at} />
    </p>
  );
}

function isLinkStep(node: GraphNode): boolean {
  return node.type.startsWith("flow.wait_signal@");
}
