import { useMutation, useQueryClient } from "@tanstack/react-query";
import { MessageCircleQuestion } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, keyForEach } from "../../api/client";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { TaskDetail } from "../../api/types";
import { Avatar, Button, ErrorCard, TextAreaField, Time } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { byOf } from "./away";
import css from "./inbox.module.css";
import { isAsking } from "./task";

/** What happened to a question beside its answers: what was said about it, who was asked too, who handed it over, whom a
 * mail missed; and a word that decides nothing. */
export default function Meanwhile({ task }: { task: TaskDetail }) {
  const { t } = useTranslation(["people", "inbox", "away"]);
  if (task.notes.length === 0 && !isAsking(task)) return null;
  return (
    <section className={css.block}>
      <h3>{t("notes.title")}</h3>
      {task.notes.length > 0 && (
        <ul className={css.votes}>
          {task.notes.map((note) => {
            const { kind, by } = note;
            const to = byOf({ by: note.to, in_place_of: note.to_for }, t as never);
            const key = kind === "take" && to ? "takeOver" : kind === "give_back" && to ? (by ? "give_back_for" : "left") : kind;
            return (
              <li key={`${kind} ${note.at} ${to}`}>
                {kind === "comment" && <Avatar name={by} />}
                <div>
                  <span>
                    {t(`notes.${key}`, { by, to })} · <Time at={note.at} />
                  </span>
                  {note.text && <p className={css.text}>{note.text}</p>}
                </div>
              </li>
            );
          })}
        </ul>
      )}
      {isAsking(task) && <Ask task={task} />}
    </section>
  );
}

function Ask({ task }: { task: TaskDetail }) {
  const { t } = useTranslation(["people", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [keyOf] = useState(keyForEach);
  const send = useMutation({
    mutationFn: () =>
      api.post<TaskDetail>(`${workspacePath(workspace)}/inbox/${task.id}/comments`, { text }, { idempotencyKey: keyOf(text) }),
    onSuccess: () => {
      setText("");
      setOpen(false);
    },
    onSettled: () => refreshInbox(client, workspace),
  });
  useShortcut("q", () => setOpen(true));
  const wrong = send.error instanceof ApiError ? [send.error.fields["text"]].flat()[0] : undefined;
  if (!open) {
    return (
      <div>
        <Button size="sm" icon={<MessageCircleQuestion size={14} aria-hidden />} onClick={() => setOpen(true)}>
          {t("ask.open")}
        </Button>
      </div>
    );
  }
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) send.mutate();
      }}
    >
      {send.isError && !wrong && <ErrorCard title={t("ask.failed")} error={send.error} />}
      <TextAreaField
        label={t("ask.label")}
        hint={t("ask.hint")}
        autoFocus
        maxLength={2000}
        rows={2}
        value={text}
        error={wrong}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className={css.dialogButtons}>
        <Button onClick={() => setOpen(false)}>{t("common:action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={send.isPending} disabled={!text.trim()}>
          {t("ask.send")}
        </Button>
      </div>
    </form>
  );
}
