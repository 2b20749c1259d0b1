import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Eraser, History as HistoryIcon, Palmtree, UserPlus, UserX } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { useAbsences } from "../../api/absences";
import { useMembers, workspacePath } from "../../api/queries";
import { useCan, useUser, useWorkspace } from "../../api/session";
import type { Member, Role } from "../../api/types";
import {
  Avatar,
  Button,
  Chip,
  ConfirmDialog,
  CopyBox,
  cx,
  Dialog,
  ErrorCard,
  IconButton,
  Note,
  sectionTitleClass,
  SelectField,
  showToast,
  SkeletonRows,
  tableBoxClass,
  tableCardsClass,
  tableClass,
  TextField,
  Time,
  useErrorText,
} from "../../ui";
import fieldCss from "../../ui/fields.module.css";
import { useAwayWords } from "../inbox/away";
import { LeftBehind } from "./LeftBehind";
import css from "./settings.module.css";

const Groups = lazy(() => import("./Groups"));
const AbsenceDialog = lazy(() => import("./OutOfOffice"));
const EraseDialog = lazy(() => import("./EraseDialog"));
const HistoryDialog = lazy(() => import("../history/HistoryDialog"));

const ROLES: readonly Role[] = ["viewer", "reviewer", "builder", "admin"];

function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("builder");
  const invite = useMutation({
    mutationFn: () =>
      api.post<{ link: string }>(
        `${workspacePath(workspace)}/members`,
        { email: email.trim(), role },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace, "members"] }),
  });
  const fields = invite.error instanceof ApiError ? invite.error.fields : {};
  if (invite.data) {
    const link = new URL(invite.data.link, location.origin).href;
    return (
      <Dialog
        opened
        onClose={onClose}
        title={t("members.invited", { email: email.trim() })}
        footer={
          <Button variant="primary" onClick={onClose}>
            {t("members.doneInviting")}
          </Button>
        }
      >
        <p>{t("members.linkText")}</p>
        <CopyBox text={link} label={t("members.copyLink")} />
        <Note>{t("members.linkOnce")}</Note>
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={t("members.invite")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate();
        }}
      >
        {invite.isError && Object.keys(fields).length === 0 && (
          <ErrorCard title={t("members.inviteFailed")} error={invite.error} />
        )}
        <TextField
          label={t("members.email")}
          type="email"
          required
          data-autofocus
          autoComplete="off"
          value={email}
          error={fields.email?.join(" ")}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <SelectField
          label={t("members.role")}
          hint={t(`roleHint.${role}`)}
          value={role}
          options={ROLES.map((one) => ({ value: one, label: t(`role.${one}`) }))}
          onChange={(value) => setRole(value as Role)}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={invite.isPending}>
            {t("members.makeLink")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface MemberRowProps {
  member: Member;
  onRemove: () => void;
  onHistory: () => void;
  onErase: () => void;
  onAway: () => void;
}

function MemberRow({ member, onRemove, onHistory, onErase, onAway }: MemberRowProps) {
  const { t } = useTranslation(["settings", "away"]);
  const words = useAwayWords();
  const away = useAbsences().data?.find((one) => one.who.member === member.id && one.holds);
  const workspace = useWorkspace().id;
  const isAdmin = useCan("admin");
  const me = useUser();
  const client = useQueryClient();
  const errorText = useErrorText();
  const change = useMutation({
    mutationFn: (part: { role?: Role; active?: boolean }) =>
      api.patch(`${workspacePath(workspace)}/members/${member.id}`, part),
    onError: (error) =>
      showToast({ tone: "err", title: t("members.changeFailed"), text: errorText(error).title }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "members"] }),
  });
  const role = change.isPending ? (change.variables.role ?? member.role) : member.role;
  const mine = member.email === me.email;
  return (
    <tr>
      <td data-cell="wide">
        <div className={css.person}>
          <Avatar name={member.name || member.email} />
          <span>
            <b>
              {member.name || member.email} {mine && <span className={fieldCss.fieldHint}>{t("members.you")}</span>}
            </b>
            {member.name && <small>{member.email}</small>}
            {away && <Chip title={away.hand ? away.hand.name : ""}>{words.until(away.last_day)}</Chip>}
          </span>
        </div>
      </td>
      <td>
        {isAdmin && !member.invited ? (
          <select
            className={cx(fieldCss.input, css.small)}
            aria-label={t("members.roleOf", { name: member.name })}
            value={role}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ role: event.currentTarget.value as Role })}
          >
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {t(`role.${one}`)}
              </option>
            ))}
          </select>
        ) : (
          t(`role.${member.role}`)
        )}
      </td>
      <td data-label={member.last_seen_at && member.active && !member.invited ? t("members.lastSeen") : undefined}>
        {member.invited ? (
          <Chip tone="wait">{t("members.pending")}</Chip>
        ) : member.active ? (
          member.last_seen_at ? (
            <Time at={member.last_seen_at} />
          ) : (
            ""
          )
        ) : (
          <Chip tone="idle">{t("members.inactive")}</Chip>
        )}
      </td>
      <td data-cell="wide">
        <div className={css.end}>
        {isAdmin && !member.invited && member.active && (
          <IconButton
            size="sm"
            label={t("away:of", { name: member.name || member.email })}
            icon={<Palmtree size={16} />}
            onClick={onAway}
          />
        )}
        {isAdmin && !member.invited && (
          <IconButton
            size="sm"
            label={t("members.historyOf", { name: member.name || member.email })}
            icon={<HistoryIcon size={16} />}
            onClick={onHistory}
          />
        )}
        {isAdmin && !mine && (
          <>
            {!member.active && !member.invited && (
              <Button size="sm" busy={change.isPending} onClick={() => change.mutate({ active: true })}>
                {t("members.activate")}
              </Button>
            )}
            {!member.invited && (
              <IconButton
                size="sm"
                label={t("members.erase.name", { name: member.name || member.email })}
                icon={<Eraser size={16} />}
                onClick={onErase}
              />
            )}
            <IconButton
              size="sm"
              label={t("members.removeName", { name: member.name || member.email })}
              icon={<UserX size={16} />}
              onClick={onRemove}
            />
          </>
        )}
        </div>
      </td>
    </tr>
  );
}

function RemoveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/members/${member.id}`),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("members.removed", { name: member.name || member.email }) });
      await client.invalidateQueries({ queryKey: [workspace, "members"] });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("members.removeTitle", { name: member.name || member.email })}
      confirm={t("members.removeConfirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("members.removeFailed")} error={remove.error} />}
      <p>{member.invited ? t("members.withdrawText") : t("members.removeText")}</p>
      {!member.invited && <LeftBehind member={member} />}
    </ConfirmDialog>
  );
}

export default function MembersPage() {
  const { t } = useTranslation("settings");
  return useCan("admin") ? <MemberList /> : <Note>{t("adminsOnly")}</Note>;
}

function MemberList() {
  const { t } = useTranslation("settings");
  const isAdmin = useCan("admin");
  const members = useMembers();
  const [inviting, setInviting] = useState(false);
  const [removing, setRemoving] = useState<Member | null>(null);
  const [told, setTold] = useState<Member | null>(null);
  const [erasing, setErasing] = useState<Member | null>(null);
  const [absent, setAbsent] = useState<Member | null>(null);
  return (
    <>
      <div className={css.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("section.members")}</h2>
          <p>{t("members.lead")}</p>
        </div>
        {isAdmin && (
          <Button variant="primary" icon={<UserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
            {t("members.invite")}
          </Button>
        )}
      </div>
      {members.isError && (
        <ErrorCard title={t("loadFailed")} error={members.error} onRetry={() => void members.refetch()} />
      )}
      {members.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {members.data && (
        <div className={tableBoxClass}>
          <table className={cx(tableClass, tableCardsClass, css.cards)}>
            <thead>
              <tr>
                <th scope="col">{t("members.person")}</th>
                <th scope="col">{t("members.role")}</th>
                <th scope="col">{t("members.lastSeen")}</th>
                <th scope="col">
                  <span className="srOnly">{t("actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {members.data.map((member) => (
                <MemberRow key={member.id} member={member} onRemove={() => setRemoving(member)} onHistory={() => setTold(member)} onErase={() => setErasing(member)} onAway={() => setAbsent(member)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Suspense fallback={<SkeletonRows rows={2} height={34} label={t("loading")} />}>
        <Groups />
      </Suspense>
      {absent && (
        <Suspense>
          <AbsenceDialog member={absent.id} name={absent.name || absent.email} onClose={() => setAbsent(null)} />
        </Suspense>
      )}
      {erasing && (
        <Suspense>
          <EraseDialog member={erasing} onClose={() => setErasing(null)} />
        </Suspense>
      )}
      {told && (
        <Suspense>
          <HistoryDialog what="members" id={told.id} name={told.name || told.email} onClose={() => setTold(null)} />
        </Suspense>
      )}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {removing && <RemoveDialog member={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}
