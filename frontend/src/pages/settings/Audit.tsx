import { Menu } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown, CircleCheck, Download, ShieldCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type AuditFilters, type AuditScope, auditExportUrl, useAudit, useAuditChoices, useVerify } from "../../api/audit";
import { useCan, useUser, useWorkspace } from "../../api/session";
import {
  Button,
  EmptyState,
  ErrorCard,
  Note,
  SearchBox,
  sectionTitleClass,
  segmentClass,
  segmentsClass,
  SelectField,
  SkeletonRows,
  tableBoxClass,
  tableFootClass,
  TextField,
  useFormatter,
} from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { useNews, useStillHere } from "../../ui/typed";
import { Rows, useVerb } from "../history/rows";
import { dayBegins } from "../history/telling";
import css from "./audit.module.css";
import type { AuditSearch } from "./auditSearch";
import settingsCss from "./settings.module.css";

/** Typing asks the server once it has paused for so long, ms. */
const PAUSE = 250;

function Verdict({ scope }: { scope: AuditScope }) {
  const { t } = useTranslation("audit");
  const format = useFormatter();
  const verify = useVerify(scope);
  const found = verify.data;
  return (
    <>
      <Button icon={<ShieldCheck size={16} aria-hidden />} busy={verify.isPending} onClick={() => verify.mutate()}>
        {t("verify.button")}
      </Button>
      <div role="status" className={css.verdict}>
        {verify.isError && <ErrorCard title={t("verify.failed")} error={verify.error} />}
        {found?.ok && (
          <Note tone="ok" icon={<CircleCheck size={16} />}>
            {t("verify.ok", { count: found.rows, number: format.number(found.rows) })}
            <small className={css.digest}>
              {t("verify.end", { number: format.number(found.sequence) })} <code>{found.digest}</code>
            </small>
          </Note>
        )}
        {found?.fault && (
          <Note tone="err">
            <b>{t("verify.wrong", { number: format.number(found.fault.sequence) })}</b>{" "}
            {t(`verify.what.${found.fault.what}`, { defaultValue: found.fault.message })}
            <small className={css.digest}>{t("verify.next")}</small>
          </Note>
        )}
      </div>
    </>
  );
}

function ExportMenu({ scope, filters }: { scope: AuditScope; filters: AuditFilters }) {
  const { t } = useTranslation("audit");
  const workspace = useWorkspace().id;
  return (
    <Menu position="bottom-end" width={270} withinPortal radius={10}>
      <Menu.Target>
        <Button icon={<Download size={16} aria-hidden />}>
          {t("export.button")}
          <ChevronDown size={14} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(["json", "csv"] as const).map((format) => (
          <Menu.Item key={format} component="a" href={auditExportUrl(workspace, scope, format, filters)} download>
            {t(`export.${format}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The filters with some of them changed; empty ones leave the address. */
function withPart(before: AuditSearch, part: Partial<Record<keyof AuditSearch, string | undefined>>): AuditSearch {
  return Object.fromEntries(Object.entries({ ...before, ...part }).filter(([, value]) => value)) as AuditSearch;
}

function Filters({ scope, search }: { scope: AuditScope; search: AuditSearch }) {
  const { t } = useTranslation("audit");
  const navigate = useNavigate({ from: "/settings/audit" });
  const choices = useAuditChoices(scope);
  const verb = useVerb();
  const [typed, setTyped] = useState(search.q ?? "");
  const box = useRef<HTMLInputElement>(null);
  const isHere = useStillHere();
  // Filters that are cleared, and the way back, are not called back by what stands in the box.
  const noteSaid = useNews(search.q ?? "", setTyped);
  useShortcut("/", () => box.current?.focus());
  const change = (part: Partial<Record<keyof AuditSearch, string | undefined>>) =>
    void navigate({ search: (before) => withPart(before, part), replace: true });
  useEffect(() => {
    if (typed === (search.q ?? "")) return;
    const timer = setTimeout(() => {
      if (!isHere()) return;
      noteSaid(typed);
      void navigate({ search: (before) => withPart(before, { q: typed }), replace: true });
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [typed, search.q, navigate, isHere, noteSaid]);
  const all = { value: "", label: t("filter.all") };
  const verbs = (choices.data?.verbs ?? []).map((one) => ({ value: one, label: verb(one) }));
  return (
    <div className={css.filters}>
      <SearchBox ref={box} className={css.search} label={t("filter.search")} value={typed} onChange={setTyped} />
      <SelectField
        label={t("filter.who")}
        value={search.actor ?? ""}
        options={[all, ...(choices.data?.actors ?? []).map((one) => ({ value: one.id, label: one.name }))]}
        onChange={(value) => change({ actor: value })}
      />
      <SelectField
        label={t("filter.what")}
        value={search.verb ?? ""}
        options={[all, ...verbs.sort((one, other) => one.label.localeCompare(other.label))]}
        onChange={(value) => change({ verb: value })}
      />
      <TextField label={t("filter.from")} type="date" value={search.from ?? ""} max={search.to} onChange={(event) => change({ from: event.currentTarget.value })} />
      <TextField label={t("filter.to")} type="date" value={search.to ?? ""} min={search.from} onChange={(event) => change({ to: event.currentTarget.value })} />
    </div>
  );
}

function Log() {
  const { t } = useTranslation(["audit", "common"]);
  const search = useSearch({ from: "/shell/settings/audit" });
  const navigate = useNavigate({ from: "/settings/audit" });
  const zone = useWorkspace().time_zone;
  const mayAll = useUser().is_instance_admin;
  const scope: AuditScope = search.scope === "installation" && mayAll ? "installation" : "workspace";
  const filters: AuditFilters = {
    actor: search.actor,
    verb: search.verb,
    q: search.q,
    since: search.from ? dayBegins(search.from, zone) : undefined,
    until: search.to ? dayBegins(search.to, zone, 1) : undefined,
  };
  const list = useAudit(scope, filters);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Object.values(filters).some(Boolean);
  const keep = scope === "installation" ? { scope: "installation" as const } : {};
  return (
    <>
      <div className={settingsCss.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("title")}</h2>
          <p>{t(`lead.${scope}`)}</p>
        </div>
      </div>
      {mayAll && (
        <nav className={segmentsClass} aria-label={t("scope.label")} style={{ justifySelf: "start" }}>
          {(["workspace", "installation"] as const).map((one) => (
            <Link
              key={one}
              to="/settings/audit"
              search={one === "installation" ? { scope: one } : {}}
              className={segmentClass}
              aria-current={one === scope ? "page" : undefined}
              activeOptions={{ exact: true }}
            >
              {t(`scope.${one}`)}
            </Link>
          ))}
        </nav>
      )}
      <div className={css.actions}>
        <ExportMenu scope={scope} filters={filters} />
        <Verdict key={scope} scope={scope} />
      </div>
      <Filters key={scope} scope={scope} search={search} />
      {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && (
        <div className={tableBoxClass}>
          <SkeletonRows rows={6} height={34} label={t("loading")} />
        </div>
      )}
      {rows.length > 0 && (
        <div className={tableBoxClass} aria-busy={list.isPlaceholderData || undefined}>
          <Rows rows={rows} label={t("title")} whole />
          {list.hasNextPage && (
            <div className={tableFootClass}>
              <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                {t("more")}
              </Button>
            </div>
          )}
        </div>
      )}
      {list.data && rows.length === 0 && (
        <EmptyState
          plain
          title={t(filtered ? "noneMatches" : "none")}
          text={filtered ? undefined : t("noneText")}
          actions={filtered && <Button onClick={() => void navigate({ search: keep })}>{t("clear")}</Button>}
        />
      )}
    </>
  );
}

export default function AuditPage() {
  const { t } = useTranslation("settings");
  return useCan("admin") ? <Log /> : <Note>{t("adminsOnly")}</Note>;
}
