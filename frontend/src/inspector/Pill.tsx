import { createElement } from "react";

import { cx } from "../ui";
import { stepIcon } from "../ui/stepIcons";
import type { DataWords } from "./dataWords";
import pick from "./data.module.css";

/** A piece of data inside a text. */
export function Pill({ data, title }: { data: DataWords; title: string }) {
  return (
    <span className={cx(pick.pill, !data.known && pick.pillBroken)} title={title} data-pill={data.label}>
      <i data-category={data.category} aria-hidden>
        {createElement(stepIcon(data.icon), { size: 12 })}
      </i>
      <span>{data.label}</span>
    </span>
  );
}
