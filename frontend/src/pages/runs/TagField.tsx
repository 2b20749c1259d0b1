import { Tag } from "lucide-react";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useTagsUsed } from "../../api/runTags";
import { Field, optionId, OptionList } from "../../ui";
import fields from "../../ui/fields.module.css";
import { holds, LONGEST_TAG, tagOf } from "./tags";
import css from "./tags.module.css";

const MOST_SHOWN = 8;

export interface TagFieldProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  /** A word was meant: by Enter, by a comma, or by choosing one. */
  onPick: (tag: string) => void;
  /** Words that are not offered. */
  without?: readonly string[];
  error?: string | undefined;
  hint?: string;
  autoFocus?: boolean;
}

/** A word, typed or chosen of those that stand on runs here. */
export function TagField({ label, value, onChange, onPick, without = [], error, hint, autoFocus }: TagFieldProps) {
  const { t } = useTranslation("runs");
  const id = useId();
  const list = `${id}-list`;
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const found = useTagsUsed(tagOf(value))
    .filter((tag) => !holds(without, tag))
    .slice(0, MOST_SHOWN);
  const shown = open && found.length > 0;
  const pick = (tag: string): void => {
    setAt(-1);
    setOpen(false);
    if (tag) onPick(tag);
  };
  return (
    <Field id={id} label={label} error={error} {...(hint === undefined ? {} : { hint })}>
      <div className={css.field}>
        <input
          id={id}
          className={fields.input}
          role="combobox"
          aria-expanded={shown}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={shown && found[at] ? optionId(list, at) : undefined}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${id}-error` : hint === undefined ? undefined : `${id}-hint`}
          autoComplete="off"
          maxLength={LONGEST_TAG}
          data-autofocus={autoFocus || undefined}
          value={value}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onChange={(event) => {
            onChange(event.currentTarget.value);
            setOpen(true);
            setAt(-1);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setOpen(true);
              setAt((from) => Math.max(-1, Math.min(found.length - 1, from + (event.key === "ArrowDown" ? 1 : -1))));
            } else if (event.key === "Enter" || event.key === ",") {
              const chosen = shown ? found[at] : undefined;
              const tag = event.key === "Enter" && chosen ? chosen : tagOf(value);
              // An empty field leaves Enter to the form around it.
              if (tag || event.key === ",") event.preventDefault();
              pick(tag);
            } else if (event.key === "Escape" && shown) {
              event.stopPropagation();
              setOpen(false);
            }
          }}
        />
        {shown && (
          <OptionList id={list} label={t("tags.used")} items={found} at={at} keyOf={(tag) => tag} onPick={pick} className={css.list}>
            {(tag) => (
              <>
                <Tag size={13} aria-hidden />
                <span>{tag}</span>
              </>
            )}
          </OptionList>
        )}
      </div>
    </Field>
  );
}
