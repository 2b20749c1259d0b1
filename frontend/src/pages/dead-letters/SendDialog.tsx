import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { useAskable } from "../../api/people";
import { passOn, refreshSendings, type SentLetters, sendLetters } from "../../api/sendings";
import { useUser, useWorkspace } from "../../api/session";
import type { DeadLetter } from "../../api/types";
import { retell } from "../../i18n/server";
import { Button, Dialog, ErrorCard, Note, SelectField, showToast, TextAreaField, useFormatter } from "../../ui";
import css from "./deadLetters.module.css";
import { receiverName, receivers } from "./sent";
import own from "./sent.module.css";
import { countOf, type Target } from "./target";

const LONGEST = 2_000;

/** Dead letters go to somebody's inbox: those of a target, or what came to oneself and goes on to another. */
export type Going = { target: Target; sending?: undefined } | { sending: SentLetters; target?: undefined };

export function SendDialog({ target, sending, onClose }: Going & { onClose: () => void }) {
  const { t } = useTranslation(["sent", "people", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const me = useUser().email;
  const client = useQueryClient();
  const askable = useAskable();
  const [to, setTo] = useState("");
  const [note, setNote] = useState("");
  const [told, setTold] = useState(false);
  const count = sending ? sending.open : countOf(target);
  const many = { count, number: format.number(count) };
  const choices = receivers(askable.data, sending ? [sending.to.key] : [me], t);
  const name = choices.find((one) => one.value === to)?.label ?? "";
  const send = useMutation({
    mutationFn: () => {
      const said = { to, note: note.trim() };
      if (sending) return passOn(workspace, sending.id, said.to, said.note);
      const within = target.sent ? { within: target.sent } : {};
      if (target.letters) return sendLetters(workspace, { runs: target.letters.map((one) => one.run.id), ...within, ...said });
      return sendLetters(workspace, { cause: target.group.cause, until: target.group.last_at, ...within, ...said });
    },
    onSuccess: (made) => {
      showToast({ title: t("send.done", { count: made.total, number: format.number(made.total), name: receiverName(made.to, t) }) });
      onClose();
    },
    onSettled: () => refreshSendings(client, workspace),
  });
  const fields = send.error instanceof ApiError ? send.error.fields : {};
  const nobody = told && to === "";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (send.isPending) return;
    setTold(true);
    if (to) send.mutate();
    else event.currentTarget.querySelector<HTMLSelectElement>("select")?.focus();
  };
  const had = target ? whoHas(target, t) : "";
  const title = target ? retell("failures", target.group.code, target.group.title) : "";
  return (
    <Dialog opened onClose={onClose} title={target ? t("send.title", { title }) : t("send.titleOn")}>
      <form onSubmit={submit} className={css.form} noValidate>
        {send.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("send.failed")} error={send.error} />}
        {askable.isError && <ErrorCard title={t("send.noPeople")} error={askable.error} onRetry={() => void askable.refetch()} />}
        {/* Also before it is known who is here: the focus goes to it when this opens. */}
        <SelectField
          label={t("send.to")}
          required
          data-autofocus
          value={to}
          error={[fields["to"]].flat()[0] ?? (nobody ? t("send.missing") : undefined)}
          options={[{ value: "", label: t(askable.isPending ? "send.loading" : "send.choose") }, ...choices]}
          onChange={setTo}
        />
        <TextAreaField
          label={t("send.note")}
          hint={t(sending?.note ? "send.noteStays" : "send.noteHint")}
          error={[fields["note"]].flat()[0]}
          maxLength={LONGEST}
          rows={3}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {had !== "" && <Note tone="wait">{t("send.had", { name: had })}</Note>}
        <ul className={own.means} aria-label={t("send.means")}>
          <li>{t(name && !to.includes("@") ? "send.rowOfGroup" : "send.row", { ...many, name: name || t("send.somebody") })}</li>
          <li>{t("send.nothing")}</li>
          <li>{t("send.over")}</li>
        </ul>
        <div className={css.formFoot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={send.isPending}>
            {t("send.confirm", many)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** With whom some of these are by now: they would have them no more. */
function whoHas(target: Target, t: Parameters<typeof receiverName>[1]): string {
  const one = ({ sent }: DeadLetter) => (sent ? [sent] : []);
  const having = target.letters ? target.letters.flatMap(one) : target.sent ? target.group.sent.filter((had) => had.sending === target.sent) : target.group.sent;
  return [...new Set(having.map(({ to }) => receiverName(to, t)))].join(", ");
}
