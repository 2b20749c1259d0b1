import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { sessionQuery, useCan, useWorkspace } from "../../api/session";
import { Button, Card, ErrorCard, Note, sectionTitleClass, SelectField, TextAreaField, TextField } from "../../ui";
import { currencyOptions, formatExample, languageOptions, timeZoneOptions } from "../setup/locale";
import setupCss from "../setup/setup.module.css";
import css from "./settings.module.css";

export default function WorkspaceSettingsPage() {
  const { t } = useTranslation(["settings", "setup", "common"]);
  const workspace = useWorkspace();
  const isAdmin = useCan("admin");
  const client = useQueryClient();
  const [values, setValues] = useState({
    name: workspace.name,
    language: workspace.language,
    time_zone: workspace.time_zone,
    currency: workspace.currency,
    sensitive: workspace.sensitive_fields.join("\n"),
  });
  const sensitive = [...new Set(values.sensitive.split("\n").map((line) => line.trim()).filter(Boolean))];
  const change = (part: Partial<typeof values>) => setValues((before) => ({ ...before, ...part }));
  const save = useMutation({
    mutationFn: () => api.patch(workspacePath(workspace.id), { name: values.name.trim(), language: values.language, time_zone: values.time_zone, currency: values.currency, sensitive_fields: sensitive }),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const changed =
    values.name.trim() !== workspace.name ||
    values.language !== workspace.language ||
    values.time_zone !== workspace.time_zone ||
    values.currency !== workspace.currency ||
    sensitive.join("\n") !== workspace.sensitive_fields.join("\n");
  return (
    <Card padded>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <h2 className={sectionTitleClass}>{t("section.workspace")}</h2>
        {!isAdmin && <Note>{t("adminsOnly")}</Note>}
        {save.isError && Object.keys(fields).length === 0 && (
          <ErrorCard title={t("saveFailed")} error={save.error} />
        )}
        <TextField
          label={t("setup:workspace.name")}
          required
          disabled={!isAdmin}
          value={values.name}
          error={fields.name?.join(" ")}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <div className={css.two}>
          <SelectField
            label={t("setup:workspace.language")}
            disabled={!isAdmin}
            value={values.language}
            options={languageOptions()}
            onChange={(language) => change({ language })}
          />
          <SelectField
            label={t("setup:workspace.currency")}
            disabled={!isAdmin}
            value={values.currency}
            options={currencyOptions(values.language, values.currency)}
            error={fields.currency?.join(" ")}
            onChange={(currency) => change({ currency })}
          />
        </div>
        <SelectField
          label={t("setup:workspace.timeZone")}
          disabled={!isAdmin}
          value={values.time_zone}
          options={timeZoneOptions(values.time_zone)}
          error={fields.time_zone?.join(" ")}
          onChange={(zone) => change({ time_zone: zone })}
        />
        <TextAreaField
          label={t("sensitive.label")}
          hint={t("sensitive.hint")}
          rows={3}
          disabled={!isAdmin}
          value={values.sensitive}
          error={fields.sensitive_fields?.join(" ")}
          onChange={(event) => change({ sensitive: event.currentTarget.value })}
        />
        <div className={setupCss.example}>
          <small>{t("setup:workspace.example")}</small>
          <b>{formatExample(values.language, values.time_zone, values.currency, new Date())}</b>
        </div>
        {isAdmin && (
          <div className={css.save}>
            <Button type="submit" variant="primary" disabled={!changed || !values.name.trim()} busy={save.isPending}>
              {t("common:action.save")}
            </Button>
            <span role="status" className={css.saved}>
              {save.isSuccess && !changed && (
                <>
                  <Check size={15} aria-hidden />
                  {t("saved")}
                </>
              )}
            </span>
          </div>
        )}
      </form>
    </Card>
  );
}
