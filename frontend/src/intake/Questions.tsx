import { useId } from "react";
import { useTranslation } from "react-i18next";

import type { Ask, ExpectedColumn, GivenFormat } from "../api/intake";
import { RadioGroup, useFormatter } from "../ui";
import css from "./intake.module.css";

interface QuestionsProps {
  asked: readonly Ask[];
  /** Those that nobody has answered. */
  open: readonly Ask[];
  columns: readonly ExpectedColumn[];
  format: GivenFormat;
  onAnswer(part: GivenFormat): void;
}

/** What can be read in two ways is asked, with an example from the file; never guessed. */
export function Questions({ asked, open, columns, format, onAnswer }: QuestionsProps) {
  const { t } = useTranslation("intake");
  const words = useFormatter();
  const name = useId();
  return asked.map((ask) => {
    const column = columns.find((one) => one.name === ask.column)?.label ?? ask.column;
    const [first, second] = ask.readings;
    const isDate = ask.kind === "dates";
    const day = (text: string): string => words.in("UTC").day(text);
    // Without signs between thousands, for these are what is asked about.
    const number = (text: string): string => words.number(Number(text), { useGrouping: false, maximumFractionDigits: 1 });
    const read = (text: string): string => (isDate ? day(text) : Math.abs(Number(text)) % 1 === 0 ? number(text) : t("ask.about", { number: number(text) }));
    const answer = format[ask.kind] ?? "";
    return (
      <div key={ask.kind} className={css.question} data-open={open.some((one) => one.kind === ask.kind) || undefined} data-testid={`ask-${ask.kind}`}>
        <RadioGroup
          name={`${name}-${ask.kind}`}
          legend={t(`ask.${ask.kind}`, { cell: ask.cell, column, first: read(first), second: read(second) })}
          value={answer}
          choices={[
            { value: isDate ? "dmy" : ",", label: read(first), hint: t(isDate ? "ask.dayFirst" : "ask.comma") },
            { value: isDate ? "mdy" : ".", label: read(second), hint: t(isDate ? "ask.monthFirst" : "ask.point") },
          ]}
          onChange={(value) => onAnswer(isDate ? { dates: value === "mdy" ? "mdy" : "dmy" } : { decimal: value === "," ? "," : "." })}
        />
      </div>
    );
  });
}
