import { ArrowRight, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ErrorCard, sectionTitleClass, useFormatter } from "../../ui";
import css from "./home.module.css";

export function Section(props: { title: string; more?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section} aria-label={props.title}>
      <div className={css.sectionHead}>
        <h2 className={sectionTitleClass}>{props.title}</h2>
        {props.more}
      </div>
      {props.children}
    </section>
  );
}

/** What a row leads to. */
export function Action({ children }: { children: ReactNode }) {
  return (
    <span className={css.action}>
      {children} <ArrowRight size={14} aria-hidden />
    </span>
  );
}

interface Asked {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

/** What of this could not be read, if anything; asked for again together. Each part stands by itself: what was read is
 * shown all the same. */
export function Unread({ of }: { of: readonly Asked[] }) {
  const { t } = useTranslation("workflows");
  const wrong = of.filter((one) => one.isError);
  return wrong[0] ? <ErrorCard title={t("home.loadFailed")} error={wrong[0].error} onRetry={() => wrong.forEach((one) => void one.refetch())} /> : null;
}

/** That there is nothing, and as of when. */
export function Nothing({ says, at }: { says: string; at: number }) {
  const { t } = useTranslation("workflows");
  const format = useFormatter();
  return (
    <p className={css.quiet}>
      <CircleCheck size={18} color="var(--ok)" aria-hidden />
      {says}
      <small>{t("home.lastChecked", { time: format.clock(at) })}</small>
    </p>
  );
}
