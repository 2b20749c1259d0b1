import { useQueryClient } from "@tanstack/react-query";
import { ExternalLink, Plus } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { useConnections } from "../../api/queries";
import { cx } from "../../ui";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";

/** The connections of the fitting kinds; a new one is made in another tab, and this list then knows it. */
export function ConnectionPicker({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const client = useQueryClient();
  const connections = useConnections();
  const kinds = field.hints.kinds ?? [];
  const fitting = (connections.data ?? []).filter((connection) => kinds.length === 0 || kinds.includes(connection.kind));
  const current = textOf(value);
  const chosen = fitting.find((connection) => connection.id === current);
  useEffect(() => {
    const back = (): void => void client.invalidateQueries({ queryKey: [workspace, "connections"] });
    window.addEventListener("focus", back);
    return () => window.removeEventListener("focus", back);
  }, [client, workspace]);
  const broken = chosen !== undefined && ["broken", "failed", "error"].includes(chosen.status);
  return (
    <div className={rules.connection}>
      <div className={rules.connectionBox}>
        {chosen && <i className={rules.dot} data-bad={broken} aria-hidden />}
        <select
          id={id}
          className={cx(css.input, css.select, chosen && rules.withDot)}
          value={current}
          disabled={readOnly}
          aria-invalid={invalid || broken || undefined}
          aria-describedby={describedBy}
          aria-required={field.required || undefined}
          onChange={(event) => onChange(event.currentTarget.value || (field.nullable ? null : undefined))}
        >
          <option value="">{fitting.length > 0 ? t("connection.choose") : t("connection.none")}</option>
          {current !== "" && !chosen && <option value={current}>{connections.isLoading ? "…" : t("connection.gone")}</option>}
          {fitting.map((connection) => (
            <option key={connection.id} value={connection.id}>
              {connection.name}
            </option>
          ))}
        </select>
      </div>
      {!readOnly && (
        <a className={rules.createLink} href={`/connections${kinds[0] ? `?kind=${encodeURIComponent(kinds[0])}` : ""}`} target="_blank" rel="noreferrer">
          <Plus size={13} aria-hidden /> {t("connection.create")} <ExternalLink size={12} aria-hidden />
        </a>
      )}
      {broken && <span className={css.error}>{chosen.status_detail ?? t("connection.broken")}</span>}
    </div>
  );
}
