import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "../../api/client";
import { saidOfCode, useAskedCode } from "../../api/secondFactor";
import { acceptInvitation, sessionQuery } from "../../api/session";
import { Button, CodeField, ErrorCard, Note, PasswordField, TextField } from "../../ui";
import { AuthFrame } from "../setup/AuthFrame";
import { useLinkToken } from "../setup/linkToken";
import { SHORTEST_PASSWORD } from "../setup/password";
import { PasswordStrength } from "../setup/PasswordStrength";
import css from "../setup/setup.module.css";

export default function InvitationPage() {
  const { t } = useTranslation(["setup", "common"]);
  const token = useLinkToken();
  const navigate = useNavigate();
  const client = useQueryClient();
  // Joining is a write: it needs the token that every session answer brings.
  useQuery(sessionQuery);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const asked = useAskedCode();

  useEffect(() => {
    document.title = `${t("invitation.title")} · Millrace`;
  }, [t]);

  const accept = useMutation({
    mutationFn: () => acceptInvitation({ token: token ?? "", name: name.trim(), password, ...asked.sent }),
    onSuccess: async (session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, session);
      await navigate({ to: "/" });
    },
    onError: asked.refused,
  });
  const ofCode = saidOfCode(accept.error);
  const fields = accept.error instanceof ApiError ? accept.error.fields : {};

  if (!token) {
    return (
      <AuthFrame title={t("invitation.title")}>
        <Note tone="wait">{t("invitation.noToken")}</Note>
      </AuthFrame>
    );
  }
  return (
    <AuthFrame title={t("invitation.title")} lead={t("invitation.lead")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          accept.mutate();
        }}
      >
        {accept.isError && ofCode === null && <ErrorCard error={accept.error} />}
        <TextField
          label={t("you.name")}
          autoComplete="name"
          autoFocus
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={fields.name?.join(" ")}
        />
        <PasswordField
          label={t("you.password")}
          autoComplete="new-password"
          required
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          hint={t("invitation.passwordHint", { count: SHORTEST_PASSWORD })}
          error={fields.password?.join(" ")}
        />
        <PasswordStrength password={password} about={[name]} />
        {asked.asks && <CodeField autoFocus value={asked.code} onChange={asked.setCode} said={ofCode} />}
        <Button type="submit" variant="primary" size="lg" wide busy={accept.isPending}>
          {t("invitation.submit")}
        </Button>
      </form>
    </AuthFrame>
  );
}
