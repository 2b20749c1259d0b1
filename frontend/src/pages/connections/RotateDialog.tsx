import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import type { RotatedConnection } from "../../api/schema.gen";
import { useWorkspace } from "../../api/session";
import type { Connection, ConnectionKind } from "../../api/types";
import { Button, CopyBox, Dialog, ErrorCard, Note, PasswordField, RadioGroup, SelectField, showToast } from "../../ui";
import { FieldInput } from "./ConnectionDialog";
import { connectionFields, initialValues, type Values, valuesToSend } from "./form";
import { OVERLAPS } from "./life";

const stack = { display: "grid", gap: 16 } as const;
const foot = { display: "flex", gap: 10, justifyContent: "flex-end" } as const;

/** Replaces the secret of a connection: along with the present one for a while, or once the other system took it. */
export function RotateDialog(props: { connection: Connection; kind: ConnectionKind; onClose: () => void }) {
  return props.connection.lets_in ? <Incoming {...props} /> : <Outgoing {...props} />;
}

function useRotation(connection: Connection) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: object) =>
      api.post<RotatedConnection>(`${workspacePath(workspace)}/connections/${connection.id}/rotate`, body, { idempotencyKey: newIdempotencyKey() }),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: [workspace, "connections"] }),
        client.invalidateQueries({ queryKey: [workspace, "expiring"] }),
      ]),
  });
}

function Incoming({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { t } = useTranslation(["connections", "common"]);
  const rotate = useRotation(connection);
  const [from, setFrom] = useState("here");
  const [secret, setSecret] = useState("");
  const [hours, setHours] = useState("24");
  const fields = rotate.error instanceof ApiError ? rotate.error.fields : {};
  const made = rotate.data?.secret;
  if (made) {
    return (
      <Dialog
        opened
        onClose={onClose}
        title={t("rotate.madeTitle", { name: connection.name })}
        footer={
          <Button variant="primary" onClick={onClose}>
            {t("rotate.stored")}
          </Button>
        }
      >
        <Note tone="wait">{t("rotate.once")}</Note>
        <CopyBox text={made} label={t("rotate.copy")} />
        <p>{hours === "0" ? t("rotate.endedNow") : t("rotate.bothNow")}</p>
      </Dialog>
    );
  }
  return (
    <Dialog opened onClose={onClose} title={t("rotate.title", { name: connection.name })} size={520}>
      <form
        noValidate
        style={stack}
        onSubmit={(event) => {
          event.preventDefault();
          const own = from === "sender";
          rotate.mutate(
            { overlap_hours: Number(hours), ...(own ? { secret } : {}) },
            {
              onSuccess: (done) => {
                if (done.secret) return;
                showToast({ title: t("rotate.done", { name: connection.name }) });
                onClose();
              },
            },
          );
        }}
      >
        <p style={{ color: "var(--ink2)" }}>{t("rotate.incoming")}</p>
        {rotate.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("rotate.failed")} error={rotate.error} />}
        <RadioGroup
          legend={t("rotate.from")}
          name="from"
          value={from}
          choices={(["here", "sender"] as const).map((one) => ({ value: one, label: t(`rotate.fromChoice.${one}`) }))}
          onChange={setFrom}
        />
        {from === "sender" && (
          <PasswordField
            label={t("rotate.secret")}
            autoComplete="new-password"
            name="secret"
            value={secret}
            error={fields.secret?.join(" ")}
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
        )}
        <SelectField
          label={t("rotate.overlap")}
          hint={t("rotate.overlapHint")}
          value={hours}
          options={["0", ...OVERLAPS].map((value) => ({ value, label: t(`rotate.hours.${value}`) }))}
          onChange={setHours}
        />
        <div style={foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={rotate.isPending} disabled={from === "sender" && secret.length < 8}>
            {t("rotate.confirm")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Outgoing({ connection, kind, onClose }: { connection: Connection; kind: ConnectionKind; onClose: () => void }) {
  const { t } = useTranslation(["connections", "common"]);
  const rotate = useRotation(connection);
  const all = useMemo(() => connectionFields(kind.fields).filter((field) => field.secret || !field.advanced), [kind]);
  const [values, setValues] = useState<Values>(() => initialValues(all, connection.public, kind.defaults));
  const fields = rotate.error instanceof ApiError ? rotate.error.fields : {};
  const entered = all.some((field) => field.secret && values[field.name]);
  const refused = rotate.data && !rotate.data.switched ? rotate.data : undefined;
  const send = (confirmed: Values = {}) => {
    setValues((before) => ({ ...before, ...confirmed }));
    rotate.mutate(
      { fields: { ...valuesToSend(all, values, connection.public), ...confirmed } },
      {
        onSuccess: (done) => {
          if (!done.switched) return;
          showToast({ tone: "ok", title: t("rotate.done", { name: connection.name }), text: done.message ?? "" });
          onClose();
        },
      },
    );
  };
  return (
    <Dialog opened onClose={onClose} title={t("rotate.title", { name: connection.name })} size={520}>
      <form
        noValidate
        style={stack}
        onSubmit={(event) => {
          event.preventDefault();
          if (entered) send();
        }}
      >
        <p style={{ color: "var(--ink2)" }}>{t("rotate.outgoing")}</p>
        {rotate.isError && Object.keys(fields).length === 0 && <ErrorCard title={t("rotate.failed")} error={rotate.error} />}
        {all.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={values[field.name] ?? ""}
            stored={connection.secrets_set.includes(field.name) ? (connection.last_four[field.name] ?? "") : undefined}
            error={fields[`fields.${field.name}`]?.join(" ")}
            onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
          />
        ))}
        <div role="status">
          {refused && (
            <Note tone={refused.confirm ? "wait" : "err"}>
              {t("rotate.kept")} {refused.message}
              {refused.confirm && (
                <Button
                  size="sm"
                  style={{ display: "flex", marginTop: 10 }}
                  onClick={() => refused.confirm && send({ [refused.confirm.field]: refused.confirm.value })}
                >
                  {t("dialog.confirm")}
                </Button>
              )}
            </Note>
          )}
        </div>
        <div style={foot}>
          <Button onClick={onClose}>{t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={rotate.isPending} disabled={!entered}>
            {t("rotate.testAndSwitch")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
