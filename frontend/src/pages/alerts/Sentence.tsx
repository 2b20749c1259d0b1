import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { AlertWhat } from "../../api/schema.gen";
import { useFormatter } from "../../ui";
import css from "./alerts.module.css";
import { piecesOf, placesOf } from "./words";

/** The pieces of a sentence, its places filled with what the caller gives. */
export function filled(sentence: string, fill: (place: string) => ReactNode): ReactNode[] {
  return piecesOf(sentence).map((piece, index) => <Fragment key={index}>{piece.place ? fill(piece.text) : piece.text}</Fragment>);
}

/** A rule as a sentence that is read. */
export function RuleSentence({ what, names, short }: { what: AlertWhat; names: readonly string[]; short?: boolean }) {
  const { t, i18n } = useTranslation("alerts");
  const format = useFormatter();
  const places = placesOf(what, names, t, format, i18n.language);
  return (
    <span className={css.sentence}>
      {filled(t(`${short ? "short" : "sentence"}.${what.kind}`), (place) => (
        <b>{places[place] ?? ""}</b>
      ))}
    </span>
  );
}
