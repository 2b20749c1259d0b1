import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import { useSlowed } from "../../api/slowed";
import type { Task } from "../../api/tasks";
import type { Page, Run } from "../../api/types";
import { buttonClass } from "../../ui";
import people from "./people.module.css";

/** So many are named; all of them stand in the inbox. */
const SHOWN = 3;
/** Nobody tells this run of what an item of an item asks. */
const LOOK_AGAIN = 10_000;
/** A run of many items changes many times a second. ms */
const SELDOM = 2_500;

/** What people are asked by a run, or by its items and the workflows it called: the way to each question. */
export default function RunQuestions({ run }: { run: Run }) {
  const { t } = useTranslation("runs");
  const workspace = useWorkspace().id;
  const seq = useSlowed(run.seq, SELDOM);
  const found = useQuery({
    queryKey: [workspace, "inbox", "around", run.id, seq],
    queryFn: ({ signal }) => api.get<Page<Task>>(`${workspacePath(workspace)}/inbox`, { query: { around: run.id, who: "anybody", limit: 100 }, signal }),
    placeholderData: (before) => before,
    refetchInterval: LOOK_AGAIN,
  });
  const tasks = found.data?.items ?? [];
  if (tasks.length === 0) return null;
  return (
    <ul className={people.questions} aria-label={t("people.questions")}>
      {tasks.slice(0, SHOWN).map((task) => (
        <li key={task.id}>
          <span>{task.title}</span>
          <Link to="/inbox" search={{ task: task.id, ...(task.may_decide ? {} : { who: "anybody" as const }) }} className={buttonClass("link")}>
            {t("people.open")}
            <ArrowRight size={14} aria-hidden />
          </Link>
        </li>
      ))}
      {tasks.length > SHOWN && (
        <li>
          <Link to="/inbox" search={{ who: "anybody" as const }} className={buttonClass("link")}>
            {t("people.moreQuestions", { count: tasks.length - SHOWN })}
            <ArrowRight size={14} aria-hidden />
          </Link>
        </li>
      )}
    </ul>
  );
}
