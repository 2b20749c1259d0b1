import { Workflow } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import css from "./setup.module.css";

/** The page around sign-in, set-up and invitations: the mark, one card, nothing else. */
export function AuthFrame(props: { title: ReactNode; lead?: ReactNode; wide?: boolean; children: ReactNode }) {
  const { t } = useTranslation("shell");
  return (
    <main className={css.frame}>
      <div className={css.brand}>
        <span className={css.mark}>
          <Workflow size={22} aria-hidden />
        </span>
        <b>{t("product")}</b>
      </div>
      <div className={css.card} data-wide={props.wide ?? false}>
        <header className={css.head}>
          <h1>{props.title}</h1>
          {props.lead !== undefined && <p>{props.lead}</p>}
        </header>
        {props.children}
      </div>
    </main>
  );
}
