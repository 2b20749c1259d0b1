/** What the person has not seen: a question is seen when it was open before their eyes for a moment. */
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { create } from "zustand";

import { api, newIdempotencyKey } from "../../api/client";
import { type InboxCount, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Page, Task, TaskDetail } from "../../api/types";
import { showToast, useErrorText } from "../../ui";

/** Whoever walks on through the list has not seen what was open for a blink. */
const MOMENT_MS = 1_500;

/** What was marked as unread stays so while it is open; whoever comes back to it sees it again. */
const useHeld = create<{ id: string | null }>(() => ({ id: null }));

function setUnread(client: QueryClient, workspace: string, id: string, unread: boolean): void {
  const change = <T extends Task>(task: T): T => (task.id === id ? { ...task, unread } : task);
  client.setQueriesData<TaskDetail>({ queryKey: [workspace, "inbox", "task", id] }, (task) => task && change(task));
  client.setQueriesData<InfiniteData<Page<Task>>>(
    { queryKey: [workspace, "inbox"], predicate: ({ queryKey }) => typeof queryKey[2] === "object" },
    (lists) => lists && { ...lists, pages: lists.pages.map((page) => ({ ...page, items: page.items.map(change) })) },
  );
  const by = unread ? 1 : -1;
  client.setQueriesData<InboxCount>({ queryKey: [workspace, "inbox", "count"] }, (was) => was && { ...was, unread: Math.max(0, was.unread + by) });
}

/** Says that a question is seen, or is to stand as new; the lists show it at once. What went wrong, if anything did. */
function useSay(): (id: string, seen: boolean) => Promise<unknown> {
  const client = useQueryClient();
  const workspace = useWorkspace().id;
  return useCallback(
    async (id, seen) => {
      try {
        await api.put(`${workspacePath(workspace)}/inbox/${id}/seen`, { seen }, { idempotencyKey: newIdempotencyKey() });
      } catch (error) {
        return error;
      }
      setUnread(client, workspace, id, !seen);
      void client.invalidateQueries({ queryKey: [workspace, "inbox", "count"] });
      return undefined;
    },
    [client, workspace],
  );
}

/** Says so once it was open for a moment, in a window that is looked at. */
export function useSeen(task: TaskDetail | undefined): void {
  const say = useSay();
  const held = useHeld((store) => store.id);
  const id = task?.unread && held !== task.id ? task.id : undefined;
  useEffect(() => {
    if (!id) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      // Where nothing can be said it is said when it is opened the next time.
      if (document.visibilityState === "visible") timer = setTimeout(() => void say(id, true), MOMENT_MS);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [id, say]);
  const open = task?.id;
  useEffect(() => () => useHeld.setState((was) => (was.id === open ? { id: null } : was)), [open]);
}

/** Lets a question stand as new; false where it does so already, or this person is not asked. */
export function useMarkUnread(): (task: Task | undefined) => boolean {
  const { t } = useTranslation("inbox");
  const errorText = useErrorText();
  const say = useSay();
  return (task) => {
    if (!task || !canBeUnread(task)) return false;
    useHeld.setState({ id: task.id });
    void say(task.id, false).then((error) => {
      if (error !== undefined) showToast({ tone: "err", title: t("notUnread"), text: errorText(error).title });
    });
    return true;
  };
}

/** Whether it can stand as new again. */
export const canBeUnread = (task: Task): boolean => !task.unread && task.asks_me;
