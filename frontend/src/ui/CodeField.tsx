import { type ChangeEvent } from "react";
import { useTranslation } from "react-i18next";

import { TextField } from "./fields";

interface CodeFieldProps {
  value: string;
  onChange: (code: string) => void;
  /** What is wrong with it; true: that it is wrong, or was used. */
  error?: string | boolean | undefined;
  hint?: string;
  autoFocus?: boolean;
}

/** For the code of an authenticator app, which browsers and password managers know to fill in; or a recovery code. */
export function CodeField({ value, onChange, error, hint, autoFocus }: CodeFieldProps) {
  const { t } = useTranslation("common");
  return (
    <TextField
      label={t("code.label")}
      hint={hint ?? t("code.hint")}
      error={error === true ? t("code.wrong") : error || undefined}
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
