import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { useAskable } from "../../api/people";
import type { AlertChannelBody, AlertChannelShape, AlertsShape } from "../../api/schema.gen";
import { Button, CheckboxField, Dialog, ErrorCard, Note, SelectField, showToast, TextField } from "../../ui";
import css from "./alerts.module.css";
import { useAlertChange } from "./queries";
import { ServiceDialog } from "./ServiceDialog";

interface ChannelDialogProps {
  found: AlertsShape;
  channel: AlertChannelShape | null;
  onClose: () => void;
}

const NIGHT = { begin: "20:00", end: "07:00", weekends: true };

/** Whom rules tell: people by mail, a chat, or both; and when not. */
export function ChannelDialog({ found, channel, onClose }: ChannelDialogProps) {
  const { t, i18n } = useTranslation(["alerts", "common"]);
  const askable = useAskable();
  const [body, setBody] = useState<AlertChannelBody>(() => ({
    name: channel?.name ?? "",
    people: channel?.people.map((one) => one.token) ?? [],
    mail_id: channel?.mail_id ?? null,
    hook_id: channel?.hook_id ?? null,
    language: channel?.language ?? (i18n.language.startsWith("de") ? "de" : "en"),
    quiet: channel?.quiet ?? null,
  }));
  const [connecting, setConnecting] = useState(false);
  const [added, setAdded] = useState<{ id: string; name: string }[]>([]);
  const change = (more: Partial<AlertChannelBody>) => setBody((before) => ({ ...before, ...more }));
  const save = useAlertChange<AlertChannelBody, AlertChannelShape>(
    (path, sent, once) => (channel ? api.put<AlertChannelShape>(`${path}/channels/${channel.id}`, sent, once) : api.post<AlertChannelShape>(`${path}/channels`, sent, once)),
    (got) => {
      showToast({ title: t("channel.saved", { name: got.name }) });
      onClose();
    },
  );
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const wrong = (name: string) => fields[name]?.join(" ");
  const mails = found.connections.filter((one) => one.kind === "smtp");
  const hooks = found.connections.filter((one) => one.kind === "alert_hook");
  // What was just made is not in what the page knows yet.
  const newer = added.filter((one) => !hooks.some((hook) => hook.id === one.id));
  const people = body.people ?? [];
  const groups = askable.data?.groups ?? [];
  const choices = [
    { token: "role:admin", label: t("channel.admins") },
    ...groups.map((one) => ({ token: `group:${one.id}`, label: t("channel.group", { name: one.name }) })),
    ...(askable.data?.people ?? []).map((one) => ({ token: one.email.toLowerCase(), label: one.name || one.email })),
  ];
  // Who is told and has left since can still be taken out.
  const gone = (channel?.people ?? []).filter((one) => !choices.some((choice) => choice.token === one.token));
  const toggle = (token: string, on: boolean) => change({ people: on ? [...people, token] : people.filter((one) => one !== token) });
  const quiet = body.quiet ?? null;
  if (connecting) {
    return (
      <ServiceDialog
        onClose={() => setConnecting(false)}
        onMade={(made) => {
          change({ hook_id: made.id });
          setAdded((before) => [...before, { id: made.id, name: made.name }]);
          setConnecting(false);
        }}
      />
    );
  }
  return (
    <Dialog opened onClose={onClose} title={t(channel ? "channel.edit" : "channel.new")} size={560}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(body);
        }}
      >
        {save.isError && <ErrorCard title={t("channel.failed")} error={save.error} />}
        <TextField label={t("channel.name")} hint={t("channel.nameHint")} required data-autofocus autoComplete="off" maxLength={80} value={body.name} error={wrong("name")} onChange={(event) => change({ name: event.currentTarget.value })} />
        <fieldset className={css.checks} data-scrolls>
          <legend>{t("channel.people")}</legend>
          {[...choices, ...gone].map((one) => (
            <CheckboxField key={one.token} label={one.label} checked={people.includes(one.token)} onChange={(on) => toggle(one.token, on)} />
          ))}
          {wrong("people") && <p className={css.wrong}>{wrong("people")}</p>}
        </fieldset>
        {people.length > 0 && (!found.can_mail || mails.length > 0) && (
          <SelectField
            label={t("channel.mail")}
            value={body.mail_id ?? ""}
            error={wrong("mail_id")}
            options={[{ value: "", label: t(found.can_mail ? "channel.ownMail" : "channel.noMail") }, ...mails.map((one) => ({ value: one.id, label: one.name }))]}
            onChange={(value) => change({ mail_id: value || null })}
          />
        )}
        {people.length > 0 && !found.can_mail && mails.length === 0 && <Note tone="wait">{t("channel.cannotMail")}</Note>}
        <SelectField
          label={t("channel.hook")}
          value={body.hook_id ?? ""}
          error={wrong("hook_id")}
          hint={
            <>
              {t("channel.hookHint")} <Link to="/connections">{t("channel.toConnections")}</Link>
            </>
          }
          options={[{ value: "", label: t("channel.noHook") }, ...[...hooks, ...newer].map((one) => ({ value: one.id, label: one.name }))]}
          onChange={(value) => change({ hook_id: value || null })}
        />
        <Button type="button" size="sm" style={{ justifySelf: "start" }} icon={<Plus size={14} aria-hidden />} onClick={() => setConnecting(true)}>
          {t("channel.connect")}
        </Button>
        {body.hook_id && (
          <SelectField
            label={t("channel.language")}
            value={body.language ?? "en"}
            options={[
              { value: "en", label: "English" },
              { value: "de", label: "Deutsch" },
            ]}
            onChange={(value) => change({ language: value })}
          />
        )}
        <fieldset className={css.checks}>
          <legend>{t("quiet.title")}</legend>
          <CheckboxField label={t("quiet.on")} hint={t("quiet.hint", { zone: found.time_zone })} checked={quiet !== null} onChange={(on) => change({ quiet: on ? NIGHT : null })} />
          {quiet && (
            <>
              <div className={css.two}>
                <TextField type="time" required label={t("quiet.begin")} value={quiet.begin} onChange={(event) => change({ quiet: { ...quiet, begin: event.currentTarget.value } })} />
                <TextField type="time" required label={t("quiet.end")} value={quiet.end} onChange={(event) => change({ quiet: { ...quiet, end: event.currentTarget.value } })} />
              </div>
              <CheckboxField label={t("quiet.weekends")} checked={quiet.weekends === true} onChange={(on) => change({ quiet: { ...quiet, weekends: on } })} />
            </>
          )}
        </fieldset>
        <div className={css.dialogEnd}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending} disabled={!body.name.trim() || (people.length === 0 && !body.hook_id)}>
            {t("channel.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
