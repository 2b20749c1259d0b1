import { ClipboardPen, ListChecks, Stamp, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Task } from "../../api/types";
import ui from "../../ui/ui.module.css";
import css from "./inbox.module.css";
import { cx } from "../../ui";

const ICONS = { approval: Stamp, form: ClipboardPen, exception: TriangleAlert, review: ListChecks } as const;

/** The kind of a question as a picture. */
export function KindTile({ kind }: { kind: Task["kind"] }) {
  const { t } = useTranslation("inbox");
  const Icon = ICONS[kind];
  return (
    <span
      className={cx(ui.tile, kind === "exception" && css.failure)}
      data-category="people"
      role="img"
      aria-label={t(`kind.${kind}`)}
      title={t(`kind.${kind}`)}
    >
      <Icon size={19} aria-hidden />
    </span>
  );
}
