import { useQueryClient } from "@tanstack/react-query";
import { CloudOff, Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { refreshInbox, useTask } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { TaskAnswer, TaskDetail } from "../../api/types";
import { unqueue, useQueue } from "../../api/decisionQueue";
import { Button, ErrorCard, Note, SkeletonRows, useNow } from "../../ui";
import { Decide } from "./Decide";
import { mineOf, useSaid, useTakeBack } from "./decisions";
import css from "./inbox.module.css";
import { ReviewPane } from "./ReviewPane";
import { useSeen } from "./seen";
import { TaskView } from "./TaskView";

/** While it is open, the question is asked for again so often: somebody may be quicker. */
const EVERY = 6_000;

interface TaskPaneProps {
  id: string;
  onDecided: (task: TaskDetail, answer: TaskAnswer) => Promise<void>;
  onTakenBack: (id: string) => void;
}

/** One question, and the ways to answer it. */
export function TaskPane({ id, onDecided, onTakenBack }: TaskPaneProps) {
  const { t } = useTranslation("inbox");
  const query = useTask(id, EVERY);
  const task = query.data;
  useSeen(task);
  const given = task && mineOf(task);
  const queued = useQueue((store) => store.queued[id]);
  const head = useRef<HTMLHeadingElement>(null);
  const there = task !== undefined;
  useEffect(() => {
    // Read it from the top, unless the person walks through the list with the keys.
    if (there && !document.activeElement?.matches("[data-task]")) head.current?.focus({ preventScroll: true });
  }, [there]);

  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const mine = task?.may_decide === true;
  const could = useRef(mine);
  useEffect(() => {
    if (could.current && !mine && !given) {
      // Somebody was quicker: the list is old, and what had the focus may be gone.
      void refreshInbox(client, workspace);
      if (document.activeElement === document.body) head.current?.focus();
    }
    could.current = mine;
  }, [mine, given, client, workspace]);

  if (query.isPending) return <SkeletonRows rows={7} height={30} label={t("loadingOne")} />;
  if (!task) {
    return (
      <div className={css.padded}>
        <ErrorCard title={t("oneFailed")} error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (queued) {
    return (
      <TaskView task={task} head={head} busy>
        <Note tone="wait" icon={<CloudOff size={16} aria-hidden />}>
          <b>{t("offline.chip")}.</b> <NotSent said={queued.answer.outcome} named={task.named} />{" "}
          <Button variant="link" icon={<Undo2 size={14} aria-hidden />} onClick={() => void unqueue(id)}>
            {t("held.undo")}
          </Button>
        </Note>
      </TaskView>
    );
  }
  if (given) {
    return (
      <TaskView task={task} head={head} busy>
        <OnItsWay id={id} until={query.dataUpdatedAt + given.left_ms} said={given.outcome} named={task.named} onTakenBack={onTakenBack} />
      </TaskView>
    );
  }
  if (task.kind === "review") return <ReviewPane task={task} head={head} />;
  if (!task.may_decide) return <TaskView task={task} head={head} />;
  return <Decide task={task} head={head} onDecided={(answer) => onDecided(task, answer)} />;
}

function NotSent({ said, named }: { said: string; named: TaskDetail["named"] }) {
  const { t } = useTranslation("inbox");
  const words = useSaid();
  return <>{t("offline.waits", { said: words(said, named) })}</>;
}

/** It is decided, and can still be taken back. */
function OnItsWay({ id, until, said, named, onTakenBack }: { id: string; until: number; said: string; named: TaskDetail["named"]; onTakenBack: (id: string) => void }) {
  const { t } = useTranslation("inbox");
  const words = useSaid();
  const takeBack = useTakeBack();
  const left = Math.max(0, Math.ceil((until - useNow(250)) / 1000));
  return (
    <Note>
      {left > 0 ? t("held.onItsWay", { count: left, said: words(said, named) }) : t("held.now")}{" "}
      <Button
        variant="link"
        icon={<Undo2 size={14} aria-hidden />}
        onClick={() => void takeBack([id], onTakenBack)}
      >
        {t("held.undo")}
      </Button>
    </Note>
  );
}
