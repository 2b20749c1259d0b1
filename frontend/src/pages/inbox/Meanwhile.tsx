import { useTranslation } from "react-i18next";

import type { TaskNote } from "../../api/tasks";
import { Time } from "../../ui";
import css from "./inbox.module.css";

/** What happened to a question beside its answers: who was asked too, who handed it over, whom a mail missed. */
export default function Meanwhile({ notes }: { notes: readonly TaskNote[] }) {
  const { t } = useTranslation("people");
  return (
    <section className={css.block}>
      <h3>{t("notes.title")}</h3>
      <ul className={css.votes}>
        {notes.map((note) => {
          const { kind, by, to } = note;
          const key = kind === "take" && to ? "takeOver" : kind === "give_back" && to ? (by ? "give_back_for" : "left") : kind;
          return (
            <li key={`${kind} ${note.at} ${to}`}>
              <div>
                <span>
                  {t(`notes.${key}`, { by, to })} · <Time at={note.at} />
                </span>
                {note.text && <p className={css.text}>{note.text}</p>}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
