import { useTranslation } from "react-i18next";

import type { SystemCheck } from "../../api/types";
import { retell } from "../../i18n/server";
import { CopyBox } from "../../ui";
import { CircleCheck, TriangleAlert } from "lucide-react";
import css from "./setup.module.css";

/** The system check as a list: what was looked at, what was seen, how to mend it. */
export function Checks({ checks }: { checks: readonly SystemCheck[] }) {
  const { t } = useTranslation("setup");
  return (
    <ul className={css.checks}>
      {checks.map((check) => (
        <li key={check.id}>
          {check.ok ? (
            <CircleCheck size={18} color="var(--ok)" role="img" aria-label={t("checks.ok")} />
          ) : (
            <TriangleAlert size={18} color="var(--wait)" role="img" aria-label={t("checks.notOk")} />
          )}
          <div>
            <b>{retell("checks", check.id, check.title)}</b>
            {check.detail && <small>{retell("checks", check.id, check.detail)}</small>}
            {!check.ok && check.fix && <CopyBox text={retell("checks", check.id, check.fix)} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

