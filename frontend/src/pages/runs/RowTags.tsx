import { useTranslation } from "react-i18next";

import css from "./tags.module.css";

const SHOWN = 3;

/** The words on a run, below its key: they take nothing of its line. */
export function RowTags({ tags }: { tags: readonly string[] }) {
  const { t } = useTranslation("runs");
  if (tags.length === 0) return null;
  const left = tags.length - SHOWN;
  return (
    <span className={css.row} title={tags.join(", ")}>
      <span className="srOnly">{t("tags.are", { tags: tags.join(", ") })}</span>
      {tags.slice(0, SHOWN).map((tag) => (
        <span key={tag} className={css.tag} aria-hidden>
          <span>{tag}</span>
        </span>
      ))}
      {left > 0 && (
        <span className={css.more} aria-hidden>
          +{left}
        </span>
      )}
    </span>
  );
}
