import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import type { GroupNote } from "../../api/letterGroups";
import type { DeadLetterGroup } from "../../api/types";
import { retell } from "../../i18n/server";
import { Button, Dialog, ErrorCard, Note, TextAreaField, TextField } from "../../ui";
import css from "./deadLetters.module.css";
import { isTicket } from "./said";
import own from "./said.module.css";

const LONGEST = 2_000;

interface NoteDialogProps {
  group: DeadLetterGroup;
  /** What was typed and not taken, and why. */
  typed: GroupNote | null;
  error: unknown;
  onSave: (note: GroupNote) => void;
  onClose: () => void;
}

/** A note on a group, and the address of a ticket. It closes at once: whatever is not taken comes back into it. */
export function NoteDialog({ group, typed, error, onSave, onClose }: NoteDialogProps) {
  const { t } = useTranslation(["deadLetters", "common"]);
  const [note, setNote] = useState(typed?.note ?? group.said.note);
  const [ticket, setTicket] = useState(typed?.ticket ?? group.said.ticket);
  // While it is open somebody else may write: that is not to be written over unseen.
  const [seen] = useState(typed?.revision ?? group.said.revision);
  const [told, setTold] = useState(false);
  const wrong = ticket.trim() !== "" && !isTicket(ticket.trim());
  const beaten = error instanceof ApiError && error.code === "note_changed";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTold(true);
    if (wrong) event.currentTarget.querySelector<HTMLInputElement>('input[name="ticket"]')?.focus();
    else onSave({ note, ticket, revision: beaten ? group.said.revision : seen });
  };
  return (
    <Dialog opened onClose={onClose} title={t("note.title", { title: retell("failures", group.code, group.title) })}>
      <form onSubmit={submit} className={css.form} noValidate>
        {error !== null && !beaten && <ErrorCard title={t("note.failed")} error={error} />}
        {beaten && (
          <Note tone="wait">
            <p role="alert">{t("note.beaten", { who: group.said.noted_by ?? "" })}</p>
            <blockquote className={own.theirs}>{group.said.note || t("note.emptied")}</blockquote>
            {group.said.ticket !== "" && <p className={own.theirs}>{group.said.ticket}</p>}
            <p>{t("note.yours")}</p>
          </Note>
        )}
        <TextAreaField
          label={t("note.label")}
          hint={t("note.hint")}
          data-autofocus
          maxLength={LONGEST}
          rows={5}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <TextField
          name="ticket"
          label={t("note.ticket")}
          hint={t("note.ticketHint")}
          error={told && wrong ? t("note.wrong") : undefined}
          inputMode="url"
          autoComplete="off"
          maxLength={500}
          value={ticket}
          onChange={(event) => setTicket(event.currentTarget.value)}
        />
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary">
            {t(beaten ? "note.over" : "note.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
