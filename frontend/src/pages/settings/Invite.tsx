import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ListPlus } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Role } from "../../api/types";
import { Button, CopyBox, Dialog, ErrorCard, Note, SelectField, SkeletonRows, TextField } from "../../ui";
import { ROLES } from "./MemberRow";
import css from "./settings.module.css";

const InviteList = lazy(() => import("./InviteList"));

interface Invited {
  email: string;
  link: string;
}

export function RoleField({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  const { t } = useTranslation("settings");
  return (
    <SelectField
      label={t("members.role")}
      hint={t(`roleHint.${role}`)}
      value={role}
      options={ROLES.map((one) => ({ value: one, label: t(`role.${one}`) }))}
      onChange={(value) => onChange(value as Role)}
    />
  );
}

interface InviteOneProps {
  role: Role;
  onRole: (role: Role) => void;
  onInvited: (made: Invited) => void;
  onMany: () => void;
  onClose: () => void;
}

function InviteOne({ role, onRole, onInvited, onMany, onClose }: InviteOneProps) {
  const { t } = useTranslation(["settings", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const invite = useMutation({
    mutationFn: () =>
      api.post<Invited>(
        `${workspacePath(workspace)}/members`,
        { email: email.trim(), role },
        { idempotencyKey: newIdempotencyKey() },
      ),
    onSuccess: (made) => {
      onInvited({ email: email.trim(), link: made.link });
      return client.invalidateQueries({ queryKey: [workspace, "members"] });
    },
  });
  const fields = invite.error instanceof ApiError ? invite.error.fields : {};
  return (
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
      <RoleField role={role} onChange={onRole} />
      <div className={css.inviteEnd}>
        <Button variant="quiet" className={css.toStart} icon={<ListPlus size={16} aria-hidden />} onClick={onMany}>
          {t("members.list.open")}
        </Button>
        <Button onClick={onClose}>{t("common:action.cancel")}</Button>
        <Button type="submit" variant="primary" busy={invite.isPending}>
          {t("members.makeLink")}
        </Button>
      </div>
    </form>
  );
}

/** Invites somebody, or everybody of a list. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("settings");
  const [role, setRole] = useState<Role>("builder");
  const [many, setMany] = useState(false);
  const [invited, setInvited] = useState<Invited | null>(null);
  const title = invited ? t("members.invited", { email: invited.email }) : t(many ? "members.list.title" : "members.invite");
  return (
    <Dialog
      opened
      onClose={onClose}
      title={title}
      size={many ? 620 : 480}
      {...(invited && {
        footer: (
          <Button variant="primary" onClick={onClose}>
            {t("members.doneInviting")}
          </Button>
        ),
      })}
    >
      {invited ? (
        <>
          <p>{t("members.linkText")}</p>
          <CopyBox text={new URL(invited.link, location.origin).href} label={t("members.copyLink")} />
          <Note>{t("members.linkOnce")}</Note>
        </>
      ) : many ? (
        <Suspense fallback={<SkeletonRows rows={4} height={34} label={t("loading")} />}>
          <InviteList role={role} onRole={setRole} onClose={onClose} />
        </Suspense>
      ) : (
        <InviteOne role={role} onRole={setRole} onInvited={setInvited} onMany={() => setMany(true)} onClose={onClose} />
      )}
    </Dialog>
  );
}
