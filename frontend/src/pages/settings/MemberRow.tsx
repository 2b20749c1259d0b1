import { Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeftRight, EllipsisVertical, Eraser, History, Palmtree, ShieldCheck, ShieldOff, ShieldQuestion, UserX } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useAbsences } from "../../api/absences";
import { api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useCan, useUser, useWorkspace } from "../../api/session";
import type { Member, Role } from "../../api/types";
import { Avatar, Button, Chip, cx, IconButton, showToast, Time, useErrorText } from "../../ui";
import fieldCss from "../../ui/fields.module.css";
import { useAwayWords } from "../inbox/away";
import css from "./settings.module.css";

export const ROLES: readonly Role[] = ["viewer", "reviewer", "builder", "admin"];

/** What opens a dialog about a member. */
export type MemberDeed = "away" | "history" | "handOver" | "factor" | "erase" | "remove";

/** What can be done about one member. */
function MemberMenu({ member, mine, onChoose }: { member: Member; mine: boolean; onChoose: (deed: MemberDeed) => void }) {
  const { t } = useTranslation("access");
  const name = member.name || member.email;
  return (
    <Menu position="bottom-end" withinPortal radius={10} width={250}>
      <Menu.Target>
        <IconButton size="sm" label={t("menu.of", { name })} icon={<EllipsisVertical size={16} />} />
      </Menu.Target>
      <Menu.Dropdown>
        {!member.invited && (
          <Menu.Item leftSection={<ShieldQuestion size={15} />} renderRoot={(props) => <Link to="/settings/members/$memberId" params={{ memberId: member.id }} {...props} />}>
            {t("menu.access", { name })}
          </Menu.Item>
        )}
        {!member.invited && member.active && (
          <Menu.Item leftSection={<Palmtree size={15} />} onClick={() => onChoose("away")}>
            {t("menu.away")}
          </Menu.Item>
        )}
        {!member.invited && (
          <Menu.Item leftSection={<History size={15} />} onClick={() => onChoose("history")}>
            {t("menu.history")}
          </Menu.Item>
        )}
        {!member.invited && (
          <Menu.Item leftSection={<ArrowLeftRight size={15} />} onClick={() => onChoose("handOver")}>
            {t("menu.handOver")}
          </Menu.Item>
        )}
        {!mine && member.second_factor && (
          <Menu.Item leftSection={<ShieldOff size={15} />} onClick={() => onChoose("factor")}>
            {t("factor.takeOff")}
          </Menu.Item>
        )}
        {!mine && !member.invited && (
          <Menu.Item leftSection={<Eraser size={15} />} onClick={() => onChoose("erase")}>
            {t("menu.erase")}
          </Menu.Item>
        )}
        {!mine && (
          <Menu.Item leftSection={<UserX size={15} />} onClick={() => onChoose("remove")}>
            {t(member.invited ? "menu.withdraw" : "menu.remove")}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

interface MemberRowProps {
  member: Member;
  onChoose: (deed: MemberDeed) => void;
}

export function MemberRow({ member, onChoose }: MemberRowProps) {
  const { t } = useTranslation(["settings", "away", "access"]);
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
            {member.second_factor && (
              <Chip tone="ok" title={t("access:factor.secondStepHint")}>
                <ShieldCheck size={13} aria-hidden />
                {t("access:factor.secondStep")}
              </Chip>
            )}
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
          {isAdmin && !mine && !member.active && !member.invited && (
            <Button size="sm" busy={change.isPending} onClick={() => change.mutate({ active: true })}>
              {t("members.activate")}
            </Button>
          )}
          {isAdmin && <MemberMenu member={member} mine={mine} onChoose={onChoose} />}
        </div>
      </td>
    </tr>
  );
}
