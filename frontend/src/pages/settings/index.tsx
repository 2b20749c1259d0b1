import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Archive, Building2, CalendarClock, CalendarDays, KeyRound, type LucideIcon, ScrollText, Server, UserRound, Users } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import { TopBar } from "../../ui";
import css from "./settings.module.css";

const SECTIONS: { key: string; to: string; icon: LucideIcon; admin?: boolean; builder?: boolean }[] = [
  { key: "profile", to: "/settings/profile", icon: UserRound },
  { key: "workspace", to: "/settings/workspace", icon: Building2 },
  { key: "calendars", to: "/settings/calendars", icon: CalendarDays },
  { key: "members", to: "/settings/members", icon: Users, admin: true },
  { key: "tokens", to: "/settings/tokens", icon: KeyRound, admin: true },
  { key: "expiry", to: "/settings/expiry", icon: CalendarClock, builder: true },
  { key: "data", to: "/settings/data", icon: Archive, admin: true },
  { key: "audit", to: "/settings/audit", icon: ScrollText, admin: true },
  { key: "system", to: "/settings/system", icon: Server, admin: true },
];

export default function SettingsPage() {
  const { t } = useTranslation("settings");
  const isAdmin = useCan("admin");
  const canBuild = useCan("builder");
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  const nav = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    // On a phone the sections are a strip: the current one belongs in sight.
    nav.current?.querySelector(".active")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path]);
  return (
    <>
      <TopBar title={t("title")} />
      <div className={css.layout}>
        <nav ref={nav} className={css.nav} aria-label={t("title")}>
          {SECTIONS.filter((section) => (isAdmin || !section.admin) && (canBuild || !section.builder)).map(({ key, to, icon: Icon }) => (
            <Link key={key} to={to} className={css.item}>
              <Icon size={17} aria-hidden />
              {t(`section.${key}`)}
            </Link>
          ))}
        </nav>
        <div className={css.body}>
          <div className={css.inner} data-wide={path === "/settings/audit" || path === "/settings/data" || undefined}>
            <Outlet />
          </div>
        </div>
      </div>
    </>
  );
}
