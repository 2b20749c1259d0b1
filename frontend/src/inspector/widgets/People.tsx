import { ShieldCheck, User, Users, X } from "lucide-react";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useAskable } from "../../api/people";
import { optionId, OptionList } from "../../ui";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import { emptied, textOf } from "./basic";
import { type Choice, choicesOf, matching, partsOf } from "./people";
import own from "./people.module.css";

const ICONS = { person: User, group: Users, role: ShieldCheck } as const;

/** People, groups and roles, found by typing; what is chosen stands as chips before the field. */
export default function People({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const { t } = useTranslation("people");
  const askable = useAskable();
  const list = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const all = useMemo(() => choicesOf(askable.data, (role) => t(`role.${role}`)), [askable.data, t]);
  const parts = partsOf(textOf(value));
  const found = matching(all, parts, text);
  const called = (part: string): Choice | undefined => all.find((one) => one.value.toLowerCase() === part.toLowerCase());
  const store = (next: string[]): void => onChange(next.length === 0 ? emptied(field) : next.join(", "));
  const add = (part: string): void => {
    const clean = part.trim();
    if (clean && !parts.some((one) => one.toLowerCase() === clean.toLowerCase())) store([...parts, clean]);
    setText("");
    setAt(0);
  };
  return (
    <div className={own.box} data-invalid={invalid || undefined}>
      {parts.map((part) => {
        const choice = called(part);
        const Icon = ICONS[choice?.kind ?? (part.includes("@") ? "person" : "group")];
        const name = choice?.label ?? part;
        return (
          <span key={part} className={own.chip} data-unknown={(askable.isSuccess && !choice) || undefined} title={choice ? part : t("unknown", { name: part })}>
            <Icon size={13} aria-hidden />
            <span>{name}</span>
            {askable.isSuccess && !choice && <span className="srOnly">{t("unknown", { name: part })}</span>}
            {!readOnly && (
              <button type="button" aria-label={t("remove", { name })} onClick={() => store(parts.filter((one) => one !== part))}>
                <X size={12} aria-hidden />
              </button>
            )}
          </span>
        );
      })}
      {!readOnly && (
        <input
          id={id}
          className={own.input}
          role="combobox"
          aria-expanded={open && found.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={open && found[at] ? optionId(list, at) : undefined}
          aria-invalid={invalid || undefined}
          aria-describedby={describedBy}
          autoComplete="off"
          placeholder={parts.length === 0 ? t("placeholder") : ""}
          value={text}
          onFocus={() => setOpen(true)}
          onBlur={() => {
            setOpen(false);
            // An address that was typed out needs no choosing.
            if (text.includes("@")) add(text);
          }}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setOpen(true);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setOpen(true);
              setAt((from) => Math.max(0, Math.min(found.length - 1, from + (event.key === "ArrowDown" ? 1 : -1))));
            } else if ((event.key === "Enter" || event.key === ",") && (text || open)) {
              const choice = open ? found[at] : undefined;
              if (choice && (text || event.key === "Enter")) {
                event.preventDefault();
                add(choice.value);
              } else if (text) {
                event.preventDefault();
                add(text);
              }
            } else if (event.key === "Escape" && open) {
              event.stopPropagation();
              setOpen(false);
            } else if (event.key === "Backspace" && text === "" && parts.length > 0) {
              store(parts.slice(0, -1));
            }
          }}
        />
      )}
      {open && found.length > 0 && (
        <OptionList id={list} label={field.title} items={found} at={at} keyOf={(choice) => choice.value} onPick={(choice) => add(choice.value)} className={own.list}>
          {(choice) => {
            const Icon = ICONS[choice.kind];
            return (
              <>
                <Icon size={14} aria-hidden />
                <span>
                  {choice.label}
                  <small className={css.hint}>{choice.kind === "person" ? choice.value : t(`kind.${choice.kind}`, { count: choice.count ?? 0 })}</small>
                </span>
              </>
            );
          }}
        </OptionList>
      )}
    </div>
  );
}
