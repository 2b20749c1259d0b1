import { type ChangeEvent } from "react";
import { useTranslation } from "react-i18next";

import { TextField } from "./fields";

interface CodeFieldProps {
  value: string;
  onChange: (code: string) => void;
  /** What is wrong with it: in words, or as a refused sign-in says. */
  error?: string | undefined;
  said?: "needed" | "wrong" | "recoveryOnly" | null;
  hint?: string;
  autoFocus?: boolean;
}

/** For the code of an authenticator app, which browsers and password managers know to fill in; or a recovery code. */
export function CodeField({ value, onChange, error, said, hint, autoFocus }: CodeFieldProps) {
  const { t } = useTranslation("common");
  return (
    <TextField
      label={t("code.label")}
      hint={hint ?? t("code.hint")}
      error={said && said !== "needed" ? t(`code.${said}`) : error}
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      maxLength={40}
      required
      mono
      {...(autoFocus ? { autoFocus: true, "data-autofocus": true } : {})}
      value={value}
      onChange={(event: ChangeEvent<HTMLInputElement>) => onChange(event.currentTarget.value)}
    />
  );
}
