import { Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown, History as HistoryIcon, Pencil, PlugZap, Plus, RefreshCw, Trash2 } from "lucide-react";
import { createElement, lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { useConnectionKinds, useConnections, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { Connection, ConnectionKind, ConnectionTest } from "../../api/types";
import {
  Button,
  Chip,
  ConfirmDialog,
  cx,
  Dialog,
  EmptyState,
  ErrorCard,
  IconButton,
  PageBody,
  showToast,
  SkeletonRows,
  tableBoxClass,
  tableCardsClass,
  tableClass,
  Tile,
  Time,
  TopBar,
  useErrorText,
  useFormatter,
} from "../../ui";
import { stepIcon } from "../../ui/stepIcons";
import { dayOf } from "../schedules/days";
import { BrokenLine } from "./BrokenLine";
import { BudgetLine } from "./BudgetLine";
import { ConnectionDialog } from "./ConnectionDialog";
import css from "./connections.module.css";
import { expiryOf } from "./life";
import { NotForYou } from "./NotForYou";
import { PreviousLine } from "./PreviousLine";
import { RotateDialog } from "./RotateDialog";
import { UsesDialog } from "./UsesDialog";

const History = lazy(() => import("../history/History"));

/** How often it is asked how much is used of what is limited, ms. */
const LIVE = 2_000;
const TONE = { working: "ok", broken: "err", untested: "idle" } as const;

function NewButton({ kinds, onChoose }: { kinds: readonly ConnectionKind[]; onChoose: (kind: string) => void }) {
  const { t } = useTranslation("connections");
  return (
    <Menu position="bottom-end" width={280} withinPortal radius={10}>
      <Menu.Target>
        <Button variant="primary" icon={<Plus size={16} aria-hidden />} disabled={kinds.length === 0}>
          {t("new")}
          <ChevronDown size={14} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {kinds.map((kind) => (
          <Menu.Item
            key={kind.kind}
            leftSection={createElement(stepIcon(kind.icon), { size: 16 })}
            onClick={() => onChoose(kind.kind)}
          >
            {kind.title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Row(props: {
  connection: Connection;
  kind: ConnectionKind | undefined;
  onEdit: () => void;
  onHistory: () => void;
  onRotate: () => void;
  onDelete: () => void;
  onUses: () => void;
}) {
  const { t } = useTranslation(["connections", "common"]);
  const { connection, kind } = props;
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const errorText = useErrorText();
  const format = useFormatter();
  const expiry = expiryOf(connection.expires_on, dayOf(Date.now(), format.timeZone));
  const test = useMutation({
    mutationFn: () =>
      api.post<ConnectionTest>(`${workspacePath(workspace)}/connections/${connection.id}/test`),
    onSuccess: (answer) =>
      showToast({
        tone: answer.ok ? "ok" : "err",
        title: answer.ok ? t("works", { name: connection.name }) : t("doesNotWork", { name: connection.name }),
        text: answer.message,
      }),
    onError: (error) => showToast({ tone: "err", title: t("testFailed"), text: errorText(error).title }),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "connections"] }),
  });
  return (
    <tr>
      <td>
        <div className={css.name}>
          <Tile icon={kind?.icon} category="app" />
          <span>
            <b>{connection.name}</b>
            <small>{kind?.title ?? connection.kind}</small>
            {connection.environment && (
              <span className={css.environment} data-environment={connection.environment}>
                {t(`life.environments.${connection.environment}`)}
              </span>
            )}
          </span>
        </div>
        {connection.broken && <BrokenLine connection={connection} broken={connection.broken} />}
        {connection.previous && <PreviousLine connection={connection} previous={connection.previous} />}
        {connection.budget && <BudgetLine connection={connection} budget={connection.budget} />}
      </td>
      <td>
        <Chip tone={TONE[connection.status]} title={connection.status_detail ?? ""}>
          {t(`status.${connection.status}`)}
        </Chip>
        {expiry && (
          <small className={css.expiry} data-kind={expiry.kind}>
            {t(`life.${expiry.kind}`, { count: expiry.days })}
          </small>
        )}
      </td>
      <td data-part="used">
        <Button variant="link" onClick={props.onUses} aria-label={`${t("usedBy", { count: connection.used_by })}: ${t("uses.title", { name: connection.name })}`}>
          {t("usedBy", { count: connection.used_by })}
        </Button>
      </td>
      <td data-part="tested">
        <small data-label aria-hidden>
          {t("column.lastUsed")}
        </small>
        {connection.last_used_at ? <Time at={connection.last_used_at} /> : t("common:never")}
        <small className={css.tested}>{connection.tested_at ? <>{t("tested")} <Time at={connection.tested_at} /></> : t("neverTested")}</small>
      </td>
      <td data-part="owner">
        {connection.owner && (
          <small data-label aria-hidden>
            {t("column.owner")}
          </small>
        )}
        {connection.owner ?? ""}
      </td>
      <td>
        <div className={css.actions}>
          <IconButton size="sm" label={t("history", { name: connection.name })} icon={<HistoryIcon size={15} />} onClick={props.onHistory} />
          {connection.mine && (
            <>
            <Button
              size="sm"
              icon={<PlugZap size={14} aria-hidden />}
              busy={test.isPending}
              onClick={() => test.mutate()}
            >
              {t("test")}
            </Button>
            {connection.secrets_set.length > 0 && !connection.previous && (
              <IconButton
                size="sm"
                label={t("rotate.name", { name: connection.name })}
                icon={<RefreshCw size={15} />}
                onClick={props.onRotate}
              />
            )}
            <IconButton
              size="sm"
              label={t("editName", { name: connection.name })}
              icon={<Pencil size={15} />}
              onClick={props.onEdit}
            />
            <IconButton
              size="sm"
              label={t("deleteName", { name: connection.name })}
              icon={<Trash2 size={15} />}
              onClick={props.onDelete}
            />
            </>
          )}
        </div>
      </td>
    </tr>
  );
}

function DeleteDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { t } = useTranslation("connections");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/connections/${connection.id}`),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("deleted", { name: connection.name }) });
      await client.invalidateQueries({ queryKey: [workspace, "connections"] });
    },
  });
  const used = connection.used_by;
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("delete.title", { name: connection.name })}
      confirm={t("delete.confirm")}
      variant="dangerFilled"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && (
        <ErrorCard
          title={remove.error instanceof ApiError && remove.error.status === 409 ? t("delete.inUse") : t("delete.failed")}
          error={remove.error}
        />
      )}
      <p>{used > 0 ? t("delete.used", { count: used }) : t("delete.unused")}</p>
    </ConfirmDialog>
  );
}

function HistoryDialog({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const { t } = useTranslation("connections");
  return (
    <Dialog opened onClose={onClose} title={t("history", { name })} size={860}>
      <Suspense fallback={<SkeletonRows rows={4} height={34} label={t("loading")} />}>
        <History what="connections" id={id} />
      </Suspense>
    </Dialog>
  );
}

export default function ConnectionsPage() {
  const { t } = useTranslation("connections");
  const allowed = useCan("builder");
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  if (allowed) return <Connections />;
  return (
    <>
      <TopBar title={t("title")} />
      <PageBody>
        <NotForYou />
      </PageBody>
    </>
  );
}

function Connections() {
  const { t } = useTranslation("connections");
  const search = useSearch({ from: "/shell/connections" });
  const navigate = useNavigate({ from: "/connections" });
  const list = useConnections(LIVE);
  const kinds = useConnectionKinds();
  const [deleting, setDeleting] = useState<Connection | null>(null);
  const [rotating, setRotating] = useState<Connection | null>(null);
  const [using, setUsing] = useState<Connection | null>(null);
  const items = list.data ?? [];
  const kindOf = (kind: string) => kinds.data?.find((one) => one.kind === kind);
  const editing = items.find((connection) => connection.id === search.connection);
  const formKind = kindOf(editing?.kind ?? search.kind ?? "");
  const rotatingKind = rotating ? kindOf(rotating.kind) : undefined;
  const error = list.error ?? kinds.error;
  const choose = (kind: string) => void navigate({ search: { kind } });
  const close = () => void navigate({ search: {}, replace: true });
  return (
    <>
      <TopBar
        title={t("title")}
        actions={<NewButton kinds={kinds.data ?? []} onChoose={choose} />}
      />
      <PageBody>
        {error && (
          <ErrorCard
            title={t("loadFailed")}
            error={error}
            onRetry={() => {
              void list.refetch();
              void kinds.refetch();
            }}
          />
        )}
        {list.isPending && (
          <div className={tableBoxClass}>
            <SkeletonRows rows={4} height={34} label={t("loading")} />
          </div>
        )}
        {list.data && items.length === 0 && (
          <EmptyState
            title={t("empty.title")}
            text={t("empty.text")}
            actions={<NewButton kinds={kinds.data ?? []} onChoose={choose} />}
          />
        )}
        {items.length > 0 && (
          <div className={tableBoxClass}>
            <table className={cx(tableClass, tableCardsClass, css.table)}>
              <thead>
                <tr>
                  <th scope="col">{t("column.name")}</th>
                  <th scope="col">{t("column.status")}</th>
                  <th scope="col">{t("column.used")}</th>
                  <th scope="col">{t("column.lastUsed")}</th>
                  <th scope="col">{t("column.owner")}</th>
                  <th scope="col">
                    <span className="srOnly">{t("column.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((connection) => (
                  <Row
                    key={connection.id}
                    connection={connection}
                    kind={kindOf(connection.kind)}
                    onEdit={() => void navigate({ search: { connection: connection.id } })}
                    onHistory={() => void navigate({ search: { history: connection.id } })}
                    onRotate={() => setRotating(connection)}
                    onDelete={() => setDeleting(connection)}
                    onUses={() => setUsing(connection)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </PageBody>
      {formKind && (
        <ConnectionDialog
          key={editing?.id ?? formKind.kind}
          kind={formKind}
          connection={editing}
          onClose={close}
        />
      )}
      {search.history && (
        <HistoryDialog id={search.history} name={items.find((one) => one.id === search.history)?.name ?? ""} onClose={close} />
      )}
      {using && <UsesDialog connection={using} others={items} onClose={() => setUsing(null)} />}
      {rotating && rotatingKind && <RotateDialog connection={rotating} kind={rotatingKind} onClose={() => setRotating(null)} />}
      {deleting && <DeleteDialog connection={deleting} onClose={() => setDeleting(null)} />}
    </>
  );
}
