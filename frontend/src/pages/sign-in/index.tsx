import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { saidOfCode, useAskedCode } from "../../api/secondFactor";
import { sessionQuery, signIn, useTakeSession } from "../../api/session";
import { Button, CheckboxField, CodeField, ErrorCard, Note, PasswordField, TextField, useFormatter } from "../../ui";
import { AuthFrame } from "../setup/AuthFrame";
import css from "../setup/setup.module.css";

export default function SignInPage() {
  const { t } = useTranslation(["setup", "common"]);
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const client = useQueryClient();
  const format = useFormatter();
  const session = useQuery(sessionQuery);
  const takeSession = useTakeSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const asked = useAskedCode();
  const [remember, setRemember] = useState(true);

  useEffect(() => {
    document.title = `${t("signIn.title")} · Millrace`;
  }, [t]);
  const setupRequired = session.data?.setup_required ?? false;
  useEffect(() => {
    if (setupRequired) void navigate({ to: "/setup" });
  }, [setupRequired, navigate]);

  const enter = useMutation({
    mutationFn: () => signIn({ email: email.trim(), password, remember, ...asked.sent }),
    onSuccess: async (entered) => {
      // Whoever was here before leaves nothing behind.
      client.clear();
      takeSession(entered);
      await navigate({ to: next ?? "/" });
    },
    onError: (error) => {
      asked.refused(error);
      // Another password, or another person: who that is asked for a code is known only then.
      if (error instanceof ApiError && error.code === "wrong_credentials") asked.forget();
    },
  });

  const refused = enter.error instanceof ApiError ? enter.error : null;
  const tooMany = refused?.status === 429;
  const ofCode = saidOfCode(refused);
  const wrong = refused !== null && ofCode === null && (refused.status === 401 || refused.status === 403 || refused.status === 422);
  const seconds = Number(refused?.params.seconds ?? refused?.params.retry_after_seconds ?? 0);
  return (
    <AuthFrame title={t("signIn.title")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          enter.mutate();
        }}
      >
        {tooMany && (
          <Note tone="wait">
            {seconds > 0
              ? t("signIn.tooManyUntil", { time: format.clock(Date.now() + seconds * 1000) })
              : t("signIn.tooMany")}
          </Note>
        )}
        {wrong && !tooMany && (
          <div role="alert">
            <Note tone="err">{t("signIn.wrong")}</Note>
          </div>
        )}
        {enter.isError && !wrong && !tooMany && ofCode === null && <ErrorCard error={enter.error} />}
        {session.data?.user && session.data.workspaces.length === 0 && (
          <Note tone="wait">{t("signIn.noWorkspace", { email: session.data.user.email })}</Note>
        )}
        <TextField
          label={t("you.email")}
          type="email"
          autoComplete="username"
          autoFocus
          required
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordField
          label={t("you.password")}
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {asked.asks && <CodeField autoFocus value={asked.code} onChange={asked.setCode} said={ofCode} />}
        <CheckboxField label={t("signIn.remember")} checked={remember} onChange={setRemember} />
        <Button type="submit" variant="primary" size="lg" wide busy={enter.isPending}>
          {t("signIn.submit")}
        </Button>
      </form>
    </AuthFrame>
  );
}
