import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Items, RecentWorkflow, Workflow } from "../../api/types";
import { workflowText } from "../../i18n/summaries";
import { runStatusKind, SkeletonRows, StatusIcon, Time } from "../../ui";
import { WorkflowChips } from "../workflow/WorkflowBar";
import css from "./home.module.css";
import { Section, Unread } from "./parts";

const MOST = 5;

/** Beneath the workflows, so that whatever makes the list of these old makes this one old, too. */
function useRecent() {
  const workspace = useWorkspace().id;
  return useQuery({
    queryKey: [workspace, "workflows", "recent"],
    queryFn: ({ signal }) => api.get<Items<RecentWorkflow>>(`${workspacePath(workspace)}/workflows/recent`, { signal }),
  });
}

function Row({ workflow, mine }: { workflow: Workflow; mine?: RecentWorkflow }) {
  const { t } = useTranslation("workflows");
  const sentence = workflowText(workflow.sentence) || workflow.description || t("noSteps");
  return (
    <Link to={mine?.did === "ran" ? "/workflows/$id/runs" : "/workflows/$id/build"} params={{ id: workflow.id }} className={css.recent}>
      <b>{workflow.name}</b>
      <span className={css.chips}>
        <WorkflowChips workflow={workflow} />
      </span>
      <small title={sentence}>
        {mine && (
          <>
            {t(`home.did.${mine.did}`)} <Time at={mine.at} />
            {" · "}
          </>
        )}
        {sentence}
      </small>
      {workflow.last_run && (
        <span className={css.last}>
          <StatusIcon kind={runStatusKind(workflow.last_run)} size={15} />
          <Time at={workflow.last_run.at} />
        </span>
      )}
    </Link>
  );
}

/** The workflows that one worked on last, with how they stand; until there are any, those where something went on last. */
export function Recent({ workflows }: { workflows: readonly Workflow[] }) {
  const { t } = useTranslation("workflows");
  const recent = useRecent();
  const mine = recent.data?.items ?? [];
  const touched = (workflow: Workflow) =>
    Math.max(Date.parse(workflow.draft.updated_at), workflow.last_run ? Date.parse(workflow.last_run.at) : 0);
  const others = [...workflows].sort((a, b) => touched(b) - touched(a)).slice(0, MOST);
  return (
    <Section title={t("home.recent")} more={<Link to="/workflows">{t("home.seeAll")}</Link>}>
      <Unread of={[recent]} />
      {!recent.isError && (
        <div className={css.rows}>
          {recent.isPending && <SkeletonRows rows={3} height={44} label={t("loading")} />}
          {mine.map((one) => (
            <Row key={one.workflow.id} workflow={one.workflow} mine={one} />
          ))}
          {recent.data && mine.length === 0 && (
            <>
              <p className={css.quiet}>{t("home.recentNone")}</p>
              {others.map((workflow) => (
                <Row key={workflow.id} workflow={workflow} />
              ))}
            </>
          )}
        </div>
      )}
    </Section>
  );
}
