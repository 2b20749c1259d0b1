import { BellRing, Mail, MessageSquare, MoonStar, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { AlertChannelShape, AlertsShape } from "../../api/schema.gen";
import { retell } from "../../i18n/server";
import { Button, Chip, ConfirmDialog, EmptyState, ErrorCard, IconButton, showToast, Time } from "../../ui";
import { HistoryButton } from "../history/HistoryButton";
import css from "./alerts.module.css";
import { ChannelDialog } from "./ChannelDialog";
import { useAlertChange } from "./queries";
import { listOf } from "./words";

/** Whom rules can tell. */
export function Channels({ found }: { found: AlertsShape }) {
  const { t } = useTranslation("alerts");
  const [editing, setEditing] = useState<AlertChannelShape | "new" | null>(null);
  const [removing, setRemoving] = useState<AlertChannelShape | null>(null);
  const add = (
    <Button variant="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("channel.new")}
    </Button>
  );
  return (
    <section className={css.part} aria-label={t("tabs.channels")}>
      {found.channels.length === 0 ? (
        <EmptyState title={t("channel.none")} text={t("channel.noneText")} actions={add} />
      ) : (
        <>
          <div className={css.head}>
            <p>{t("channel.lead")}</p>
            {add}
          </div>
          <ul className={css.cards}>
            {found.channels.map((one) => (
              <ChannelCard key={one.id} channel={one} onEdit={() => setEditing(one)} onRemove={() => setRemoving(one)} />
            ))}
          </ul>
        </>
      )}
      {editing && <ChannelDialog found={found} channel={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
      {removing && <RemoveChannel channel={removing} onClose={() => setRemoving(null)} />}
    </section>
  );
}

function ChannelCard({ channel, onEdit, onRemove }: { channel: AlertChannelShape; onEdit: () => void; onRemove: () => void }) {
  const { t, i18n } = useTranslation("alerts");
  const test = useAlertChange<null, { messages: number }>(
    (path, _, once) => api.post(`${path}/channels/${channel.id}/test`, undefined, once),
    (got) => showToast({ title: got.messages === 0 ? t("channel.testNobody") : t("channel.testOnItsWay", { count: got.messages }) }),
  );
  const { last, quiet } = channel;
  return (
    <li className={css.card} data-testid="channel">
      <div className={css.cardText}>
        <h3>{channel.name}</h3>
        {channel.people.length > 0 && (
          <p>
            <Mail size={14} aria-hidden /> {listOf(channel.people.map((one) => (one.token === "role:admin" ? t("channel.admins") : one.label)), i18n.language)}
          </p>
        )}
        {channel.hook_id && (
          <p>
            <MessageSquare size={14} aria-hidden /> {channel.hook_name ?? t("removedConnection")}
          </p>
        )}
        {quiet && (
          <p>
            <MoonStar size={14} aria-hidden /> {t(quiet.weekends ? "quiet.wordsWeekends" : "quiet.words", { begin: quiet.begin, end: quiet.end, zone: channel.time_zone })}
          </p>
        )}
        <small>
          {t("channel.rules", { count: channel.rules })}
          {last && (
            <>
              {" · "}
              {t(`message.last.${last.status}`)} <Time at={last.sent_at ?? last.at} />
            </>
          )}
        </small>
        {last?.error && last.status !== "sent" && <p className={css.wrong}>{retell("failures", "alert_sent", last.error)}</p>}
      </div>
      <div className={css.cardEnd}>
        {channel.waiting > 0 && <Chip tone="wait">{t("channel.waiting", { count: channel.waiting })}</Chip>}
        <Button size="sm" icon={<BellRing size={14} aria-hidden />} busy={test.isPending} onClick={() => test.mutate(null)}>
          {t("channel.test")}
        </Button>
        <IconButton size="sm" label={t("channel.editNamed", { name: channel.name })} icon={<Pencil size={15} />} onClick={onEdit} />
        <HistoryButton what="alerts/channels" id={channel.id} name={channel.name} />
        <IconButton size="sm" label={t("channel.removeNamed", { name: channel.name })} icon={<Trash2 size={15} />} onClick={onRemove} />
      </div>
      {test.isError && <ErrorCard title={t("channel.testFailed")} error={test.error} />}
    </li>
  );
}

function RemoveChannel({ channel, onClose }: { channel: AlertChannelShape; onClose: () => void }) {
  const { t } = useTranslation("alerts");
  const remove = useAlertChange<null>((path, _, once) => api.delete(`${path}/channels/${channel.id}`, once), onClose);
  return (
    <ConfirmDialog opened onClose={onClose} title={t("channel.removeTitle", { name: channel.name })} confirm={t("channel.remove")} variant="dangerFilled" busy={remove.isPending} onConfirm={() => remove.mutate(null)}>
      {remove.isError && <ErrorCard title={t("channel.removeFailed")} error={remove.error} />}
      <p>{t("channel.removeText")}</p>
    </ConfirmDialog>
  );
}
