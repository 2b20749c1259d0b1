import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import type { AlertRuleBody, AlertRuleShape, AlertsShape } from "../../api/schema.gen";
import { Button, Chip, ConfirmDialog, EmptyState, ErrorCard, IconButton, showToast, Switch, Time, useErrorText, useFormatter } from "../../ui";
import { HistoryButton } from "../history/HistoryButton";
import css from "./alerts.module.css";
import { bodyOf, useAlertChange } from "./queries";
import { RuleDialog } from "./RuleDialog";
import { RuleSentence } from "./Sentence";
import { nowOf } from "./words";

/** What is watched, and how it stands now. */
export function Rules({ found, onChannels }: { found: AlertsShape; onChannels: () => void }) {
  const { t } = useTranslation("alerts");
  const [editing, setEditing] = useState<AlertRuleShape | "new" | null>(null);
  const [removing, setRemoving] = useState<AlertRuleShape | null>(null);
  if (found.channels.length === 0) {
    return (
      <EmptyState
        title={t("rule.noChannel")}
        text={t("rule.noChannelText")}
        actions={
          <Button variant="primary" onClick={onChannels}>
            {t("rule.toChannels")}
          </Button>
        }
      />
    );
  }
  const add = (
    <Button variant="primary" icon={<Plus size={16} aria-hidden />} onClick={() => setEditing("new")}>
      {t("rule.new")}
    </Button>
  );
  return (
    <section className={css.part} aria-label={t("tabs.rules")}>
      {found.rules.length === 0 ? (
        <EmptyState title={t("rule.none")} text={t("rule.noneText")} actions={add} />
      ) : (
        <>
          <div className={css.head}>
            <p>{t("rule.lead")}</p>
            {add}
          </div>
          <ul className={css.cards}>
            {found.rules.map((one) => (
              <RuleCard key={one.id} rule={one} found={found} onEdit={() => setEditing(one)} onRemove={() => setRemoving(one)} />
            ))}
          </ul>
        </>
      )}
      {editing && <RuleDialog found={found} rule={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
      {removing && <RemoveRule rule={removing} onClose={() => setRemoving(null)} />}
    </section>
  );
}

interface RuleCardProps {
  rule: AlertRuleShape;
  found: AlertsShape;
  onEdit: () => void;
  onRemove: () => void;
}

function RuleCard({ rule, found, onEdit, onRemove }: RuleCardProps) {
  const { t } = useTranslation("alerts");
  const format = useFormatter();
  const errorText = useErrorText();
  const names = found.channels.filter((one) => rule.channels.includes(one.id)).map((one) => one.name);
  const toggle = useAlertChange<AlertRuleBody>((path, sent, once) => api.put(`${path}/rules/${rule.id}`, sent, once));
  const flip = (enabled: boolean) => toggle.mutate({ ...bodyOf(rule), enabled }, { onError: (error) => showToast({ title: errorText(error).title, text: errorText(error).text }) });
  return (
    <li className={css.card} data-testid="rule" data-active={rule.since !== null || undefined}>
      <div className={css.cardText}>
        <p className={css.says}>
          <RuleSentence what={rule.what} names={names} />
        </p>
        <small>
          {rule.enabled ? (
            <>
              {rule.since !== null && (
                <Chip tone="err">
                  {t("rule.since")} <Time at={rule.since} />
                </Chip>
              )}
              {rule.since === null && <Chip tone="ok">{t("rule.fine")}</Chip>} <span>{nowOf(rule.what, rule.measure, t, format)}</span>
              {rule.next_at && (
                <span>
                  {t("now.next")} <Time at={rule.next_at} />
                </span>
              )}
            </>
          ) : (
            <Chip tone="idle">{t("rule.off")}</Chip>
          )}
          {rule.urgent && <span>{t("rule.isUrgent")}</span>}
        </small>
      </div>
      <div className={css.cardEnd}>
        <Switch label={t("rule.switch")} checked={rule.enabled} disabled={toggle.isPending} onChange={flip} />
        <IconButton size="sm" label={t("rule.edit")} icon={<Pencil size={15} />} onClick={onEdit} />
        <HistoryButton what="alerts/rules" id={rule.id} name={t("rule.this")} />
        <IconButton size="sm" label={t("rule.remove")} icon={<Trash2 size={15} />} onClick={onRemove} />
      </div>
    </li>
  );
}

function RemoveRule({ rule, onClose }: { rule: AlertRuleShape; onClose: () => void }) {
  const { t } = useTranslation("alerts");
  const remove = useAlertChange<null>((path, _, once) => api.delete(`${path}/rules/${rule.id}`, once), onClose);
  return (
    <ConfirmDialog opened onClose={onClose} title={t("rule.removeTitle")} confirm={t("rule.remove")} variant="dangerFilled" busy={remove.isPending} onConfirm={() => remove.mutate(null)}>
      {remove.isError && <ErrorCard title={t("rule.removeFailed")} error={remove.error} />}
      <p>{t("rule.removeText")}</p>
    </ConfirmDialog>
  );
}
