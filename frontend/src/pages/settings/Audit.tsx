import { Menu } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown, CircleCheck, Download, ShieldCheck, X } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type AuditFilters, type AuditScope, auditExportUrl, useAudit, useAuditChoices, useAuditViews, useAuditViewWrites, useVerify } from "../../api/audit";
import { useCan, useUser, useWorkspace } from "../../api/session";
import {
  Button,
  EmptyState,
  ErrorCard,
  FilterChip,
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
import { SavedViews } from "../views/SavedViews";
import css from "./audit.module.css";
import { addressOf, AGO, type AuditFilter, type AuditSearch, changed, meant, sameFilter, toSaved, viewsOf, type withPart } from "./auditSearch";
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

function Filters({ scope, filter, change }: { scope: AuditScope; filter: AuditFilter; change: (part: Parameters<typeof withPart>[1]) => void }) {
  const { t } = useTranslation("audit");
  const choices = useAuditChoices(scope);
  const verb = useVerb();
  const [typed, setTyped] = useState(filter.q ?? "");
  const [days, setDays] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const isHere = useStillHere();
  // Filters that are cleared, and the way back, are not called back by what stands in the box.
  const noteSaid = useNews(filter.q ?? "", setTyped);
  useShortcut("/", () => box.current?.focus());
  useEffect(() => {
    if (typed === (filter.q ?? "")) return;
    const timer = setTimeout(() => {
      if (!isHere()) return;
      noteSaid(typed);
      change({ q: typed });
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [typed, filter.q, change, isHere, noteSaid]);
  const all = { value: "", label: t("filter.all") };
  const named = (values: readonly string[], chosen: string | undefined, label: (value: string) => string) => {
    // What was saved, or stands in a link, is told though the log does not know it yet.
    const known = chosen && !values.includes(chosen) ? [...values, chosen] : values;
    return [all, ...known.map((value) => ({ value, label: label(value) })).sort((one, other) => one.label.localeCompare(other.label))];
  };
  const actors = new Map((choices.data?.actors ?? []).map((one) => [one.id, one.name]));
  const byDay = days || filter.from !== undefined || filter.to !== undefined;
  return (
    <div className={css.filters}>
      <SearchBox ref={box} className={css.search} label={t("filter.search")} value={typed} onChange={setTyped} />
      <SelectField
        label={t("filter.who")}
        value={filter.actor ?? ""}
        options={named([...actors.keys()], filter.actor, (id) => actors.get(id) ?? id)}
        onChange={(value) => change({ actor: value })}
      />
      <SelectField
        label={t("filter.what")}
        value={filter.verb ?? ""}
        options={named(choices.data?.verbs ?? [], filter.verb, (value) => value.split(",").map(verb).join(", "))}
        onChange={(value) => change({ verb: value })}
      />
      <SelectField
        label={t("filter.kind")}
        value={filter.kind ?? ""}
        options={named(choices.data?.kinds ?? [], filter.kind, (kind) => t(`thing.${kind}`, { defaultValue: kind }))}
        onChange={(value) => change({ kind: value, object: "" })}
      />
      <SelectField
        label={t("filter.since")}
        value={filter.since ?? (byDay ? DAYS : "")}
        options={[
          { value: "", label: t("filter.any") },
          ...Object.keys(AGO).map((one) => ({ value: one, label: t(`filter.last.${one}`) })),
          { value: DAYS, label: t("filter.between") },
        ]}
        onChange={(value) => {
          setDays(value === DAYS);
          change(value === DAYS ? { since: "" } : { since: value as AuditFilter["since"], from: "", to: "" });
        }}
      />
      {byDay && (
        <>
          <TextField label={t("filter.from")} type="date" value={filter.from ?? ""} max={filter.to} onChange={(event) => change({ from: event.currentTarget.value })} />
          <TextField label={t("filter.to")} type="date" value={filter.to ?? ""} min={filter.from} onChange={(event) => change({ to: event.currentTarget.value })} />
        </>
      )}
    </div>
  );
}

/** In the choice of when: from day to day. */
const DAYS = "days";

/** When the page began to look back so far: a time that moved on would ask the server without end. */
function useSince(since: AuditFilter["since"]): string | undefined {
  return useMemo(() => (since ? new Date(Date.now() - AGO[since]).toISOString() : undefined), [since]);
}

function Log() {
  const { t } = useTranslation(["audit", "common"]);
  const search = useSearch({ from: "/shell/settings/audit" });
  const navigate = useNavigate({ from: "/settings/audit" });
  const zone = useWorkspace().time_zone;
  const mayAll = useUser().is_instance_admin;
  const scope: AuditScope = search.scope === "installation" && mayAll ? "installation" : "workspace";
  const ofWorkspace = scope === "workspace";
  const saved = useAuditViews(ofWorkspace);
  const writes = useAuditViewWrites();
  const views = useMemo(() => (ofWorkspace ? viewsOf(saved.data ?? []) : []), [ofWorkspace, saved.data]);
  const { filter, gone } = useMemo(() => meant(search, views), [search, views]);
  const since = useSince(filter.since);
  const filters: AuditFilters = {
    actor: filter.actor,
    verb: filter.verb,
    kind: filter.kind,
    object: filter.object,
    q: filter.q,
    since: since ?? (filter.from ? dayBegins(filter.from, zone) : undefined),
    until: filter.to ? dayBegins(filter.to, zone, 1) : undefined,
  };
  const keep = useMemo(() => (ofWorkspace ? {} : { scope: "installation" as const }), [ofWorkspace]);
  const show = useCallback(
    (next: AuditSearch, replace = false) => void navigate({ search: { ...keep, ...next }, replace }),
    [navigate, keep],
  );
  // Of what the address says by then: what was typed is told a moment later, and takes nothing back that was chosen since.
  const change = useCallback(
    (part: Parameters<typeof withPart>[1]) => void navigate({ search: (before) => ({ ...keep, ...changed(before, part, views) }), replace: true }),
    [navigate, keep, views],
  );
  // What a saved search means is known once these are here.
  const known = !ofWorkspace || saved.isFetched || !sameFilter(filter, {});
  const list = useAudit(scope, filters, known);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Object.values(filters).some(Boolean);
  const only = filter.object ? (rows.find((row) => row.object.id === filter.object)?.object.name ?? filter.object.slice(0, 8)) : "";
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
      {ofWorkspace && saved.isFetched && (
        <SavedViews
          search={filter}
          views={views}
          fixed={[{ label: t("views.all"), search: {} }]}
          same={sameFilter}
          onChoose={(next, view) => show(view ? { view: view.id } : addressOf(next, views))}
          writes={{ ...writes, save: (view) => writes.save({ ...view, search: toSaved(view.search) }) }}
          mayShare
          worth={filtered}
        />
      )}
      {gone && saved.isSuccess && <Note>{t("views.gone")}</Note>}
      <Filters key={scope} scope={scope} filter={filter} change={change} />
      {filter.object && (
        <div>
          <FilterChip on onClick={() => change({ object: "" })} icon={<X size={12} aria-hidden />}>
            {t("filter.only", { name: only })}
            <span className="srOnly"> {t("filter.notOnly")}</span>
          </FilterChip>
        </div>
      )}
      {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && (
        <div className={tableBoxClass}>
          <SkeletonRows rows={6} height={34} label={t("loading")} />
        </div>
      )}
      {rows.length > 0 && (
        <div className={tableBoxClass} aria-busy={list.isPlaceholderData || undefined}>
          <Rows rows={rows} label={t("title")} whole onOnly={filter.object ? undefined : (one) => show({ ...filter, kind: one.kind, object: one.id })} />
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
          actions={filtered && <Button onClick={() => show(addressOf({}, views))}>{t("clear")}</Button>}
        />
      )}
    </>
  );
}

export default function AuditPage() {
  const { t } = useTranslation("settings");
  return useCan("admin") ? <Log /> : <Note>{t("adminsOnly")}</Note>;
}
