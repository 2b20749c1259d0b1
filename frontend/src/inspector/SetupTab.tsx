import { CopyCheck, ShieldAlert } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import {
  fieldsOf, type FieldSpec, type GraphNode, isEmpty, isShown, type Json, operations, same, type StepSpec, valueOf,
} from "../graph";
import { isGroup, readGroup } from "./conditions";
import { controlOf, handled, useGone } from "./controlOf";
import { useEditor, useEnvironment } from "./EditorContext";
import { FieldRow } from "./FieldRow";
import css from "./inspector.module.css";
import rules from "./rules.module.css";
import { useProblemText } from "./problemText";
import { SchedulePreview } from "./widgets/Schedule";
import { WebhookAddress } from "./widgets/WebhookAddress";

export interface SetupTabProps {
  node: GraphNode;
  spec: StepSpec;
  focus: { field: string | null; stamp: number } | null;
  /** Gives the focus to the step's card. */
  toCard(): void;
  readOnly: boolean;
}

/** The form of a step, made from its schema. */
export function SetupTab({ node, spec, focus, toCard, readOnly }: SetupTabProps) {
  const { t } = useTranslation("inspector");
  const { store } = useEnvironment();
  const form = useRef<HTMLDivElement>(null);
  const fields = fieldsOf(spec.config_schema);
  const shown = fields.filter((field) => isShown(field, fields, node.config));
  const plain = shown.filter((field) => !field.hints.advanced);
  const advanced = shown.filter((field) => field.hints.advanced);
  const set = advanced.filter((field) => isChanged(field, node)).length;
  const change = useCallback(
    (field: FieldSpec, value: Json | undefined) => {
      const { specs } = store.getState();
      store.edit(
        { key: "history.field", params: { field: field.title, name: node.name } },
        (draft) => operations.setConfig(draft, specs, node.id, field.name, value),
        { group: `config:${node.id}:${field.name}` },
      );
    },
    [store, node.id, node.name],
  );
  useFieldFocus(form, focus, fields, node, toCard);
  // Open from the start where something is set; after that it is up to the person.
  const [openFirst] = useState(set > 0);
  return (
    <div ref={form} className={css.form}>
      {spec.type.startsWith("trigger.webhook@") && <WebhookAddress node={node} />}
      <FieldList fields={plain} node={node} onChange={change} readOnly={readOnly} />
      {plain.length === 0 && advanced.length === 0 && <p className={css.hint}>{t("form.nothing")}</p>}
      {spec.type.startsWith("trigger.schedule@") && <SchedulePreview config={node.config} />}
      {advanced.length > 0 && (
        <details className={rules.moreOptions} open={openFirst || undefined}>
          <summary>{set > 0 ? t("form.moreSet", { count: advanced.length, set }) : t("form.more", { count: advanced.length })}</summary>
          <FieldList fields={advanced} node={node} onChange={change} readOnly={readOnly} />
        </details>
      )}
      {!spec.trigger && <SafeToRepeat node={node.id} said={fields.map((field) => field.title)} />}
    </div>
  );
}

function isChanged(field: FieldSpec, node: GraphNode): boolean {
  const value = node.config[field.name];
  if (value === undefined || isEmpty(value)) return false;
  return !same(value, field.schema.default ?? null);
}

interface ListProps {
  fields: readonly FieldSpec[];
  node: GraphNode;
  onChange(field: FieldSpec, value: Json | undefined): void;
  readOnly: boolean;
}

function FieldList({ fields, node, onChange, readOnly }: ListProps) {
  const groups: { title: string; fields: FieldSpec[] }[] = [];
  for (const field of fields) {
    const title = field.hints.group ?? "";
    const last = groups.find((group) => group.title === title);
    if (last) last.fields.push(field);
    else groups.push({ title, fields: [field] });
  }
  return groups.map((group) => (
    <div key={group.title} className={css.fieldGroup}>
      {group.title && !(group.fields.length === 1 && group.fields[0]?.title === group.title) && <h3>{group.title}</h3>}
      {group.fields.map((field) => (
        <ConfigField key={field.name} field={field} node={node} onChange={onChange} readOnly={readOnly} />
      ))}
    </div>
  ));
}

function ConfigField({ field, node, onChange, readOnly }: { field: FieldSpec; node: GraphNode; onChange: ListProps["onChange"]; readOnly: boolean }) {
  const text = useProblemText();
  const problem = useEditor((state) =>
    state.problems.find((other) => other.node === node.id && other.severity !== "hint" && topField(other.field) === field.name),
  );
  const value = valueOf(field, node.config);
  // An empty required field is said in the label; red only once there is something wrong with what was put in.
  const quiet = problem !== undefined && isUnset(field, value);
  return (
    <FieldRow
      field={field}
      node={node.id}
      value={value}
      path={field.name}
      config={node.config}
      onChange={(next) => onChange(field, next)}
      problem={problem && !quiet ? text(problem, false) : undefined}
      readOnly={readOnly}
    />
  );
}

/** `rules[0].left` and `headers.0.value` belong to `rules` and `headers`. */
export function topField(path: string | null): string | null {
  return path === null ? null : (path.split(/[.[]/)[0] ?? path);
}

/** Puts the focus into the wanted field: a named one, or (for "") the first one that needs a value. */
function useFieldFocus(form: React.RefObject<HTMLDivElement | null>, focus: SetupTabProps["focus"], fields: readonly FieldSpec[], node: GraphNode, toCard: () => void): void {
  const isGone = useGone(focus);
  useEffect(() => {
    if (!focus || focus.field === null || focus.field === "*" || handled.has(focus)) return;
    const missing = fields.find((field) => field.required && isShown(field, fields, node.config) && isUnset(field, valueOf(field, node.config)));
    const name = focus.field === "" ? missing?.name : topField(focus.field);
    const timer = setTimeout(() => {
      handled.add(focus);
      if (isGone()) return;
      const row = name ? form.current?.querySelector<HTMLElement>(`[data-row-field="${CSS.escape(name)}"]`) : null;
      row?.closest("details")?.setAttribute("open", "");
      const control = controlOf(row);
      row?.scrollIntoView({ block: "nearest" });
      if (control) control.focus({ preventScroll: true });
      // A new step that needs nothing: its card.
      else if (focus.field === "") toCard();
    }, 60);
    return () => clearTimeout(timer);
  }, [focus, fields, form, node.config, toCard, isGone]);
}

/** Nothing is filled in yet; rules that look at nothing count as that. */
function isUnset(field: FieldSpec, value: Json | undefined): boolean {
  if (isEmpty(value)) return true;
  return field.hints.widget === "conditions" && readGroup(value).rules.every((rule) => !isGroup(rule) && (rule.left === "" || rule.left === null));
}

/** Whether doing this step twice, with the settings it has, does anything twice; in a sentence. */
function SafeToRepeat({ node, said }: { node: string; said: readonly string[] }) {
  const { t } = useTranslation(["inspector", "fields"]);
  const found = useEditor((state) => state.effects[node]);
  // Not known before the first save; what only computes needs no word.
  if (!found || found.effect === "pure") return null;
  return (
    <div className={rules.safe} data-safe={found.repeatable} data-testid="safe-to-repeat">
      {found.repeatable ? <CopyCheck size={16} aria-hidden /> : <ShieldAlert size={16} aria-hidden />}
      <span>
        {/* Where a switch above has the same name, the sentence is enough. */}
        {!(found.repeatable && said.includes(t("safe.yes"))) && <b>{found.repeatable ? t("safe.yes") : t("safe.no")}</b>}
        <small>
          {found.writes && `${t("fields:writes")} `}
          {t(`safe.note.${found.effect}`)}
        </small>
      </span>
    </div>
  );
}
