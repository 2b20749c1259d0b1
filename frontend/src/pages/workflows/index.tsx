import { Menu } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Ellipsis, Pencil, Play, Plus, Settings, Trash2, Activity, History } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useWorkflows } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Workflow } from "../../api/types";
import { workflowText } from "../../i18n/summaries";
import { useShortcut } from "../../ui/shortcuts";
import { useStillHere } from "../../ui/typed";
import {
  Button,
  Chip,
  cx,
  EmptyState,
  ErrorCard,
  FilterChip,
  IconButton,
  PageBody,
  runStatusKind,
  SearchBox,
  SkeletonRows,
  StatusIcon,
  tableBoxClass,
  tableCardsClass,
  tableClass,
  tableFootClass,
  Time,
  TopBar,
  useFormatter,
} from "../../ui";
import { StartCards } from "../setup/StartCards";
import { DeleteWorkflowDialog } from "../workflow/DeleteWorkflow";
import { EnableSwitch } from "../workflow/EnableSwitch";
import { WorkflowChips } from "../workflow/WorkflowBar";
import { NewWorkflowDialog } from "./NewWorkflowDialog";
import css from "./workflows.module.css";

const STATUSES = ["live", "paused", "disabled", "draft", "problems"] as const;

/** Runs of the last 24 hours as one bar, with the numbers in words for those who do not see it. */
function DayBar({ workflow }: { workflow: Workflow }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  const { done, failed, undone } = workflow.stats_24h;
  const waiting = workflow.stats_24h.waiting + workflow.stats_24h.running;
  const all = done + failed + undone + waiting;
  if (all === 0) return <span className={css.muted}>{t("day.none")}</span>;
  const parts = [
    { key: "done", count: done, colour: "var(--ok)" },
    { key: "failed", count: failed, colour: "var(--err)" },
    { key: "undone", count: undone, colour: "var(--ink2)" },
    { key: "waiting", count: waiting, colour: "var(--wait)" },
  ].filter((part) => part.count > 0);
  return (
    <div>
      <div className={css.counts}>
        {parts.map((part) => (
          <span key={part.key} style={part.key === "done" ? undefined : { color: part.colour }}>
            {t(`day.${part.key}`, { count: part.count, number: format.number(part.count) })}
          </span>
        ))}
      </div>
      <div className={css.bar} aria-hidden>
        {parts.map((part) => (
          <i key={part.key} style={{ flex: part.count, background: part.colour }} />
        ))}
      </div>
    </div>
  );
}

function RowMenu({ workflow, onDelete }: { workflow: Workflow; onDelete: () => void }) {
  const { t } = useTranslation(["workflows", "common"]);
  const navigate = useNavigate();
  const canBuild = useCan("builder");
  const mayStart = useCan("reviewer") && workflow.live !== null && workflow.enabled;
  const params = { id: workflow.id };
  return (
    <Menu position="bottom-end" width={190} withinPortal radius={10}>
      <Menu.Target>
        <IconButton
          label={t("rowMenu", { name: workflow.name })}
          icon={<Ellipsis size={17} />}
          size="sm"
        />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<Pencil size={15} />}
          onClick={() => void navigate({ to: "/workflows/$id/build", params })}
        >
          {t("common:action.open")}
        </Menu.Item>
        {mayStart && (
          <Menu.Item leftSection={<Play size={15} />} onClick={() => void navigate({ to: "/workflows/$id/run", params })}>
            {t("run")}
          </Menu.Item>
        )}
        <Menu.Item
          leftSection={<Activity size={15} />}
          onClick={() => void navigate({ to: "/workflows/$id/runs", params })}
        >
          {t("tabs.runs")}
        </Menu.Item>
        <Menu.Item
          leftSection={<History size={15} />}
          onClick={() => void navigate({ to: "/workflows/$id/versions", params })}
        >
          {t("tabs.versions")}
        </Menu.Item>
        <Menu.Item
          leftSection={<Settings size={15} />}
          onClick={() => void navigate({ to: "/workflows/$id/settings", params })}
        >
          {t("tabs.settings")}
        </Menu.Item>
        {canBuild && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<Trash2 size={15} />} color="var(--err)" onClick={onDelete}>
              {t("common:action.delete")}…
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function WorkflowRow({ workflow, onDelete }: { workflow: Workflow; onDelete: () => void }) {
  const { t } = useTranslation("workflows");
  return (
    <tr>
      <td>
        <EnableSwitch workflow={workflow} />
      </td>
      <td className={css.nameCell}>
        <Link to="/workflows/$id/build" params={{ id: workflow.id }} className={css.name}>
          {workflow.name}
        </Link>
        <span className={css.sentence}>{workflowText(workflow.sentence) || workflow.description || t("noSteps")}</span>
      </td>
      <td data-cell="chips">
        <div className={css.chips}>
          <WorkflowChips workflow={workflow} />
          {workflow.problems_count > 0 && (
            <Chip tone="wait">{t("chip.problems", { count: workflow.problems_count })}</Chip>
          )}
        </div>
      </td>
      <td data-cell="day">
        <DayBar workflow={workflow} />
      </td>
      <td data-cell="last">
        {workflow.last_run ? (
          <Link to="/runs/$runId" params={{ runId: workflow.last_run.id }} className={css.lastRun}>
            <StatusIcon kind={runStatusKind(workflow.last_run)} />
            <Time at={workflow.last_run.at} />
          </Link>
        ) : (
          <span className={css.muted}>{t("neverRan")}</span>
        )}
      </td>
      <td data-cell="owner">{workflow.owner ?? ""}</td>
      <td data-cell="more">
        <RowMenu workflow={workflow} onDelete={onDelete} />
      </td>
    </tr>
  );
}

export default function WorkflowsPage() {
  const { t } = useTranslation(["workflows", "common"]);
  const workspace = useWorkspace().id;
  const canBuild = useCan("builder");
  const search = useSearch({ from: "/shell/workflows" });
  const navigate = useNavigate({ from: "/workflows" });
  const [typed, setTyped] = useState(search.q ?? "");
  const [deleting, setDeleting] = useState<Workflow | null>(null);
  const box = useRef<HTMLInputElement>(null);
  useShortcut("/", () => box.current?.focus());
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);

  const isHere = useStillHere();
  const now = useRef("");
  useEffect(() => {
    now.current = search.q ?? "";
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      if (!isHere() || typed.trim() === now.current) return;
      void navigate({
        search: ({ q: _old, ...rest }) => (typed.trim() ? { ...rest, q: typed.trim() } : rest),
        replace: true,
      });
    }, 200);
    return () => clearTimeout(timer);
  }, [typed, navigate, isHere]);

  const list = useWorkflows({ q: search.q, status: search.status });
  const workflows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = Boolean(search.q || search.status);
  const setStatus = (status: string | undefined) =>
    void navigate({ search: ({ status: _old, ...rest }) => (status ? { ...rest, status } : rest) });
  const closeNew = () => void navigate({ search: ({ new: _new, ...rest }) => rest, replace: true });

  return (
    <>
      <TopBar
        title={t("title")}
        actions={
          canBuild && (
            <Button
              variant="primary"
              icon={<Plus size={16} aria-hidden />}
              onClick={() => void navigate({ search: (before) => ({ ...before, new: true }) })}
            >
              {t("new.button")}
            </Button>
          )
        }
      />
      <PageBody>
        <div className={css.tools}>
          <SearchBox
            ref={box}
            className={css.search}
            value={typed}
            onChange={setTyped}
            label={t("search")}
          />
          <FilterChip on={!search.status} onClick={() => setStatus(undefined)}>
            {t("filter.all")}
          </FilterChip>
          {STATUSES.map((status) => (
            <FilterChip
              key={status}
              on={search.status === status}
              onClick={() => setStatus(search.status === status ? undefined : status)}
            >
              {t(`filter.${status}`)}
            </FilterChip>
          ))}
        </div>
        {list.isError && (
          <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isPending && (
          <div className={tableBoxClass}>
            <SkeletonRows rows={5} height={34} label={t("loading")} />
          </div>
        )}
        {list.data && workflows.length === 0 && filtered && (
          <EmptyState
            plain
            title={t("nothingMatches")}
            actions={
              <>
                <Button
                  onClick={() => {
                    setTyped("");
                    void navigate({ search: {} });
                  }}
                >
                  {t("common:action.clearFilters")}
                </Button>
                {search.q && (
                  <Link to="/runs" search={{ q: search.q }}>
                    {t("searchRuns", { query: search.q })}
                  </Link>
                )}
              </>
            }
          />
        )}
        {list.data && workflows.length === 0 && !filtered && (
          <EmptyState
            title={t("empty.title")}
            text={canBuild ? t("empty.text") : t("empty.textViewer")}
            actions={canBuild && <StartCards workspace={workspace} />}
          />
        )}
        {workflows.length > 0 && (
          <div className={tableBoxClass} aria-busy={list.isFetching}>
            <table className={cx(tableClass, tableCardsClass, css.table)}>
              <thead>
                <tr>
                  <th scope="col">{t("column.on")}</th>
                  <th scope="col">{t("column.name")}</th>
                  <th scope="col">{t("column.state")}</th>
                  <th scope="col">{t("column.day")}</th>
                  <th scope="col">{t("column.lastRun")}</th>
                  <th scope="col">{t("column.owner")}</th>
                  <th scope="col">
                    <span className="srOnly">{t("common:action.more")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {workflows.map((workflow) => (
                  <WorkflowRow key={workflow.id} workflow={workflow} onDelete={() => setDeleting(workflow)} />
                ))}
              </tbody>
            </table>
            {list.hasNextPage && (
              <div className={tableFootClass}>
                <Button size="sm" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  {t("common:action.loadOlder")}
                </Button>
              </div>
            )}
          </div>
        )}
      </PageBody>
      {search.new && canBuild && <NewWorkflowDialog onClose={closeNew} />}
      {deleting && <DeleteWorkflowDialog workflow={deleting} onClose={() => setDeleting(null)} />}
    </>
  );
}
