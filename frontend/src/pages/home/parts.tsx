import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";

import { sectionTitleClass } from "../../ui";
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
