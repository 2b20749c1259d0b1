import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useAlike } from "../../api/queries";
import type { TaskDetail } from "../../api/types";
import { cx, Time, useFormatter } from "../../ui";
import { byOf } from "./away";
import alikeCss from "./alike.module.css";
import css from "./inbox.module.css";
import { useSaid } from "./said";
import { amountText } from "./task";

/** What was decided last of questions of the same step: nobody decides alone in the dark. */
export default function Alike({ task }: { task: TaskDetail }) {
  const { t } = useTranslation("people");
  const said = useSaid();
  const format = useFormatter();
  const found = useAlike(task.id).data ?? [];
  if (found.length === 0) return null;
  return (
    <section className={css.block}>
      <h3>{t("alike.title")}</h3>
      <ul className={alikeCss.list}>
        {found.map((one) => (
          <li key={one.id}>
            <Link to="/inbox" search={{ task: one.id, state: "closed", who: "anybody" }}>
              {one.title}
            </Link>
            <span className={cx("tn", alikeCss.amount)}>{amountText(one.amount, one.currency, format)}</span>
            <span className={cx(css.where, alikeCss.where)}>
              {[said(one.outcome, one.named), byOf(one.votes.at(-1), t)].filter(Boolean).join(" · ")} · <Time at={one.closed_at ?? one.created_at} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
