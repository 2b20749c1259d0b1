import { Mail } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useAskable } from "../../api/people";
import { useWorkspace } from "../../api/session";
import { buttonClass, EmptyState } from "../../ui";
import { mailTo } from "./asking";

/** Who may see connections, and who can let one: a mail to them, which the person sends. */
export function NotForYou() {
  const { t, i18n } = useTranslation("connections");
  const workspace = useWorkspace().name;
  const admins = (useAskable().data?.people ?? []).filter((one) => one.admin);
  const names = new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(admins.map((one) => one.name));
  const link = `${window.location.origin}/settings/members`;
  const letter = { subject: t("forbidden.subject", { workspace }), body: t("forbidden.body", { workspace, link }) };
  return (
    <EmptyState
      plain
      title={t("forbidden.title")}
      text={[t("forbidden.text"), admins.length > 0 && t("forbidden.admins", { count: admins.length, names })].filter(Boolean).join(" ")}
      actions={
        admins.length > 0 && (
          <a className={buttonClass()} href={mailTo(admins.map((one) => one.email), letter)}>
            <Mail size={16} aria-hidden />
            {t("forbidden.ask")}
          </a>
        )
      }
    />
  );
}
