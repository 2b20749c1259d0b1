import { Popover } from "@mantine/core";
import { ListFilterPlus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSearchFields } from "../../api/runSearch";
import { Button, SelectField, TextField } from "../../ui";
import { condition, OPTIONS } from "./query";
import css from "./runs.module.css";
import { TagField } from "./TagField";

interface Choice {
  name: string;
  label: string;
  kind: "text" | "number" | "amount" | "date" | "word" | "length" | "choice" | "tag";
  options?: string[];
}

const WORDS: readonly Choice[] = [
  { name: "key", label: "", kind: "text" },
  { name: "tag", label: "", kind: "tag" },
  { name: "version", label: "", kind: "word" },
  { name: "by", label: "", kind: "choice", options: OPTIONS.by },
  { name: "step", label: "", kind: "word" },
  { name: "stands", label: "", kind: "choice", options: OPTIONS.stands },
  { name: "error", label: "", kind: "word" },
  { name: "connection", label: "", kind: "word" },
  { name: "longer", label: "", kind: "length" },
  { name: "shorter", label: "", kind: "length" },
  { name: "asks", label: "", kind: "choice", options: OPTIONS.asks },
];
const OPERATORS = { text: [":", "="], number: [":", ">", ">=", "<", "<="], amount: [":", ">", ">=", "<", "<="], date: [":", ">", ">=", "<", "<="] } as const;
const OPERATOR_NAMES: Record<string, string> = { ":": "is", "=": "exactly", ">": "above", ">=": "atLeast", "<": "below", "<=": "atMost" };

/** Builds one condition by choosing, and shows how it would be typed. */
export function AddFilter({ onAdd }: { onAdd: (condition: string) => void }) {
  const { t } = useTranslation("runs");
  const [opened, setOpened] = useState(false);
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={300} radius={12} trapFocus returnFocus shadow="none" withinPortal>
      <Popover.Target>
        <Button size="sm" icon={<ListFilterPlus size={14} aria-hidden />} onClick={() => setOpened(!opened)} aria-expanded={opened}>
          {t("add.button")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={css.pop} aria-label={t("add.button")}>
        {opened && (
          <Form
            onAdd={(made) => {
              setOpened(false);
              onAdd(made);
            }}
          />
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function Form({ onAdd }: { onAdd: (condition: string) => void }) {
  const { t } = useTranslation("runs");
  const fields = useSearchFields().data ?? [];
  const choices: Choice[] = [...fields.map((field) => ({ name: field.name, label: field.label, kind: field.kind })), ...WORDS.map((word) => ({ ...word, label: t(`add.words.${word.name}`) }))];
  const [name, setName] = useState(choices[0]?.name ?? "key");
  const [op, setOp] = useState(":");
  const [value, setValue] = useState("");
  const choice = choices.find((one) => one.name === name) ?? choices[0];
  const operators: readonly string[] = choice && choice.kind in OPERATORS ? OPERATORS[choice.kind as keyof typeof OPERATORS] : [":"];
  const chosen = operators.includes(op) ? op : ":";
  const given = choice?.kind === "choice" ? (choice.options?.includes(value) ? value : (choice.options?.[0] ?? "")) : value;
  const made = condition(name, chosen, given);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (given.trim()) onAdd(made);
  };
  return (
    <form className={css.addForm} onSubmit={submit}>
      <SelectField label={t("add.what")} value={name} options={choices.map((one) => ({ value: one.name, label: one.label }))} onChange={setName} data-autofocus />
      {operators.length > 1 && (
        <SelectField
          label={t("add.how")}
          value={chosen}
          options={operators.map((one) => ({ value: one, label: t(choice?.kind === "text" && one === ":" ? "add.op.contains" : `add.op.${OPERATOR_NAMES[one]}`) }))}
          onChange={setOp}
        />
      )}
      {choice?.kind === "choice" ? (
        <SelectField label={t("add.value")} value={given} options={(choice.options ?? []).map((one) => ({ value: one, label: t(`add.choice.${one}`) }))} onChange={setValue} />
      ) : choice?.kind === "tag" ? (
        <TagField label={t("add.value")} value={value} onChange={setValue} onPick={setValue} />
      ) : (
        <TextField
          label={t("add.value")}
          value={value}
          autoComplete="off"
          inputMode={choice?.kind === "number" || choice?.kind === "amount" ? "decimal" : "text"}
          type={choice?.kind === "date" ? "date" : "text"}
          placeholder={choice?.kind === "length" ? "10m" : choice?.kind === "amount" ? "10000" : ""}
          hint={choice?.kind === "length" ? t("add.length") : undefined}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      )}
      <p className={css.typed}>
        {t("add.typed")} <code>{made}</code>
      </p>
      <Button type="submit" variant="primary" size="sm" disabled={!given.trim()}>
        {t("add.confirm")}
      </Button>
    </form>
  );
}
