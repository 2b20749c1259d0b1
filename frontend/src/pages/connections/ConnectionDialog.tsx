import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, ShieldQuestion } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Connection, ConnectionKind, ConnectionTest } from "../../api/types";
import {
  Button,
  CheckboxField,
  Dialog,
  ErrorCard,
  Note,
  PasswordField,
  SelectField,
  TextAreaField,
  TextField,
} from "../../ui";
import ui from "../../ui/ui.module.css";
import { LifeFields, lifeInput, lifeToSend } from "./LifeFields";
import { BudgetFields, budgetInput, budgetToSend, isCalled } from "./BudgetFields";
import {
  type ConnectionField,
  connectionFields,
  initialValues,
  missingFields,
  type Values,
  valuesToSend,
} from "./form";

/** One field of a kind of connection. */
export function FieldInput(props: {
  field: ConnectionField;
  value: string | boolean;
  /** The end of the stored secret, undefined where none is stored. */
  stored: string | undefined;
  error: string | undefined;
  onChange: (value: string | boolean) => void;
}) {
  const { t } = useTranslation(["connections", "common"]);
  const { field, value, stored, error, onChange } = props;
  const help = field.widget === "list" ? [field.help, t("onePerLine")].filter(Boolean).join(" ") : field.help;
  const frame = {
    label: field.label,
    ...(field.required ? {} : { aside: t("common:optional") }),
    ...(help ? { hint: help } : {}),
    error,
    name: field.name,
  };
  const text = String(value);
  // A key of several lines would lose them in a field for passwords.
  if (field.secret && field.widget !== "textarea") {
    return (
      <PasswordField
        {...frame}
        autoComplete="new-password"
        value={text}
        placeholder={stored === undefined ? field.placeholder : t("secretStored", { end: stored })}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  switch (field.widget) {
    case "toggle":
      return (
        <CheckboxField
          label={field.label}
          {...(field.help ? { hint: field.help } : {})}
          checked={value === true}
          onChange={onChange}
        />
      );
    case "choice":
      return (
        <SelectField
          {...frame}
          value={text}
          options={field.required ? field.options : [{ value: "", label: "–" }, ...field.options]}
          onChange={onChange}
        />
      );
    case "list":
    case "textarea":
      return (
        <TextAreaField
          {...frame}
          rows={field.widget === "list" ? 2 : 4}
          value={text}
          placeholder={stored === undefined ? field.placeholder : t("secretStored", { end: stored })}
          spellCheck={!field.secret}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    default:
      return (
        <TextField
          {...frame}
          inputMode={field.widget === "number" ? "numeric" : "text"}
          autoComplete="off"
          value={text}
          placeholder={field.placeholder}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
  }
}

/** Makes a connection or changes one. Secrets are written, never read: an empty secret field keeps what is stored. */
export function ConnectionDialog(props: {
  kind: ConnectionKind;
  connection: Connection | undefined;
  onClose: () => void;
}) {
  const { t } = useTranslation(["connections", "common"]);
  const { kind, connection, onClose } = props;
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const fields = useMemo(() => connectionFields(kind.fields), [kind]);
  const [name, setName] = useState(connection?.name ?? kind.title);
  const [values, setValues] = useState<Values>(() => initialValues(fields, connection?.public, kind.defaults));
  const [budget, setBudget] = useState(() => budgetInput(connection?.budget));
  const [life, setLife] = useState(() => lifeInput(connection));
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<Connection | undefined>(connection);
  const key = useMemo(newIdempotencyKey, []);
  const base = `${workspacePath(workspace)}/connections`;
  const missing = missingFields(fields, values, made?.secrets_set);

  const save = useMutation({
    mutationFn: (confirmed: Values) => {
      const sent = valuesToSend(fields, { ...values, ...confirmed }, made?.public);
      const body = { name: name.trim(), fields: sent, ...lifeToSend(life, isCalled(kind.kind)), ...(isCalled(kind.kind) ? { budget: budgetToSend(budget) } : {}) };
      return made
        ? api.patch<Connection>(`${base}/${made.id}`, body)
        : api.post<Connection>(base, { kind: kind.kind, ...body }, { idempotencyKey: key });
    },
    onSuccess: async (saved) => {
      setMade(saved);
      await client.invalidateQueries({ queryKey: [workspace, "connections"] });
    },
  });
  const test = useMutation({
    mutationFn: (id: string) => api.post<ConnectionTest>(`${base}/${id}/test`),
    onSettled: () => client.invalidateQueries({ queryKey: [workspace, "connections"] }),
  });

  const saveThen = async (then: (saved: Connection) => void, confirmed: Values = {}) => {
    setTried(true);
    if (!name.trim() || missing.length > 0) return;
    test.reset();
    setValues((before) => ({ ...before, ...confirmed }));
    const saved = await save.mutateAsync(confirmed).catch(() => null);
    if (saved) then(saved);
  };
  const serverErrors = save.error instanceof ApiError ? save.error.fields : {};
  const errorOf = (field: string): string | undefined => {
    const said = serverErrors[field] ?? serverErrors[`fields.${field}`];
    if (said) return said.join(" ");
    return tried && missing.includes(field) ? t("common:validation.required") : undefined;
  };
  const fieldErrors = Object.keys(serverErrors).length > 0;
  const confirm = test.data?.confirm;

  const input = (field: ConnectionField) => (
    <FieldInput
      key={field.name}
      field={field}
      value={values[field.name] ?? ""}
      stored={made?.secrets_set.includes(field.name) ? (made.last_four[field.name] ?? "") : undefined}
      error={errorOf(field.name)}
      onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
    />
  );

  return (
    <Dialog
      opened
      onClose={onClose}
      title={connection ? t("dialog.edit", { name: connection.name }) : t("dialog.new", { kind: kind.title })}
      size={520}
    >
      <form
        noValidate
        style={{ display: "grid", gap: 16, gridTemplateColumns: "minmax(0, 1fr)" }}
        onSubmit={(event) => {
          event.preventDefault();
          void saveThen(onClose);
        }}
      >
        {kind.help && <p style={{ color: "var(--ink2)" }}>{kind.help}</p>}
        {save.isError && !fieldErrors && <ErrorCard title={t("dialog.saveFailed")} error={save.error} />}
        <TextField
          label={t("dialog.name")}
          hint={t("dialog.nameHint")}
          value={name}
          data-autofocus
          maxLength={120}
          onChange={(event) => setName(event.currentTarget.value)}
          error={errorOf("name") ?? (tried && !name.trim() ? t("common:validation.required") : undefined)}
        />
        {fields.filter((field) => !field.advanced).map(input)}
        {fields.some((field) => field.advanced) && (
          <details className={ui.details}>
            <summary>{t("more")}</summary>
            <div style={{ display: "grid", gap: 16, paddingTop: 12 }}>
              {fields.filter((field) => field.advanced).map(input)}
            </div>
          </details>
        )}
        <LifeFields value={life} called={isCalled(kind.kind)} errorOf={errorOf} onChange={setLife} />
        {isCalled(kind.kind) && <BudgetFields value={budget} errorOf={errorOf} onChange={setBudget} />}
        <div role="status">
          {test.data && (
            <Note
              tone={test.data.ok ? "ok" : confirm ? "wait" : "err"}
              icon={test.data.ok ? <CircleCheck size={16} /> : confirm ? <ShieldQuestion size={16} /> : undefined}
            >
              {test.data.message}
              {confirm && (
                <Button
                  size="sm"
                  style={{ display: "flex", marginTop: 10 }}
                  onClick={() => void saveThen((saved) => test.mutate(saved.id), { [confirm.field]: confirm.value })}
                >
                  {t("dialog.confirm")}
                </Button>
              )}
            </Note>
          )}
          {test.isError && <ErrorCard title={t("testFailed")} error={test.error} />}
        </div>
        <div style={{ display: "flex", gap: 10, justifyContent: "flex-end" }}>
          <Button
            busy={test.isPending}
            onClick={() => void saveThen((saved) => test.mutate(saved.id))}
            style={{ marginInlineEnd: "auto" }}
          >
            {t("dialog.saveAndTest")}
          </Button>
          <Button onClick={onClose}>{made && !connection ? t("common:action.close") : t("common:action.cancel")}</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            {t("common:action.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
