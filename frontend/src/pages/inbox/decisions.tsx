/** Decisions: given, taken back while there is time, and told of when they have taken effect. The server waits, not we. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { create } from "zustand";

import { api, NetworkError, newIdempotencyKey } from "../../api/client";
import { readTask, refreshInbox, workspacePath } from "../../api/queries";
import { useUser, useWorkspace } from "../../api/session";
import type { PendingAnswer, Task, TaskAnswer, TaskDetail } from "../../api/types";
import { enqueue, unqueue } from "../../api/decisionQueue";
import { hideToast, showToast, useErrorText, useNow } from "../../ui";
import { lateWords, whyNot } from "./away";
import css from "./inbox.module.css";
import { useSaid } from "./said";
import { type Draft, isTooLate } from "./task";

/** What was put in and has not taken effect yet, by question: it is there again when the person comes back. */
export const drafts = new Map<string, Draft>();

/** When something was decided here the last time. */
export const lastDecision = { at: 0 };

/** Decisions that the server did not take, by question, with its reason. */
export const useRefused = create<{ refused: Readonly<Record<string, unknown>> }>(() => ({ refused: {} }));

function refuse(id: string, error: unknown): void {
  useRefused.setState(({ refused }) => ({ refused: { ...refused, [id]: error } }));
}

function forgive(id: string): void {
  const { [id]: _gone, ...rest } = useRefused.getState().refused;
  useRefused.setState({ refused: rest });
}

/** What was decided here and can still be taken back: of one question, or of several that were decided together. */
interface Given {
  tasks: readonly string[];
  until: number;
  toast: string;
}
const given: Given[] = [];

function forget(one: Given): void {
  const at = given.indexOf(one);
  if (at >= 0) given.splice(at, 1);
  hideToast(one.toast);
}

/** How long there is still to take something back, in words that are spoken once and seen all the time. */
export function Countdown({ until, text }: { until: number; text: string }) {
  const { t } = useTranslation("inbox");
  const left = Math.max(0, Math.ceil((until - useNow(250)) / 1000));
  return (
    <>
      <span className={css.toastTitle}>{text}</span>
      <span className="srOnly">{t("held.spoken")}</span>
      <span aria-hidden className="tn">
        {left > 0 ? t("held.countdown", { count: left }) : t("held.now")}
      </span>
    </>
  );
}

export { useSaid } from "./said";

/** What I have said to a question and can still take back. */
export function mineOf(task: Pick<Task, "pending">): PendingAnswer | undefined {
  return task.pending.find((one) => one.me && one.until !== null);
}

/** Words for who is deciding a question right now; empty where nobody else is. */
export function useDeciding(): (task: Pick<Task, "pending" | "named">) => string {
  const { t, i18n } = useTranslation("inbox");
  return (task) => {
    const one = task.pending.find((other) => !other.me && other.until !== null);
    if (!one) return "";
    const known = !task.named?.[one.outcome] && i18n.exists(`deciding.${one.outcome}`, { ns: "inbox" });
    return t(`deciding.${known ? one.outcome : "other"}`, { by: one.by });
  };
}

/** Resolves when the questions have been read again. */
function afterwards(client: QueryClient, workspace: string): Promise<unknown> {
  void client.invalidateQueries({ queryKey: [workspace, "runs"] });
  return refreshInbox(client, workspace);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** The server lets it take effect within half a second; what takes longer is told of by the list. */
const LOOKS = 20;

/** Waits until it has taken effect, or could not; undefined where it was taken back, or nobody can tell. */
async function becameOf(workspace: string, id: string, until: number): Promise<{ refused: PendingAnswer | null } | undefined> {
  await pause(Math.max(0, until - Date.now()) + 700);
  for (let look = 0; look < LOOKS; look += 1) {
    const task = await readTask(workspace, id).catch(() => undefined);
    const mine = task?.pending.find((one) => one.me);
    if (mine?.refused) return { refused: mine };
    if (task?.votes.some((vote) => vote.me)) return { refused: null };
    if (task && !mine) return undefined;
    await pause(1000);
  }
  return undefined;
}

interface Keeping {
  tasks: readonly string[];
  left: number;
  title: string;
  text: string;
  onTakenBack: (id: string) => void;
  /** It has taken effect, or could not (`refused`). */
  onEffect: (refused: PendingAnswer | null) => void;
}

/** Tells of what can be taken back, and how it ends. */
export function useKeep(): (keeping: Keeping) => void {
  const { t } = useTranslation("inbox");
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const takeBack = useTakeBack();
  return ({ tasks, left, title, text, onTakenBack, onEffect }) => {
    const until = Date.now() + left;
    const one: Given = { tasks, until, toast: "" };
    one.toast = showToast({
      title,
      text: <Countdown until={until} text={text} />,
      stays: true,
      aside: true,
      action: { label: t("held.undo"), run: () => void takeBack(tasks, onTakenBack) },
    });
    given.push(one);
    void becameOf(workspace, tasks[0] ?? "", until).then((became) => {
      const here = given.includes(one);
      forget(one);
      if (!here) return;
      void afterwards(client, workspace);
      if (became) onEffect(became.refused);
    });
  };
}

/** Takes back what can be; `onTakenBack` is called with the first of it. */
export function useTakeBack(): (tasks: readonly string[], onTakenBack: (id: string) => void) => Promise<void> {
  const { t } = useTranslation("inbox");
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const errorText = useErrorText();
  return useCallback(
    async (tasks, onTakenBack) => {
      for (const one of given.filter((other) => tasks.some((id) => other.tasks.includes(id)))) forget(one);
      const path = `${workspacePath(workspace)}/inbox`;
      try {
        const [only] = tasks;
        if (tasks.length === 1) await api.post<TaskDetail>(`${path}/${only}/take-back`, {}, { idempotencyKey: newIdempotencyKey() });
        else await api.post(`${path}/take-back`, { tasks }, { idempotencyKey: newIdempotencyKey() });
        await refreshInbox(client, workspace);
        if (only) onTakenBack(only);
      } catch (error) {
        showToast({ aside: true, tone: "err", title: t("held.notBack"), text: errorText(error).title });
        void afterwards(client, workspace);
      }
    },
    [client, errorText, t, workspace],
  );
}

/**
 * Decides; resolves to whether it was `taken`, so that the next question opens, and to what resolves when the questions
 * have been `read` again. For some seconds it can be taken back; then `onTakenBack` is called. `onOpen` shows the question
 * again if it could not take effect.
 */
export function useDecide(
  onTakenBack: (id: string) => void,
  onOpen: (id: string) => void,
): (task: TaskDetail, answer: TaskAnswer) => Promise<{ taken: boolean; read: Promise<unknown> }> {
  const { t } = useTranslation(["inbox", "away"]);
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const said = useSaid();
  const keep = useKeep();
  const user = useUser().id;
  const send = async (task: TaskDetail, answer: TaskAnswer): Promise<boolean> => {
    const { id, title } = task;
    const saidOf = (outcome: string) => said(outcome, task.named);
    const words = saidOf(answer.outcome);
    const key = newIdempotencyKey();
    forgive(id);
    const failed = (why: string) =>
      showToast({
        aside: true,
        tone: "err",
        title: t("held.failed", { title }),
        text: why,
        action: { label: t("held.open"), run: () => onOpen(id) },
      });
    try {
      const path = `${workspacePath(workspace)}/inbox/${id}/decide`;
      const taken = await api.post<TaskDetail>(path, { ...answer, undo: true }, { idempotencyKey: key });
      lastDecision.at = Date.now();
      const mine = mineOf(taken);
      if (mine) {
        const onEffect = (refused: PendingAnswer | null) => {
          if (refused !== null) {
            failed(whyNot({ ...refused, message: refused.refused }, saidOf, t));
            return;
          }
          drafts.delete(id);
          showToast({ aside: true, title: t("held.sent", { said: words }), text: title });
        };
        keep({ tasks: [id], left: mine.left_ms, title: words, text: title, onTakenBack, onEffect });
      } else {
        drafts.delete(id);
        showToast({ aside: true, title: t("held.sent", { said: words }), text: title });
      }
      return true;
    } catch (error) {
      if (error instanceof NetworkError && !task.in_doubt) {
        lastDecision.at = Date.now();
        await enqueue({ user, workspace, task: id, title, named: task.named, answer, key, at: Date.now() });
        const undo = () => void unqueue(id).then(() => onTakenBack(id));
        showToast({ aside: true, tone: "info", title: t("offline.notSent", { said: words }), text: title, action: { label: t("held.undo"), run: undo } });
        return true;
      }
      if (isTooLate(error)) {
        const late = lateWords(error, saidOf, t);
        showToast({ aside: true, tone: "info", title: late, text: title });
      } else {
        // It stays before the person, with what is wrong beside it.
        refuse(id, error);
      }
      return false;
    }
  };
  return async (task, answer) => ({ taken: await send(task, answer), read: afterwards(client, workspace) });
}

/** Takes back what was decided last, if it still can be; false where there is nothing to take back. */
export function useTakeBackLast(onTakenBack: (id: string) => void): () => boolean {
  const takeBack = useTakeBack();
  return useCallback(() => {
    const last = given.at(-1);
    if (last) void takeBack(last.tasks, onTakenBack);
    return last !== undefined;
  }, [onTakenBack, takeBack]);
}
