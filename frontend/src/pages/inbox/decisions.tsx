/** Decisions on their way: held for a moment, then sent, and told of. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { create } from "zustand";

import { api, newIdempotencyKey } from "../../api/client";
import { hold, takeBack, useHeld } from "../../api/held";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { TaskAnswer, TaskDetail } from "../../api/types";
import { formatExact } from "../../graph/exact";
import { hideToast, showToast, useErrorText, useNow } from "../../ui";
import css from "./inbox.module.css";
import { type Draft, isTooLate } from "./task";

export const HELD_MS = 8000;
/** What a request may weigh that is to arrive though the page is closed: browsers take 64 kB of all of them together. */
const LIGHT = 15_000;

/** What was put in and is not sent yet, by question: it is there again when the person comes back. */
export const drafts = new Map<string, Draft>();

/** When something was decided here the last time. */
export const lastDecision = { at: 0 };

/** Decisions that the server did not take, by question, with its reason. */
export const useRefused = create<{ refused: Readonly<Record<string, unknown>> }>(() => ({ refused: {} }));

function refuse(id: string, error: unknown): void {
  useRefused.setState(({ refused }) => ({ refused: { ...refused, [id]: error } }));
}

/** What tells of a decision that can still be taken back, by question. */
const toasts = new Map<string, string>();

/** Whether it could still be taken back; what told of it goes. */
export function takeBackDecision(id: string): boolean {
  const toast = toasts.get(id);
  if (toast) hideToast(toast);
  return takeBack(id);
}

function Countdown({ until, text }: { until: number; text: string }) {
  const { t } = useTranslation("inbox");
  const left = Math.max(0, Math.ceil((until - useNow(250)) / 1000));
  return (
    <>
      <span className={css.toastTitle}>{text}</span>
      <span className="srOnly">{t("held.spoken", { count: HELD_MS / 1000 })}</span>
      <span aria-hidden className="tn">
        {t("held.countdown", { count: left })}
      </span>
    </>
  );
}

function isLight(answer: TaskAnswer): boolean {
  return formatExact(answer).length < LIGHT;
}

async function send(client: QueryClient, workspace: string, id: string, answer: TaskAnswer, key: string): Promise<void> {
  const path = `${workspacePath(workspace)}/inbox/${id}/decide`;
  const keepalive = isLight(answer);
  try {
    await api.post<TaskDetail>(path, answer, { idempotencyKey: key, keepalive });
    drafts.delete(id);
  } finally {
    void refreshInbox(client, workspace);
    void client.invalidateQueries({ queryKey: [workspace, "runs"] });
  }
}

/** Words for an outcome that somebody chose, such as "Approved". */
export function useSaid(): (outcome: string | null) => string {
  const { t, i18n } = useTranslation("inbox");
  return (outcome) => {
    if (!outcome) return "";
    return i18n.exists(`said.${outcome}`, { ns: "inbox" }) ? t(`said.${outcome}`) : outcome;
  };
}

/**
 * Decides. The answer is held for some seconds, in which it can be taken back; then `onTakenBack` is called. What could not
 * be sent while the page closes is sent at once. `onOpen` shows the question again if the server did not take the answer.
 */
export function useDecide(onTakenBack: (id: string) => void, onOpen: (id: string) => void) {
  const { t } = useTranslation("inbox");
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  const said = useSaid();
  const errorText = useErrorText();
  return (task: TaskDetail, answer: TaskAnswer): void => {
    const { id, title } = task;
    lastDecision.at = Date.now();
    const key = newIdempotencyKey();
    const safe = isLight(answer) && "keepalive" in Request.prototype;
    const { refused: before } = useRefused.getState();
    const { [id]: _gone, ...rest } = before;
    useRefused.setState({ refused: rest });

    let toast: string | null = null;
    const act = async () => {
      if (toast) hideToast(toast);
      try {
        await send(client, workspace, id, answer, key);
        showToast({ aside: true, title: t("held.sent", { said: said(answer.outcome) }), text: title });
      } catch (error) {
        if (isTooLate(error)) {
          const by = String(error.params["by"] ?? "");
          const outcome = said(String(error.params["outcome"] ?? ""));
          drafts.delete(id);
          showToast({ aside: true, tone: "info", title: t(`late.${error.code}`, { by, said: outcome }), text: title });
          return;
        }
        refuse(id, error);
        showToast({
          aside: true,
          tone: "err",
          title: t("held.failed", { title }),
          text: errorText(error).title,
          action: { label: t("held.open"), run: () => onOpen(id) },
        });
      }
    };
    if (!safe) {
      void act();
      return;
    }
    hold(id, act, HELD_MS);
    toast = showToast({
      title: said(answer.outcome),
      text: <Countdown until={Date.now() + HELD_MS} text={title} />,
      stays: true,
      aside: true,
      action: {
        label: t("held.undo"),
        run: () => {
          if (takeBackDecision(id)) onTakenBack(id);
        },
      },
    });
    toasts.set(id, toast);
  };
}

/** Takes back the decision that was made last, if it is still here. */
export function useTakeBackLast(onTakenBack: (id: string) => void): () => void {
  return useCallback(() => {
    const last = Object.values(useHeld.getState().held).sort((left, right) => right.until - left.until)[0];
    if (last && takeBackDecision(last.key)) onTakenBack(last.key);
  }, [onTakenBack]);
}
