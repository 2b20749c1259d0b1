import { Menu, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import {
  Activity,
  CalendarClock,
  Check,
  CircleQuestionMark,
  Files,
  Gauge,
  House,
  Inbox,
  LogOut,
  type LucideIcon,
  MailWarning,
  Monitor,
  Moon,
  PanelLeftClose,
  PanelLeftOpen,
  Plug,
  Search,
  Settings,
  Sun,
  Table2,
  UserRound,
  Workflow,
} from "lucide-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../api/client";
import { useDeadLetters, useInboxCount } from "../api/queries";
import { useCan, useMaybeWorkspace, useSession, useUser, useWorkspaceChoice } from "../api/session";
import { START_PATHS, useHomePath, useStartPage } from "../api/startPage";
import { forgetAll } from "../api/keptQuestions";
import { sendQueued, useQueue } from "../api/decisionQueue";
import { Avatar, cx, initialsOf, showToast, type ThemeChoice, useFormatter, useThemeChoice } from "../ui";
import { useRail } from "./railState";
import css from "./shell.module.css";

/** roomy: stands in the bar of a phone only where there is room; “Go to” leads there, too. */
const PLACES: { to: string; key: string; icon: LucideIcon; exact?: boolean; roomy?: boolean; admin?: boolean }[] = [
  { to: "/", key: "home", icon: House, exact: true },
  { to: "/workflows", key: "workflows", icon: Workflow },
  { to: "/runs", key: "runs", icon: Activity },
  { to: "/inbox", key: "inbox", icon: Inbox },
  { to: "/dead-letters", key: "deadLetters", icon: MailWarning },
  { to: "/monitor", key: "monitor", icon: Gauge, roomy: true, admin: true },
  { to: "/schedules", key: "schedules", icon: CalendarClock, roomy: true },
  { to: "/files", key: "files", icon: Files, roomy: true },
  { to: "/tables", key: "tables", icon: Table2, roomy: true },
  { to: "/connections", key: "connections", icon: Plug, roomy: true },
];

function Hint(props: { label: string; show: boolean; children: ReactElement }) {
  return (
    <Tooltip label={props.label} position="right" openDelay={250} disabled={!props.show} withinPortal>
      {props.children}
    </Tooltip>
  );
}

function MeMenu({ open }: { open: boolean }) {
  const { t } = useTranslation("shell");
  const user = useUser();
  const session = useSession();
  const workspace = useMaybeWorkspace();
  const chooseWorkspace = useWorkspaceChoice((state) => state.choose);
  const { choice, choose } = useThemeChoice();
  const navigate = useNavigate();
  const client = useQueryClient();
  const themes: { value: ThemeChoice; icon: LucideIcon }[] = [
    { value: "light", icon: Sun },
    { value: "dark", icon: Moon },
    { value: "system", icon: Monitor },
  ];
  const signOut = async (even = false) => {
    // What was decided without a network is not lost in silence.
    await sendQueued(user.id, () => undefined);
    const left = Object.keys(useQueue.getState().queued).length;
    if (left > 0 && !even) {
      showToast({ tone: "err", title: t("notSent", { count: left }), action: { label: t("signOutEven"), run: () => void signOut(true) } });
      return;
    }
    await api.delete("/session");
    useQueue.setState({ queued: {}, refused: [] });
    await forgetAll();
    await navigate({ to: "/sign-in" });
    // Only now: what stands on a page needs somebody who is signed in.
    client.clear();
  };
  return (
    <Menu position="right-end" width={240} withinPortal shadow="md" radius={10} trapFocus>
      <Menu.Target>
        <button type="button" className={cx(css.place, css.me)} aria-label={t("nav.me", { initials: initialsOf(user.name), name: user.name })}>
          <Avatar name={user.name} />
          {open && <span className={css.placeLabel}>{user.name}</span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user.name}
          <br />
          {user.email}
        </Menu.Label>
        <Menu.Item leftSection={<UserRound size={15} />} onClick={() => void navigate({ to: "/settings/profile" })}>
          {t("me.profile")}
        </Menu.Item>
        <Menu.Item leftSection={<Settings size={15} />} onClick={() => void navigate({ to: "/settings" })}>
          {t("nav.settings")}
        </Menu.Item>
        {session && session.workspaces.length > 1 && (
          <>
            <Menu.Divider />
            <Menu.Label>{t("me.workspace")}</Menu.Label>
            {session.workspaces.map((one) => (
              <Menu.Item
                key={one.id}
                rightSection={one.id === workspace?.id ? <Check size={14} /> : null}
                onClick={() => {
                  chooseWorkspace(one.id);
                  void navigate({ to: "/" });
                }}
              >
                {one.name}
              </Menu.Item>
            ))}
          </>
        )}
        <Menu.Divider />
        <Menu.Label>{t("me.theme")}</Menu.Label>
        {themes.map(({ value, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={15} />}
            rightSection={choice === value ? <Check size={14} /> : null}
            closeMenuOnClick={false}
            onClick={() => choose(value)}
          >
            {t(`me.${value}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={15} />} onClick={() => void signOut()}>
          {t("me.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The left rail; on a phone the bar at the bottom. */
export function Rail({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }) {
  const { t } = useTranslation("shell");
  const { open, toggle } = useRail();
  const name = (key: string) => t(`nav.${key}`);
  const format = useFormatter();
  const isAdmin = useCan("admin");
  const start = useStartPage();
  const home = useHomePath();
  const dead = useDeadLetters(30_000).data?.count ?? 0;
  const asked = useInboxCount(30_000).data;
  const waiting = (key: string) => (key === "deadLetters" ? dead : key === "inbox" ? (asked?.count ?? 0) : 0);
  /** With how many wait there, for whoever does not see the badge. */
  const spoken = (key: string) => {
    if (waiting(key) === 0) return name(key);
    const words = t("nav.waiting", { name: name(key), count: waiting(key) });
    return key === "inbox" && asked && asked.unread > 0 ? t("nav.unread", { words, count: asked.unread }) : words;
  };
  return (
    <nav className={css.rail} data-open={open} aria-label={t("nav.label")}>
      <Link to={START_PATHS[start]} className={css.logo} aria-label={t("product")}>
        <span className={css.mark}>
          <Workflow size={20} aria-hidden />
        </span>
        {open && <b>{t("product")}</b>}
      </Link>
      {PLACES.filter((place) => isAdmin || !place.admin).map(({ to, key, icon: Icon, exact, roomy }) => (
        <Hint key={to} label={spoken(key)} show={!open}>
          <Link to={key === "home" ? home : to} className={cx(css.place, roomy && css.roomy)} activeOptions={{ exact: exact ?? false }} aria-label={spoken(key)}>
            <Icon size={20} aria-hidden />
            <span className={css.placeLabel}>{name(key)}</span>
            {waiting(key) > 0 && (
              <span className={css.badge} data-count={waiting(key) > 999 ? `${format.number(999)}+` : format.number(waiting(key))} aria-hidden />
            )}
          </Link>
        </Hint>
      ))}
      <span className={css.gap} />
      <Hint label={`${t("palette.title")} (Ctrl+K)`} show={!open}>
        <button type="button" className={css.place} onClick={onSearch} aria-label={t("palette.title")}>
          <Search size={20} aria-hidden />
          <span className={css.placeLabel}>{t("palette.title")}</span>
        </button>
      </Hint>
      <Hint label={`${name("help")} (?)`} show={!open}>
        <button
          type="button"
          className={cx(css.place, css.notOnPhone)}
          onClick={onHelp}
          aria-label={name("help")}
        >
          <CircleQuestionMark size={20} aria-hidden />
          <span className={css.placeLabel}>{name("help")}</span>
        </button>
      </Hint>
      <Hint label={name("settings")} show={!open}>
        <Link to="/settings" className={cx(css.place, css.notOnPhone)} aria-label={name("settings")}>
          <Settings size={20} aria-hidden />
          <span className={css.placeLabel}>{name("settings")}</span>
        </Link>
      </Hint>
      <Hint label={`${open ? name("collapse") : name("expand")} ([)`} show={!open}>
        <button
          type="button"
          className={cx(css.place, css.notOnPhone)}
          onClick={toggle}
          aria-label={open ? name("collapse") : name("expand")}
          aria-expanded={open}
        >
          {open ? <PanelLeftClose size={20} aria-hidden /> : <PanelLeftOpen size={20} aria-hidden />}
          <span className={css.placeLabel}>{name("collapse")}</span>
        </button>
      </Hint>
      <MeMenu open={open} />
    </nav>
  );
}
