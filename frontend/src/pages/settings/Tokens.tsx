import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeyRound, RefreshCw, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { useTokens, workspacePath } from "../../api/queries";
import { useCan, useWorkspace } from "../../api/session";
import type { ApiToken } from "../../api/types";
import {
  Button,
  CheckboxField,
  Chip,
  ConfirmDialog,
  CopyBox,
  cx,
  Dialog,
  EmptyState,
  ErrorCard,
  IconButton,
  Note,
  sectionTitleClass,
  SelectField,
  showToast,
  SkeletonRows,
  tableBoxClass,
  tableCardsClass,
  tableClass,
  TextField,
  Time,
  useFormatter,
} from "../../ui";
import { RotateToken } from "./RotateToken";
import fieldCss from "../../ui/fields.module.css";
import { HistoryButton } from "../history/HistoryButton";
import css from "./settings.module.css";

const SCOPES = ["read", "run", "build", "admin"] as const;
const DAYS = ["7", "30", "90", "365"];

function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read", "run"]);
  const [days, setDays] = useState("90");
  const key = useMemo(newIdempotencyKey, []);
  const create = useMutation({
    mutationFn: () =>
      api.post<{ token: string }>(
        `${workspacePath(workspace)}/tokens`,
        { name: name.trim(), scopes, expires_days: Number(days) },
        { idempotencyKey: key },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: [workspace, "tokens"] }),
  });
  const fields = create.error instanceof ApiError ? create.error.fields : {};
  if (create.data) {
    return (
      <Dialog
        opened
        onClose={onClose}
        title={t("tokens.madeTitle", { name: name.trim() })}
        footer={
          <Button variant="primary" onClick={onClose}>
            {t("tokens.stored")}
          </Button>
        }
      >
        <Note tone="wait">{t("tokens.once")}</Note>
        <CopyBox text={create.data.token} label={t("tokens.copy")} />
        <p style={{ color: "var(--ink2)" }}>{t("tokens.use")}</p>
        <CopyBox
          text={`curl -H "Authorization: Bearer ${create.data.token}" ${location.origin}/api/v1${workspacePath(workspace)}/runs`}
        />
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={t("tokens.new")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (scopes.length > 0) create.mutate();
        }}
      >
        {create.isError && Object.keys(fields).length === 0 && (
          <ErrorCard title={t("tokens.failed")} error={create.error} />
        )}
        <TextField
          label={t("tokens.name")}
          hint={t("tokens.nameHint")}
          required
          data-autofocus
          value={name}
          error={fields.name?.join(" ")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
          <legend className={fieldCss.fieldLabel} style={{ padding: 0, marginBottom: 4 }}>
            {t("tokens.scopes")}
          </legend>
          {SCOPES.map((scope) => (
            <CheckboxField
              key={scope}
              label={t(`scope.${scope}`)}
              checked={scopes.includes(scope)}
              onChange={(on) => setScopes(on ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
            />
          ))}
          {fields.scopes && <span className={fieldCss.fieldError}>{fields.scopes.join(" ")}</span>}
        </fieldset>
        <SelectField
          label={t("tokens.expires")}
          value={days}
          options={DAYS.map((value) => ({ value, label: t("tokens.days", { count: Number(value) }) }))}
          onChange={setDays}
        />
        <div style={{ display: "flex", justifyContent: "flex-end", gap: 10 }}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={create.isPending} disabled={scopes.length === 0}>
            {t("tokens.create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RevokeDialog({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.delete(`${workspacePath(workspace)}/tokens/${token.id}`),
    onSuccess: async () => {
      onClose();
      showToast({ title: t("tokens.revoked", { name: token.name }) });
      await client.invalidateQueries({ queryKey: [workspace, "tokens"] });
    },
  });
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t("tokens.revokeTitle", { name: token.name })}
      confirm={t("tokens.revokeConfirm")}
      variant="dangerFilled"
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      {revoke.isError && <ErrorCard title={t("tokens.revokeFailed")} error={revoke.error} />}
      <p>{t("tokens.revokeText")}</p>
    </ConfirmDialog>
  );
}

export default function TokensPage() {
  const { t } = useTranslation("settings");
  return useCan("admin") ? <TokenList /> : <Note>{t("adminsOnly")}</Note>;
}

function TokenList() {
  const { t } = useTranslation(["settings", "common"]);
  const format = useFormatter();
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<ApiToken | null>(null);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  return (
    <>
      <div className={css.head}>
        <div>
          <h2 className={sectionTitleClass}>{t("section.tokens")}</h2>
          <p>
            {t("tokens.lead")} <a href="/api/v1/docs">{t("tokens.docs")}</a>
          </p>
        </div>
        <Button variant="primary" icon={<KeyRound size={16} aria-hidden />} onClick={() => setMaking(true)}>
          {t("tokens.new")}
        </Button>
      </div>
      {tokens.isError && (
        <ErrorCard title={t("loadFailed")} error={tokens.error} onRetry={() => void tokens.refetch()} />
      )}
      {tokens.isPending && <SkeletonRows rows={3} height={34} label={t("loading")} />}
      {tokens.data?.length === 0 && <EmptyState plain title={t("tokens.empty")} text={t("tokens.emptyText")} />}
      {tokens.data && tokens.data.length > 0 && (
        <div className={tableBoxClass}>
          <table className={cx(tableClass, tableCardsClass, css.cards)}>
            <thead>
              <tr>
                <th scope="col">{t("tokens.name")}</th>
                <th scope="col">{t("tokens.scopes")}</th>
                <th scope="col">{t("tokens.expiresAt")}</th>
                <th scope="col">{t("tokens.lastUsed")}</th>
                <th scope="col">
                  <span className="srOnly">{t("actions")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {tokens.data.map((token) => (
                <tr key={token.id}>
                  <td data-cell="wide" className={css.anyLength}>
                    <b>{token.name}</b>
                    {token.prefix && (
                      <div className="mono" style={{ color: "var(--ink3)" }}>
                        {token.prefix}
                      </div>
                    )}
                  </td>
                  <td data-cell="wide">
                    <span style={{ display: "flex", gap: 5, flexWrap: "wrap" }}>
                      {token.scopes.map((scope) => (
                        <Chip key={scope}>{t(`scopeShort.${scope}`)}</Chip>
                      ))}
                    </span>
                  </td>
                  <td data-label={t("tokens.expiresAt")}>
                    {token.replaced_by ? <Time at={token.expires_at} /> : format.day(token.expires_at)}
                    {token.replaced_by && <small style={{ display: "block", color: "var(--ink2)" }}>{t("tokens.replaced")}</small>}
                  </td>
                  <td data-label={t("tokens.lastUsed")}>{token.last_used_at ? <Time at={token.last_used_at} /> : t("common:never")}</td>
                  <td data-cell="wide">
                    <div className={css.end}>
                      {token.mine && !token.replaced_by && (
                        <IconButton
                          size="sm"
                          label={t("tokens.rotateName", { name: token.name })}
                          icon={<RefreshCw size={15} />}
                          onClick={() => setRotating(token)}
                        />
                      )}
                      <HistoryButton what="tokens" id={token.id} name={token.name} />
                      <IconButton
                        size="sm"
                        label={t("tokens.revokeName", { name: token.name })}
                        icon={<Trash2 size={15} />}
                        onClick={() => setRevoking(token)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {making && <NewTokenDialog onClose={() => setMaking(false)} />}
      {rotating && <RotateToken token={rotating} days={DAYS} onClose={() => setRotating(null)} />}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}
