import { useQueryClient } from "@tanstack/react-query";
import { Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useHeld } from "../../api/held";
import { refreshInbox, useTask } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { TaskAnswer, TaskDetail } from "../../api/types";
import { Button, ErrorCard, Note, SkeletonRows, useNow } from "../../ui";
import { Decide } from "./Decide";
import { takeBackDecision } from "./decisions";
import css from "./inbox.module.css";
import { ReviewPane } from "./ReviewPane";
import { TaskView } from "./TaskView";

/** While it is open, the question is asked for again so often: somebody may be quicker. */
const EVERY = 6_000;

interface TaskPaneProps {
  id: string;
  onDecided: (task: TaskDetail, answer: TaskAnswer) => void;
  onTakenBack: (id: string) => void;
}

/** One question, and the ways to answer it. */
export function TaskPane({ id, onDecided, onTakenBack }: TaskPaneProps) {
  const { t } = useTranslation("inbox");
  const query = useTask(id, EVERY);
  const task = query.data;
  const held = useHeld((store) => store.held[id]);
  const head = useRef<HTMLHeadingElement>(null);
  const there = task !== undefined;
  useEffect(() => {
    // Read it from the top, unless the person walks through the list with the keys.
    if (there && !document.activeElement?.matches("[data-task]")) head.current?.focus({ preventScroll: true });
  }, [there]);

  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const mine = task?.may_decide === true && !held;
  const could = useRef(mine);
  useEffect(() => {
    if (could.current && !mine && !held) {
      // Somebody was quicker: the list is old, and what had the focus may be gone.
      void refreshInbox(client, workspace);
      if (document.activeElement === document.body) head.current?.focus();
    }
    could.current = mine;
  }, [mine, held, client, workspace]);

  if (query.isPending) return <SkeletonRows rows={7} height={30} label={t("loadingOne")} />;
  if (!task) {
    return (
      <div className={css.padded}>
        <ErrorCard title={t("oneFailed")} error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (held) {
    return (
      <TaskView task={task} head={head} busy>
        <OnItsWay id={id} until={held.until} onTakenBack={onTakenBack} />
      </TaskView>
    );
  }
  if (task.kind === "review") return <ReviewPane task={task} head={head} />;
  if (!task.may_decide) return <TaskView task={task} head={head} />;
  return <Decide task={task} head={head} onDecided={(answer) => onDecided(task, answer)} />;
}

/** It is decided, and can still be taken back. */
function OnItsWay({ id, until, onTakenBack }: { id: string; until: number; onTakenBack: (id: string) => void }) {
  const { t } = useTranslation("inbox");
  const left = Math.max(0, Math.ceil((until - useNow(250)) / 1000));
  return (
    <Note>
      {t("held.onItsWay", { count: left })}{" "}
      <Button
        variant="link"
        icon={<Undo2 size={14} aria-hidden />}
        onClick={() => {
          if (takeBackDecision(id)) onTakenBack(id);
        }}
      >
        {t("held.undo")}
      </Button>
    </Note>
  );
}
