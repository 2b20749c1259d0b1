import { Modal } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type NavigateOptions, useNavigate, useRouter } from "@tanstack/react-router";
import { BellRing, CalendarClock, Files, Gauge, House, Inbox, type LucideIcon, MailWarning, Plug, Plus, Activity, ScrollText, Search, Settings, Table2, UserRound, Users, Workflow as WorkflowIcon } from "lucide-react";
import { createElement, type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../api/client";
import { workspacePath } from "../api/queries";
import { useCan, useWorkspace } from "../api/session";
import { useHomePath } from "../api/startPage";
import type { Page, Run, Workflow } from "../api/types";
import { runStatusKind, StatusIcon, useOffered } from "../ui";
import css from "./shell.module.css";

interface Entry {
  id: string;
  group: "actions" | "pages" | "workflows" | "runs" | "steps";
  label: string;
  aside?: string;
  icon?: LucideIcon;
  run?: Run;
  go: () => void;
}

function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** Ctrl+K: everything that has an address, found by typing. */
export default function CommandPalette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("shell");
  const workspace = useWorkspace().id;
  const canBuild = useCan("builder");
  const isAdmin = useCan("admin");
  const home = useHomePath();
  const navigate = useNavigate();
  const router = useRouter();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const settled = useSettled(query.trim(), 150);
  const offered = useOffered();
  /** Enter was pressed before the answer to these words was there. */
  const [hasty, setHasty] = useState(false);

  const found = useQuery({
    queryKey: [workspace, "palette", settled],
    queryFn: async ({ signal }) => {
      const base = workspacePath(workspace);
      const [workflows, runs] = await Promise.all([
        api.get<Page<Workflow>>(`${base}/workflows`, { query: { q: settled, limit: 8 }, signal }),
        api.get<Page<Run>>(`${base}/runs`, { query: { q: settled, limit: 6 }, signal }),
      ]);
      return { workflows: workflows.items, runs: runs.items };
    },
    placeholderData: keepPreviousData,
  });

  const searching = settled !== query.trim() || found.isPlaceholderData || found.isPending;

  const entries = useMemo(() => {
    const wanted = query.trim().toLowerCase();
    const leave = (options: NavigateOptions) => () => {
      onClose();
      void navigate(options);
    };
    const pages: Entry[] = [
      { id: "home", group: "pages", label: t("nav.home"), icon: House, go: leave({ to: home }) },
      { id: "workflows", group: "pages", label: t("nav.workflows"), icon: WorkflowIcon, go: leave({ to: "/workflows" }) },
      { id: "runs", group: "pages", label: t("nav.runs"), icon: Activity, go: leave({ to: "/runs" }) },
      { id: "inbox", group: "pages", label: t("nav.inbox"), icon: Inbox, go: leave({ to: "/inbox" }) },
      { id: "dead-letters", group: "pages", label: t("nav.deadLetters"), icon: MailWarning, go: leave({ to: "/dead-letters" }) },
      ...(isAdmin ? [{ id: "monitor", group: "pages" as const, label: t("nav.monitor"), icon: Gauge, go: leave({ to: "/monitor" }) }] : []),
      ...(isAdmin ? [{ id: "alerts", group: "pages" as const, label: t("nav.alerts"), icon: BellRing, go: leave({ to: "/monitor/alerts" }) }] : []),
      { id: "schedules", group: "pages", label: t("nav.schedules"), icon: CalendarClock, go: leave({ to: "/schedules" }) },
      { id: "files", group: "pages", label: t("nav.files"), icon: Files, go: leave({ to: "/files" }) },
      { id: "tables", group: "pages", label: t("nav.tables"), icon: Table2, go: leave({ to: "/tables" }) },
      { id: "connections", group: "pages", label: t("nav.connections"), icon: Plug, go: leave({ to: "/connections" }) },
      { id: "profile", group: "pages", label: t("me.profile"), icon: UserRound, go: leave({ to: "/settings/profile" }) },
      { id: "members", group: "pages", label: t("palette.members"), icon: Users, go: leave({ to: "/settings/members" }) },
      ...(isAdmin ? [{ id: "audit", group: "pages" as const, label: t("palette.audit"), icon: ScrollText, go: leave({ to: "/settings/audit" }) }] : []),
      { id: "settings", group: "pages", label: t("nav.settings"), icon: Settings, go: leave({ to: "/settings" }) },
    ];
    const actions: Entry[] = canBuild
      ? [
          {
            id: "new",
            group: "actions",
            label: t("palette.newWorkflow"),
            icon: Plus,
            go: leave({ to: "/workflows", search: { new: true } }),
          },
        ]
      : [];
    const matches = (entry: Entry) => entry.label.toLowerCase().includes(wanted);
    const own = offered.map(({ run, ...command }): Entry => ({
      ...command,
      go: () => {
        onClose();
        // The palette gives the focus back first.
        setTimeout(run, 60);
      },
    }));
    const steps = wanted ? own.filter((entry) => entry.group === "steps").filter(matches) : [];
    actions.unshift(...own.filter((entry) => entry.group === "actions"));
    const workflows: Entry[] = (found.data?.workflows ?? []).map((one) => ({
      id: one.id,
      group: "workflows",
      label: one.name,
      icon: WorkflowIcon,
      ...(one.live ? { aside: `v${one.live.version}` } : {}),
      go: leave({ to: "/workflows/$id/build", params: { id: one.id } }),
    }));
    const runs: Entry[] = (found.data?.runs ?? []).map((run) => ({
      id: run.id,
      group: "runs",
      label: run.business_key ?? run.short_id,
      aside: run.workflow.name,
      run,
      go: leave({ to: "/runs/$runId", params: { runId: run.id } }),
    }));
    // What was found for earlier words stays only where it answers these, too.
    const answers = (entry: Entry) => !searching || matches(entry);
    return [
      ...steps,
      ...workflows.filter(answers),
      ...(wanted ? runs.filter(answers) : []),
      ...actions.filter(matches),
      ...pages.filter(matches),
    ];
  }, [query, found.data, searching, offered, canBuild, isAdmin, t, navigate, onClose, home]);

  useEffect(() => {
    if (!hasty || searching) return;
    setHasty(false);
    entries[0]?.go();
  }, [hasty, searching, entries]);

  // What Enter would open is fetched while the last letters are typed.
  const nearest = entries[0]?.run?.id;
  useEffect(() => {
    if (nearest) router.preloadRoute({ to: "/runs/$runId", params: { runId: nearest } }).catch(() => undefined);
  }, [nearest, router]);

  const chosen = Math.min(at, entries.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((chosen + 1) % Math.max(1, entries.length));
    else if (event.key === "ArrowUp") setAt((chosen - 1 + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter") {
      // What was chosen with the arrows is meant; else the answer to what was typed, which may still be on its way.
      if (searching && at === 0) setHasty(true);
      else entries[chosen]?.go();
    } else return;
    event.preventDefault();
  };

  let group = "";
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      size={560}
      radius={12}
      yOffset="12vh"
      lockScroll={false}
      transitionProps={{ duration: 120 }}
      title={t("palette.title")}
      classNames={{ header: "srOnly" }}
      styles={{
        overlay: { background: "var(--scrim)" },
        content: { background: "var(--raised)", boxShadow: "var(--shadowLg)" },
      }}
    >
      <div className={css.palette}>
        <div className={css.paletteInput}>
          <Search size={18} aria-hidden />
          <input
            data-autofocus
            role="combobox"
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={entries[chosen] ? `${listId}-${chosen}` : undefined}
            aria-label={t("palette.placeholder")}
            placeholder={t("palette.placeholder")}
            value={query}
            onChange={(event) => {
              setQuery(event.currentTarget.value);
              setAt(0);
              setHasty(false);
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        <div className={css.paletteList} id={listId} role="listbox" aria-label={t("palette.title")} ref={list}>
          {entries.map((entry, index) => {
            const heading = entry.group !== group;
            group = entry.group;
            return (
              <div key={entry.group + entry.id} role="presentation">
                {heading && (
                  <div className={css.paletteGroup} role="presentation">
                    {t(`palette.${entry.group}`)}
                  </div>
                )}
                {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the combobox keeps the focus */}
                <div
                  id={`${listId}-${index}`}
                  role="option"
                  aria-selected={index === chosen}
                  className={css.paletteItem}
                  // A pointer at rest chooses nothing, though the list moves below it.
                  onMouseMove={(event) => (event.movementX !== 0 || event.movementY !== 0) && setAt(index)}
                  onClick={entry.go}
                >
                  {entry.run ? (
                    <StatusIcon kind={runStatusKind(entry.run)} size={17} />
                  ) : (
                    entry.icon && createElement(entry.icon, { size: 17, "aria-hidden": true })
                  )}
                  <span>{entry.label}</span>
                  {entry.aside && <small>{entry.aside}</small>}
                </div>
              </div>
            );
          })}
          {searching && entries.length === 0 && (
            <p style={{ padding: 16, color: "var(--ink3)" }} role="status">
              {t("palette.searching")}
            </p>
          )}
          {entries.length === 0 && !searching && (
            <p style={{ padding: 16, color: "var(--ink2)" }} role="status">
              {t("palette.none", { query })}
            </p>
          )}
        </div>
        <div className={css.paletteFoot}>{t("palette.hint")}</div>
      </div>
    </Modal>
  );
}
