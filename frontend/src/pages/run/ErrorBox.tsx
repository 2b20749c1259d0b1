import { CircleX } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { RunError } from "../../api/types";
import { failureMessage, failureTitle } from "../../i18n/server";
import { CopyButton } from "../../ui";
import ui from "../../ui/ui.module.css";

function TechnicalDetails({ error }: { error: RunError }) {
  const { t } = useTranslation(["runs", "common"]);
  const lines = [
    error.http_status ? `HTTP ${error.http_status}` : null,
    error.code,
    error.detail && error.detail !== error.message ? error.detail : null,
  ].filter((line): line is string => Boolean(line));
  return (
    <details className={ui.details}>
      <summary>{t("common:error.details")}</summary>
      <pre tabIndex={0}>{lines.join("\n")}</pre>
      <CopyButton text={lines.join("\n")} />
    </details>
  );
}

export function ErrorBox({ error, children }: { error: RunError; children?: ReactNode }) {
  return (
    <div className={ui.error}>
      <div className={ui.errorTitle}>
        <CircleX size={18} aria-hidden />
        <span>{failureTitle(error) || failureMessage(error)}</span>
      </div>
      {error.message && error.message !== error.title && <p>{failureMessage(error)}</p>}
      {children}
      <TechnicalDetails error={error} />
    </div>
  );
}
