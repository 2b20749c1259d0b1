import { Plus, Trash2 } from "lucide-react";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { FIELD_KINDS, type FieldKind, indexOf, MOST_FIELDS, type Naming, type NamingField, type Problem } from "../../graph";
import { DataScopeContext } from "../../inspector/DataScope";
import { type DataSource, rowsOf, sampleOf, type Translate } from "../../inspector/dataWords";
import { useEditor, useEnvironment } from "../../inspector/EditorContext";
import { ExpressionField } from "../../inspector/ExpressionField";
import { useProblemText } from "../../inspector/problemText";
import { Button, cx, IconButton, TextField } from "../../ui";
import fields from "../../ui/fields.module.css";
import css from "./naming.module.css";
import { kindOf, shortName, tidied, withField } from "./naming";

const MOST_ROWS = 120;

/** Everything that a run's name can be made of: what the starts bring, and what steps give that are done once. */
function useSources(): DataSource[] {
  const { samples } = useEnvironment();
  const document = useEditor((state) => state.document);
  const specs = useEditor((state) => state.specs);
  return useMemo(() => {
    const { incoming } = indexOf(document);
    const undoes = (id: string) => (incoming.get(id) ?? []).some((edge) => edge.sourceHandle === "undo");
    const steps = document.nodes.filter((node) => node.parent === undefined && !undoes(node.id));
    return steps
      .map((node): DataSource => {
        const spec = specs[node.type];
        const { value, origin } = sampleOf(node, specs, samples);
        const start = spec?.trigger === true;
        return {
          id: node.id,
          node,
          title: node.name,
          root: start ? "trigger" : "steps",
          key: start ? null : node.key,
          sample: value,
          origin,
          category: spec?.category ?? "app",
          icon: spec?.icon,
        };
      })
      .sort((one, other) => Number(other.key === null) - Number(one.key === null));
  }, [document, specs, samples]);
}

interface Chosen {
  expression: string;
  label: string;
  value: unknown;
}

/** A formula, and beside it a list of the data that there is. */
function Formula(props: { id: string; label: string; value: string; placeholder?: string; problem: string | undefined; sources: DataSource[]; onChange: (value: string, chosen?: Chosen) => void }) {
  const { t } = useTranslation(["editor", "inspector"]);
  const readOnly = useEditor((state) => state.readOnly);
  const help = useId();
  const words = t as unknown as Translate;
  const rows = useMemo(
    () =>
      props.sources.map((source) => ({
        source,
        rows: rowsOf(source, ((key: string, params?: Record<string, unknown>) => words(`inspector:${key}`, params)) as Translate, MOST_ROWS).filter((row) => !row.hasChildren),
      })),
    [props.sources, words],
  );
  return (
    <div className={css.formula}>
      <ExpressionField
        node=""
        fieldId={props.id}
        label={props.label}
        value={props.value}
        placeholder={props.placeholder}
        invalid={props.problem !== undefined}
        describedBy={props.problem === undefined ? undefined : help}
        readOnly={readOnly}
        onChange={(value) => props.onChange(value)}
      />
      <select
        className={cx(fields.input, css.choose)}
        aria-label={t("naming.chooseFor", { label: props.label })}
        value=""
        disabled={readOnly}
        onChange={(event) => {
          const [at, row] = event.currentTarget.value.split(":").map(Number);
          const found = rows[at ?? -1]?.rows[row ?? -1];
          if (found) props.onChange(`{{ ${found.expression} }}`, { expression: found.expression, label: found.label, value: found.value });
        }}
      >
        <option value="">{t("naming.choose")}</option>
        {rows.map(
          ({ source, rows: own }, at) =>
            own.length > 0 && (
              <optgroup key={source.id} label={source.title}>
                {own.map((row, number) => (
                  <option key={row.expression} value={`${at}:${number}`}>
                    {[...row.trail, row.label].join(" › ")}
                  </option>
                ))}
              </optgroup>
            ),
        )}
      </select>
      {props.problem !== undefined && (
        <span id={help} className={css.problem}>
          {props.problem}
        </span>
      )}
    </div>
  );
}

/** What do people call one of these? The key, and up to five fields; it goes with the draft. */
export function NamingFields() {
  const { t } = useTranslation("editor");
  const { store } = useEnvironment();
  const naming = useEditor((state) => state.document.naming);
  const start = useEditor((state) => state.document.nodes.find((node) => state.specs[node.type]?.trigger && typeof node.config["business_key"] === "string" && node.config["business_key"] !== ""));
  const problems = useEditor((state) => state.problems);
  const readOnly = useEditor((state) => state.readOnly);
  const sources = useSources();
  const scope = useMemo(() => ({ sources: () => sources }), [sources]);
  const said: Naming = naming ?? { key: "", fields: [] };
  const put = (next: Naming): void => {
    store.edit(
      { key: "history.naming", params: {} },
      (draft) => {
        const kept = tidied(next);
        if (kept) draft.naming = kept;
        else delete draft.naming;
      },
      { group: "naming" },
    );
  };
  const change = (at: number, part: Partial<NamingField>): void => {
    put({ ...said, fields: said.fields.map((one, index) => (index === at ? { ...one, ...part } : one)) });
  };
  const text = useProblemText();
  const problemOf = (field: string) => {
    const found = problems.find((one: Problem) => one.field === field);
    return found && text(found);
  };
  const ofStart = String(start?.config["business_key"] ?? "");
  const wrong = problems.some((one: Problem) => one.field?.startsWith("naming"));
  // Whoever has said it before need not read it again.
  const [opened, setOpened] = useState(said.key === "" && said.fields.length === 0 && !start);
  const words = [said.key !== "" || start ? t("naming.hasKey") : "", ...said.fields.map((one) => one.label || one.name)].filter(Boolean).join(", ");
  return (
    <DataScopeContext value={scope}>
      <details className={css.naming} open={opened || wrong} onToggle={(event) => setOpened(event.currentTarget.open)}>
        <summary>
          <h3>{t("naming.title")}</h3>
          {words && <small>{words}</small>}
        </summary>
        <p>{t("naming.text")}</p>
        <div className={css.row}>
          <b>{t("naming.key")}</b>
          <Formula
            id="naming.key"
            label={t("naming.key")}
            value={said.key}
            placeholder={ofStart}
            problem={problemOf("naming.key")}
            sources={sources}
            onChange={(key) => put({ ...said, key })}
          />
          {said.key === "" && <small>{start ? t("naming.saidByStart", { name: start.name }) : t("naming.none")}</small>}
        </div>
        {said.fields.map((field, at) => (
          <fieldset key={at} className={css.field}>
            <legend>{field.label || field.name}</legend>
            <div className={css.heads}>
              <TextField
                label={t("naming.label")}
                value={field.label}
                maxLength={60}
                disabled={readOnly}
                hint={t("naming.typedAs", { name: field.name })}
                error={problemOf(`naming.fields[${at}].name`)}
                onChange={(event) => {
                  const label = event.currentTarget.value;
                  const taken = said.fields.filter((_, index) => index !== at).map((one) => one.name);
                  change(at, { label, name: shortName(label, taken) });
                }}
              />
              <label className={css.kind}>
                <span>{t("naming.kind")}</span>
                <select className={fields.input} value={field.kind} disabled={readOnly} onChange={(event) => change(at, { kind: event.currentTarget.value as FieldKind })}>
                  {FIELD_KINDS.map((kind) => (
                    <option key={kind} value={kind}>
                      {t(`naming.kinds.${kind}`)}
                    </option>
                  ))}
                </select>
              </label>
              <IconButton
                label={t("naming.remove", { label: field.label || field.name })}
                icon={<Trash2 size={15} />}
                disabled={readOnly}
                onClick={() => put({ ...said, fields: said.fields.filter((_, index) => index !== at) })}
              />
            </div>
            <Formula
              id={`naming.fields.${at}.value`}
              label={t("naming.value", { label: field.label || field.name })}
              value={field.value}
              problem={problemOf(`naming.fields[${at}].value`)}
              sources={sources}
              onChange={(value, chosen) => {
                if (!chosen || field.label !== "") {
                  change(at, { value });
                  return;
                }
                const taken = said.fields.filter((_, index) => index !== at).map((one) => one.name);
                change(at, { value, label: chosen.label, name: shortName(chosen.label, taken), kind: kindOf(chosen.label, chosen.value) });
              }}
            />
            {field.kind === "amount" && (
              <Formula
                id={`naming.fields.${at}.currency`}
                label={t("naming.currency", { label: field.label || field.name })}
                value={field.currency ?? ""}
                placeholder="EUR"
                problem={problemOf(`naming.fields[${at}].currency`)}
                sources={sources}
                onChange={(currency) => change(at, { currency })}
              />
            )}
          </fieldset>
        ))}
        <div className={css.foot}>
          <Button
            size="sm"
            icon={<Plus size={14} aria-hidden />}
            disabled={readOnly || said.fields.length >= MOST_FIELDS}
            onClick={() => put(withField(said, { name: shortName("", said.fields.map((one) => one.name)), label: "", kind: "text", value: "" }))}
          >
            {t("naming.add")}
          </Button>
          <small>{t("naming.applies")}</small>
        </div>
      </details>
    </DataScopeContext>
  );
}
