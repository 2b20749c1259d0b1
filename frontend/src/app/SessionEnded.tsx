import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../api/client";
import { saidOfCode, useAskedCode } from "../api/secondFactor";
import { signIn, useTakeSession } from "../api/session";
import { Button, CodeField, Dialog, ErrorCard, PasswordField, TextField } from "../ui";

/** Over the page that stays as it is: sign in again in place, and nothing is lost. */
export function SessionEnded(props: { opened: boolean; email: string; onSignedIn: () => void }) {
  const { t } = useTranslation("shell");
  const takeSession = useTakeSession();
  const client = useQueryClient();
  const [email, setEmail] = useState(props.email);
  const [password, setPassword] = useState("");
  const asked = useAskedCode();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      takeSession(
        await signIn({ email: email || props.email, password, remember: true, ...asked.sent }),
      );
      setPassword("");
      asked.setCode("");
      asked.forget();
      void client.invalidateQueries();
      window.dispatchEvent(new Event("millrace:signed-in"));
      props.onSignedIn();
    } catch (problem) {
      setError(problem);
      asked.refused(problem);
    } finally {
      setBusy(false);
    }
  };

  const ofCode = saidOfCode(error);
  const wrong = error instanceof ApiError && error.status === 401 && ofCode === null;
  return (
    <Dialog opened={props.opened} onClose={() => {}} stubborn title={t("sessionEnded.title")} size={420}>
      <form
        style={{ display: "grid", gap: 14 }}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p>{t("sessionEnded.text")}</p>
        {error !== null && !wrong && ofCode === null && <ErrorCard error={error} />}
        <TextField
          label={t("sessionEnded.email")}
          type="email"
          autoComplete="username"
          value={email || props.email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordField
          label={t("sessionEnded.password")}
          autoComplete="current-password"
          data-autofocus
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          error={wrong ? t("sessionEnded.wrong") : undefined}
        />
        {asked.asks && <CodeField autoFocus value={asked.code} onChange={asked.setCode} said={ofCode} />}
        <Button type="submit" variant="primary" busy={busy} wide size="lg">
          {t("sessionEnded.signIn")}
        </Button>
        <a href="/sign-in">{t("sessionEnded.otherUser")}</a>
      </form>
    </Dialog>
  );
}
