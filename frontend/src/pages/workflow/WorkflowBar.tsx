import { Link } from "@tanstack/react-router";
import { ChevronRight, CircleDot, CirclePause, Play } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useTriggers } from "../../api/queries";
import { useCan } from "../../api/session";
import type { Workflow } from "../../api/types";
import { buttonClass, type ButtonVariant, Chip, segmentClass, segmentsClass, TopBar, useFormatter } from "../../ui";
import { HoldBar } from "./HoldBar";

export type WorkflowTab = "build" | "runs" | "versions" | "starts" | "events" | "history" | "settings";
const TABS: readonly WorkflowTab[] = ["build", "runs", "versions", "starts", "events", "history", "settings"];

/** Build · Runs · Versions · Starts · History · Settings, the same on every screen of a workflow. */
export function WorkflowTabs({ id, current }: { id: string; current?: WorkflowTab }) {
  const { t } = useTranslation("workflows");
  return (
    <nav className={segmentsClass} aria-label={t("tabs.label")}>
      {TABS.map((tab) => (
        <Link
          key={tab}
          to={`/workflows/$id/${tab}`}
          params={{ id }}
          className={segmentClass}
          aria-current={tab === current ? "page" : undefined}
          preload="intent"
        >
          {t(`tabs.${tab}`)}
        </Link>
      ))}
    </nav>
  );
}

/** Live or switched off, and whether the draft is ahead of what runs. */
export function WorkflowChips({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  return (
    <>
      {workflow.hold && (
        <Chip tone="wait" icon={<CirclePause size={13} aria-hidden />} data-testid="held-chip">
          {workflow.hold.waiting > 0
            ? t("chip.heldCount", { number: format.number(workflow.hold.waiting) })
            : t("chip.held")}
        </Chip>
      )}
      {workflow.live &&
        (workflow.enabled ? (
          <Chip tone="ok" icon={<CircleDot size={13} aria-hidden />}>
            {t("chip.live", { version: workflow.live.version })}
          </Chip>
        ) : (
          <Chip tone="idle" icon={<CirclePause size={13} aria-hidden />}>
            {t("chip.off", { version: workflow.live.version })}
          </Chip>
        ))}
      {!workflow.live && <Chip>{t("chip.draftOnly")}</Chip>}
      {workflow.live && workflow.draft.changed && <Chip tone="wait">{t("chip.draftChanged")}</Chip>}
    </>
  );
}

/** Leads to the page that starts the workflow by hand, where it can be. */
export function RunButton({ workflow, variant = "primary" }: { workflow: Workflow; variant?: ButtonVariant }) {
  const { t } = useTranslation("workflows");
  const mayStart = useCan("reviewer") && workflow.live !== null && workflow.enabled;
  const triggers = useTriggers(workflow.id, mayStart);
  if (!mayStart || !triggers.data?.some((one) => one.form !== null && one.enabled)) return null;
  return (
    <Link to="/workflows/$id/run" params={{ id: workflow.id }} className={buttonClass(variant)} preload="intent" data-testid="run-button">
      <Play size={15} aria-hidden />
      {t("run")}
    </Link>
  );
}

/** The top bar of the Runs, Versions, Starts and Settings tabs of a workflow. */
export function WorkflowBar(props: {
  id: string;
  workflow: Workflow | undefined;
  /** None on the page that starts it. */
  tab?: WorkflowTab;
  actions?: ReactNode;
}) {
  const { t } = useTranslation("workflows");
  const { id, workflow, tab } = props;
  return (
    <>
      <TopBar
        crumbs={
          <>
            <Link to="/workflows">{t("title")}</Link>
            <ChevronRight size={14} aria-hidden />
          </>
        }
        title={workflow?.name ?? "…"}
        chips={workflow && <WorkflowChips workflow={workflow} />}
        middle={<WorkflowTabs id={id} {...(tab ? { current: tab } : {})} />}
        actions={
          <>
            {props.actions}
            {tab && workflow && <RunButton workflow={workflow} />}
          </>
        }
      />
      <HoldBar workflow={workflow} />
    </>
  );
}
