import { CircleAlert, CircleMinus, type LucideIcon, TriangleAlert, Undo2 } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import type { UndoItems, UndoLine } from "../../api/types";
import { undoOfItems } from "../../live";
import { RadioGroup, useFormatter } from "../../ui";
import fields from "../../ui/fields.module.css";
import { countedAs } from "./items/shown";
import { doubtOf, partsOf, saidOf, type UndoSaid, type UndoSayings, unknownOf, wordsOfLeft } from "./undo";
import css from "./undo.module.css";

interface Consents {
  sayings: UndoSayings;
  onSayings: (sayings: UndoSayings) => void;
  /** What is wrong with an undo step, by its node. */
  wrong: Readonly<Record<string, readonly string[]>>;
}

interface UndoPlanListProps {
  steps: readonly UndoLine[];
  title: string;
  /** Left out where the plan is only looked at. */
  consents?: Consents;
}

/** What is undone, in the order in which it is, and below it what is left as it is. */
export function UndoPlanList({ steps, title, consents }: UndoPlanListProps) {
  const { t } = useTranslation("runs");
  const id = useId();
  const { turns, left } = partsOf({ steps: [...steps] });
  return (
    <>
      {turns.length > 0 && (
        <section className={css.part}>
          <h3 id={`${id}-turns`}>{title}</h3>
          <ol className={css.plan} aria-labelledby={`${id}-turns`}>
            {turns.map((line, index) => (
              <Turn key={line.node} line={line} number={index + 1} consents={consents} />
            ))}
          </ol>
        </section>
      )}
      {left.length > 0 && (
        <section className={css.part}>
          <h3 id={`${id}-left`}>{t("undo.left")}</h3>
          <ul className={css.plan} aria-labelledby={`${id}-left`}>
            {left.map((line) => (
              <Left key={line.node} line={line} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Turn({ line, number, consents }: { line: UndoLine; number: number; consents: Consents | undefined }) {
  const { t } = useTranslation("runs");
  const id = useId();
  const doubt = doubtOf(line);
  const unknown = unknownOf(line);
  const format = useFormatter();
  const itemsText = useUndoItemsText();
  const sentences = consents?.wrong[line.undo_node ?? ""] ?? [];
  return (
    <li className={css.step} data-undo-step={line.undo_node} data-fate={line.fate} data-wrong={sentences.length > 0}>
      <div className={css.head}>
        <span className={css.number}>{number}</span>
        <div>
          <b id={id}>{line.undo_node === undoOfItems(line.node) ? t("undo.ofItems", { name: line.name }) : line.undo_name}</b>
          <small>{t("undo.undoes", { name: line.name })}</small>
          {line.items && <small>{itemsText(line.items, line.type)}</small>}
          {line.fate === "again" && !(consents && unknown !== null) && (
            <small data-doubt={doubt !== null}>{t(`undo.again.${line.why ?? "happened"}`)}</small>
          )}
        </div>
      </div>
      {sentences.map((sentence) => (
        <p key={sentence} className={`${fields.fieldError} ${css.more}`} role="alert">
          <CircleAlert size={13} aria-hidden />
          <span>{sentence}</span>
        </p>
      ))}
      {consents && unknown !== null && (
        <div className={css.more}>
          <RadioGroup
            legend={t("undo.became.legend", { name: line.name, at: line.done_at === null ? "" : format.exact(line.done_at), context: line.done_at === null ? "" : "at" })}
            name={`${id}-became`}
            value={saidOf(line, consents.sayings) ?? ""}
            choices={[
              { value: "send", label: t("undo.became.send"), hint: t(doubt === null ? "undo.became.sendHint" : "undo.became.sendTwice") },
              { value: "undone", label: t("undo.became.undone"), hint: t("undo.became.undoneHint") },
              { value: "still_done", label: t("undo.became.stillDone"), hint: t("undo.became.stillDoneHint") },
            ]}
            onChange={(said) => consents.onSayings({ ...consents.sayings, [unknown]: said as UndoSaid })}
          />
        </div>
      )}
    </li>
  );
}

/** What becomes of the runs that a step has begun, in words. */
function useUndoItemsText(): (items: UndoItems, type: string) => string {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  return (items, type) => {
    const said = (["undo", "undone", "nothing", "asks", "stays", "open", "unknown"] as const).filter((fate) => items[fate] > 0);
    const words = said.map((fate) => t(`undo.items.${fate}`, { count: items[fate], number: format.number(items[fate]) }));
    const inside = items.left.length > 0 ? [t("undo.items.left", { names: items.left.join(", ") })] : [];
    return [t("retry.items.of", { count: items.total, number: format.number(items.total), context: countedAs(type) }), ...words, ...inside].join(" · ");
  };
}

const ICONS: Record<ReturnType<typeof wordsOfLeft>, { icon: LucideIcon; tone: string }> = {
  undone: { icon: Undo2, tone: "undo" },
  nothing: { icon: CircleMinus, tone: "idle" },
  apart: { icon: TriangleAlert, tone: "wait" },
  no_undo_step: { icon: TriangleAlert, tone: "wait" },
  switched_off: { icon: TriangleAlert, tone: "wait" },
  earlier_go: { icon: TriangleAlert, tone: "wait" },
};

function Left({ line }: { line: UndoLine }) {
  const { t } = useTranslation("runs");
  const words = wordsOfLeft(line);
  const { icon: Icon, tone } = ICONS[words];
  return (
    <li className={css.step} data-fate={line.fate}>
      <div className={css.head}>
        <Icon size={17} data-tone={tone} aria-hidden />
        <div>
          <b>{line.name}</b>
          <small>{t(`undo.leaves.${words}`, { by: line.undo_name ?? "" })}</small>
        </div>
      </div>
    </li>
  );
}
