import { useTranslation } from "react-i18next";

import { useTriggers } from "../../api/queries";
import type { GraphNode } from "../../graph";
import { CopyBox } from "../../ui";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import rules from "../rules.module.css";

/** Where others send their data to: known once the workflow has been published. */
export function WebhookAddress({ node }: { node: GraphNode }) {
  const { t } = useTranslation("inspector");
  const { workflow } = useEnvironment();
  const triggers = useTriggers(workflow);
  const found = triggers.data?.find((trigger) => trigger.node === node.id || trigger.key === node.key);
  return (
    <div className={css.row}>
      <span className={css.label}>{t("webhook.address")}</span>
      {found?.url ? <CopyBox text={found.url} label={t("webhook.copy")} /> : <p className={css.hint}>{t("webhook.afterPublish")}</p>}
      {found?.curl && (
        <details className={rules.moreOptions}>
          <summary>{t("webhook.curl")}</summary>
          <CopyBox text={found.curl} label={t("webhook.copyCurl")} />
        </details>
      )}
    </div>
  );
}
