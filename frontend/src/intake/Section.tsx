import { Check } from "lucide-react";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

import css from "./intake.module.css";

/** One of the steps on the way to a start, and whether it is done. */
export function Section({ number, title, done, children }: { number: number; title: string; done: boolean; children: ReactNode }) {
  const { t } = useTranslation("intake");
  const id = useId();
  return (
    <section className={css.section} aria-labelledby={id} data-done={done || undefined}>
      <h4 id={id}>
        <span className={css.number} aria-hidden>
          {done ? <Check size={14} /> : number}
        </span>
        {title}
        <span className="srOnly">{done ? t("done") : t("open")}</span>
      </h4>
      {children}
    </section>
  );
}
