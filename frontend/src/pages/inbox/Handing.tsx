import { Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { AlarmClock, AlarmClockOff, ArrowLeftRight, Hand, LifeBuoy, Mail, Undo2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { useAskable } from "../../api/people";
import { refreshInbox, workspacePath } from "../../api/queries";
import { useUser, useWorkspace } from "../../api/session";
import type { TaskDetail } from "../../api/types";
import { Button, Dialog, ErrorCard, SelectField, showToast, TextAreaField, useErrorText, useFormatter } from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import css from "./inbox.module.css";
import { laterChoices } from "./later";
import { LeaveForAdmins } from "./LeaveForAdmins";
import { canBeUnread, useMarkUnread } from "./seen";

/** Who sees to a question: taking it, giving it back, handing it over. */
export default function Handing({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("people");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const errorText = useErrorText();
  const format = useFormatter();
  const markUnread = useMarkUnread();
  const [handing, setHanding] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const act = useMutation({
    mutationFn: ({ what, body }: { what: "take" | "give-back" | "snooze"; body?: object }) =>
      api.post<TaskDetail>(`${workspacePath(workspace)}/inbox/${task.id}/${what}`, body, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: (after, { what }) => {
      if (what === "snooze" && after.snoozed_until) showToast({ aside: true, title: t("handing.putOff", { at: format.weekdayClock(after.snoozed_until) }), text: task.title });
    },
    onError: (error) => showToast({ tone: "err", title: t("handing.actionFailed"), text: errorText(error).title }),
    onSettled: () => refreshInbox(client, workspace),
  });
  // Whoever is asked alone has nobody to take it from.
  const alone = task.asked.length === 1 && task.asked[0]?.kind === "person" && !task.taken_by;
  const choices = laterChoices(new Date(), task.ends_at);
  // What was done is often seen, by the live connection, before its own answer is in: only the same again waits for that.
  const going = act.isPending ? act.variables.what : null;
  useShortcut("e", () => {
    if (task.taken_by_me) {
      if (going !== "give-back") act.mutate({ what: "give-back" });
    } else if (task.may_take && !alone && going !== "take") act.mutate({ what: "take", body: { over: task.taken_by !== null } });
  }, true);
  useShortcut("f", () => {
    if (task.may_hand_over) setHanding(true);
  });
  return (
    <div className={css.handing}>
      {task.taken_by_me && <span>{t("handing.takenByMe")}</span>}
      <div>
        {task.may_take && !alone && (
          <Button
            size="sm"
            icon={<Hand size={14} aria-hidden />}
            title={t("handing.takeHint")}
            busy={going === "take"}
            onClick={() => act.mutate({ what: "take", body: { over: task.taken_by !== null } })}
          >
            {t(task.taken_by ? "handing.takeOver" : "handing.take")}
          </Button>
        )}
        {task.taken_by_me && (
          <Button size="sm" icon={<Undo2 size={14} aria-hidden />} busy={going === "give-back"} onClick={() => act.mutate({ what: "give-back" })}>
            {t("handing.giveBack")}
          </Button>
        )}
        {task.may_hand_over && (
          <Button size="sm" icon={<ArrowLeftRight size={14} aria-hidden />} onClick={() => setHanding(true)}>
            {t("handing.handOver")}
          </Button>
        )}
        {task.may_leave && (
          <Button size="sm" icon={<LifeBuoy size={14} aria-hidden />} onClick={() => setLeaving(true)}>
            {t("leaving.open")}
          </Button>
        )}
        {task.may_decide && !task.snoozed_until && choices.length > 0 && (
          <Menu position="bottom-start" withinPortal shadow="md" radius={10} trapFocus>
            <Menu.Target>
              <Button size="sm" icon={<AlarmClock size={14} aria-hidden />} busy={going === "snooze"}>
                {t("handing.later")}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {choices.map(({ id, at }) => (
                <Menu.Item key={id} onClick={() => act.mutate({ what: "snooze", body: { until: at.toISOString() } })}>
                  {t(`handing.laterAt.${id}`)} · {format.weekdayClock(at)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
        {canBeUnread(task) && (
          <Button size="sm" icon={<Mail size={14} aria-hidden />} onClick={() => markUnread(task)}>
            {t("handing.unread")}
          </Button>
        )}
        {task.snoozed_until && (
          <Button size="sm" icon={<AlarmClockOff size={14} aria-hidden />} busy={going === "snooze"} onClick={() => act.mutate({ what: "snooze", body: { until: null } })}>
            {t("handing.now")}
          </Button>
        )}
      </div>
      {leaving && <LeaveForAdmins task={task} onClose={() => setLeaving(false)} />}
      {handing && <HandOver task={task} onClose={() => setHanding(false)} />}
    </div>
  );
}

function HandOver({ task, onClose }: { task: TaskDetail; onClose: () => void }) {
  const { t } = useTranslation(["people", "common"]);
  const workspace = useWorkspace().id;
  const me = useUser().email.toLowerCase();
  const client = useQueryClient();
  const colleagues = (useAskable().data?.people ?? []).filter((one) => one.email.toLowerCase() !== me);
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const send = useMutation({
    mutationFn: () =>
      api.post<TaskDetail>(`${workspacePath(workspace)}/inbox/${task.id}/hand-over`, { to, reason }, { idempotencyKey: newIdempotencyKey() }),
    onSuccess: () => {
      const name = colleagues.find((one) => one.email === to)?.name || to;
      showToast({ title: t("handing.done", { name }), text: task.title });
      onClose();
    },
    onSettled: () => refreshInbox(client, workspace),
  });
  const fields = send.error instanceof ApiError ? send.error.fields : {};
  return (
    <Dialog opened onClose={onClose} title={t("handing.title")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (to && reason.trim()) send.mutate();
        }}
      >
        {send.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("handing.failed")} error={send.error} />}
        <SelectField
          label={t("handing.to")}
          required
          data-autofocus
          value={to}
          error={[fields["to"]].flat()[0]}
          options={[{ value: "", label: t("handing.choose") }, ...colleagues.map((one) => ({ value: one.email, label: one.name || one.email }))]}
          onChange={setTo}
        />
        <TextAreaField
          label={t("handing.reason")}
          aside={t("handing.aside")}
          hint={t("handing.reasonHint")}
          required
          maxLength={2000}
          rows={3}
          value={reason}
          error={[fields["reason"]].flat()[0]}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className={css.dialogButtons}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={send.isPending} disabled={!to || !reason.trim()}>
            {t("handing.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
