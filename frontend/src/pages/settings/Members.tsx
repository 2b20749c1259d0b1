import { useMutation, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { useMembers, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Member } from "../../api/types";
import {
  Button,
  ConfirmDialog,
  cx,
  ErrorCard,
  Note,
  sectionTitleClass,
  showToast,
  SkeletonRows,
  tableBoxClass,
  tableCardsClass,
  tableClass,
} from "../../ui";
import { InviteDialog } from "./Invite";
import { type MemberDeed, MemberRow } from "./MemberRow";
import { TakeOffFactor } from "./TakeOffFactor";
import css from "./settings.module.css";

const Groups = lazy(() => import("./Groups"));
const AbsenceDialog = lazy(() => import("./OutOfOffice"));
const HandOverDialog = lazy(() => import("./HandOver"));
const EraseDialog = lazy(() => import("./EraseDialog"));
const HistoryDialog = lazy(() => import("../history/HistoryDialog"));

function WithdrawDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/members/${member.id}`),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("members.removed", { name: member.email }) });
      await client.invalidateQueries({ queryKey: [workspace, "members"] });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("members.removeTitle", { name: member.email })}
      confirm={t("members.removeConfirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorCard title={t("members.removeFailed")} error={remove.error} />}
      <p>{t("members.withdrawText")}</p>
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
  const [asked, setAsked] = useState<{ deed: MemberDeed; member: Member } | null>(null);
  const close = () => setAsked(null);
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
                <MemberRow key={member.id} member={member} onChoose={(deed) => setAsked({ deed, member })} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Suspense fallback={<SkeletonRows rows={2} height={34} label={t("loading")} />}>
        <Groups />
      </Suspense>
      <Suspense>
        {asked?.deed === "away" && (
          <AbsenceDialog member={asked.member.id} name={asked.member.name || asked.member.email} onClose={close} />
        )}
        {asked && !asked.member.invited && (asked.deed === "remove" || asked.deed === "handOver") && (
          <HandOverDialog member={asked.member} removing={asked.deed === "remove"} onClose={close} />
        )}
        {asked?.deed === "erase" && <EraseDialog member={asked.member} onClose={close} />}
        {asked?.deed === "history" && (
          <HistoryDialog what="members" id={asked.member.id} name={asked.member.name || asked.member.email} onClose={close} />
        )}
      </Suspense>
      {asked?.deed === "factor" && <TakeOffFactor member={asked.member} onClose={close} />}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {asked?.deed === "remove" && asked.member.invited && <WithdrawDialog member={asked.member} onClose={close} />}
    </>
  );
}
