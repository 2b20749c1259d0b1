import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, rememberSession } from "../../api/client";
import { sessionQuery, useUser, useWorkspace } from "../../api/session";
import { startPagesFor, useStartPage } from "../../api/startPage";
import type { Session, StartPage } from "../../api/types";
import { i18n, type Language, LANGUAGES, setLanguage } from "../../i18n";
import {
  Button,
  Card,
  ErrorCard,
  PasswordField,
  sectionTitleClass,
  SelectField,
  TextField,
  type ThemeChoice,
  useThemeChoice,
} from "../../ui";
import { SHORTEST_PASSWORD } from "../setup/password";
import { OutOfOffice } from "./OutOfOffice";
import { SecondFactor } from "./SecondFactor";
import css from "./settings.module.css";

const LIGHT = { canvas: "#f4f6f9", surface: "#ffffff", border: "#dde2ea", ink: "#152033", accent: "#3346c2" };
const DARK = { canvas: "#0f141c", surface: "#161c26", border: "#2b3544", ink: "#e8ecf3", accent: "#8fa0ff" };

function Picture({ choice }: { choice: ThemeChoice }) {
  const half = (look: typeof LIGHT, clip: string) => (
    <g clipPath={clip}>
      <rect width="160" height="84" fill={look.canvas} />
      <rect width="18" height="84" fill={look.surface} stroke={look.border} />
      <rect x="5" y="6" width="8" height="8" rx="2" fill={look.accent} />
      {[16, 48].map((y) => (
        <g key={y}>
          <rect x="48" y={y} width="84" height="22" rx="5" fill={look.surface} stroke={look.border} />
          <rect x="53" y={y + 5} width="12" height="12" rx="3" fill={look.accent} opacity=".35" />
          <rect x="71" y={y + 6} width="40" height="3" rx="1.5" fill={look.ink} />
          <rect x="71" y={y + 12} width="28" height="3" rx="1.5" fill={look.ink} opacity=".4" />
        </g>
      ))}
    </g>
  );
  return (
    <svg viewBox="0 0 160 84" aria-hidden>
      <clipPath id={`left-${choice}`}>
        <path d="M0 0h92L68 84H0z" />
      </clipPath>
      <clipPath id={`right-${choice}`}>
        <path d="M92 0h68v84H68z" />
      </clipPath>
      {choice === "dark" ? half(DARK, "") : half(LIGHT, choice === "system" ? `url(#left-${choice})` : "")}
      {choice === "system" && half(DARK, `url(#right-${choice})`)}
    </svg>
  );
}

function Appearance() {
  const { t } = useTranslation(["settings", "shell"]);
  const { choice, choose } = useThemeChoice();
  const themes = [
    { value: "light", icon: Sun },
    { value: "dark", icon: Moon },
    { value: "system", icon: Monitor },
  ] as const;
  const pick = (value: ThemeChoice) => {
    choose(value);
    // Kept with the account as well, for the next computer; this computer needs no answer.
    void api.patch("/me", { theme: value }).catch(() => undefined);
  };
  return (
    <Card padded className={css.form}>
      <h2 className={sectionTitleClass}>{t("profile.appearance")}</h2>
      <div className={css.themes} role="radiogroup" aria-label={t("profile.appearance")}>
        {themes.map(({ value, icon: Icon }) => (
          <button
            key={value}
            type="button"
            role="radio"
            aria-checked={choice === value}
            className={css.theme}
            onClick={() => pick(value)}
          >
            <Picture choice={value} />
            <span>
              <Icon size={15} aria-hidden />
              {t(`shell:me.${value}`)}
            </span>
          </button>
        ))}
      </div>
      <SelectField
        label={t("profile.language")}
        hint={t("profile.languageHint")}
        value={i18n.resolvedLanguage ?? "en"}
        options={LANGUAGES.map((language) => ({
          value: language,
          label: new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language,
        }))}
        onChange={(language) => {
          void setLanguage(language as Language);
          void api.patch("/me", { language }).catch(() => undefined);
        }}
      />
    </Card>
  );
}

/** For how long decisions in the inbox can be taken back. */
function Decisions() {
  const { t } = useTranslation("settings");
  const user = useUser();
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (seconds: number) => api.patch("/me", { undo_seconds: seconds }),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  return (
    <Card padded className={css.form}>
      <h2 className={sectionTitleClass}>{t("profile.decisions")}</h2>
      {save.isError && <ErrorCard title={t("saveFailed")} error={save.error} />}
      <SelectField
        label={t("profile.undo")}
        hint={t("profile.undoHint")}
        value={String(save.isPending ? save.variables : user.undo_seconds)}
        options={[0, 8, 20].map((seconds) => ({
          value: String(seconds),
          label: seconds === 0 ? t("profile.undoNone") : t("profile.undoSeconds", { count: seconds }),
        }))}
        onChange={(value) => save.mutate(Number(value))}
      />
    </Card>
  );
}

/** Where signing in and the logo lead. */
function Beginning() {
  const { t } = useTranslation(["settings", "shell"]);
  const client = useQueryClient();
  const role = useWorkspace().role;
  const start = useStartPage();
  const save = useMutation({
    mutationFn: (page: StartPage) => api.patch("/me", { start_page: page }),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  return (
    <Card padded className={css.form}>
      <h2 className={sectionTitleClass}>{t("profile.beginning")}</h2>
      {save.isError && <ErrorCard title={t("saveFailed")} error={save.error} />}
      <SelectField
        label={t("profile.startPage")}
        hint={t("profile.startPageHint")}
        value={save.isPending ? save.variables : start}
        options={startPagesFor(role).map((page) => ({ value: page, label: t(`shell:nav.${page}`) }))}
        onChange={(value) => save.mutate(value as StartPage)}
      />
    </Card>
  );
}

function Saved({ shown }: { shown: boolean }) {
  const { t } = useTranslation("settings");
  return (
    <span role="status" className={css.saved}>
      {shown && (
        <>
          <Check size={15} aria-hidden />
          {t("saved")}
        </>
      )}
    </span>
  );
}

function Me() {
  const { t } = useTranslation(["settings", "common"]);
  const user = useUser();
  const client = useQueryClient();
  const [name, setName] = useState(user.name);
  const save = useMutation({
    mutationFn: () => api.patch("/me", { name: name.trim() }),
    onSuccess: () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  return (
    <Card padded>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <h2 className={sectionTitleClass}>{t("profile.me")}</h2>
        {save.isError && !fields.name && <ErrorCard title={t("saveFailed")} error={save.error} />}
        <div className={css.two}>
          <TextField
            label={t("profile.name")}
            required
            autoComplete="name"
            value={name}
            error={fields.name?.join(" ")}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextField label={t("profile.email")} value={user.email} disabled readOnly />
        </div>
        <div className={css.save}>
          <Button
            type="submit"
            variant="primary"
            disabled={!name.trim() || name.trim() === user.name}
            busy={save.isPending}
          >
            {t("common:action.save")}
          </Button>
          <Saved shown={save.isSuccess && name.trim() === user.name} />
        </div>
      </form>
    </Card>
  );
}

function Password() {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => api.patch<Session | undefined>("/me", { current_password: current, password: next }),
    onSuccess: async (answer) => {
      setCurrent("");
      setNext("");
      if (answer && "csrf_token" in answer) rememberSession(answer);
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const fields = change.error instanceof ApiError ? change.error.fields : {};
  return (
    <Card padded>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <h2 className={sectionTitleClass}>{t("profile.password")}</h2>
        {change.isError && Object.keys(fields).length === 0 && (
          <ErrorCard title={t("saveFailed")} error={change.error} />
        )}
        <div className={css.two}>
          <PasswordField
            label={t("profile.currentPassword")}
            autoComplete="current-password"
            value={current}
            error={fields.current_password?.join(" ")}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
          <PasswordField
            label={t("profile.newPassword")}
            autoComplete="new-password"
            value={next}
            hint={t("profile.passwordHint", { count: SHORTEST_PASSWORD })}
            error={fields.password?.join(" ")}
            onChange={(event) => setNext(event.currentTarget.value)}
          />
        </div>
        <div className={css.save}>
          <Button type="submit" disabled={!current || next.length < SHORTEST_PASSWORD} busy={change.isPending}>
            {t("profile.changePassword")}
          </Button>
          <Saved shown={change.isSuccess && !current && !next} />
        </div>
      </form>
    </Card>
  );
}

export default function ProfilePage() {
  return (
    <>
      <Me />
      <OutOfOffice />
      <Beginning />
      <Appearance />
      <Decisions />
      <Password />
      <SecondFactor />
    </>
  );
}
