import { Plus, X } from "lucide-react";
import { useTranslation } from "react-i18next";

import { hasExpression, type Json, parseTemplate, simplePath } from "../../graph";
import { typeOf } from "../../graph/samples";
import { Button, cx, IconButton } from "../../ui";
import {
  EMPTY_RULE, isGroup, MAX_DEPTH, operatorFor, OPERATORS, readGroup, rightValue, type Rule, RULE_TYPES, type RuleGroup, type RuleType, ruleTypeOf, sidesOf, typeFor,
} from "../conditions";
import { useDataWords } from "../dataWords";
import { ExpressionField } from "../ExpressionField";
import { ValueLine } from "../FieldRow";
import css from "../inspector.module.css";
import { useNumberWords } from "../numberWords";
import { readNumber } from "../readNumber";
import rules from "../rules.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";

/** Field, operator in words, value; groups of "all" or "any". */
export function Conditions({ id, field, node, value, onChange, path, readOnly }: WidgetProps) {
  const group = readGroup(value);
  const shown: RuleGroup = group.rules.length === 0 ? { ...group, rules: [EMPTY_RULE] } : group;
  return (
    <div id={id} role="group" aria-label={field.title}>
      <Group group={shown} depth={1} node={node} path={path} onChange={(next) => onChange(next as unknown as Json)} readOnly={readOnly} />
    </div>
  );
}

interface GroupProps {
  group: RuleGroup;
  depth: number;
  node: string;
  path: string;
  onChange(group: RuleGroup): void;
  onRemove?: () => void;
  readOnly: boolean;
}

function Group({ group, depth, node, path, onChange, onRemove, readOnly }: GroupProps) {
  const { t } = useTranslation("inspector");
  const put = (at: number, next: Rule | RuleGroup): void => onChange({ ...group, rules: group.rules.map((rule, index) => (index === at ? next : rule)) });
  const remove = (at: number): void => onChange({ ...group, rules: group.rules.filter((_rule, index) => index !== at) });
  const match = (
    <select
      className={rules.match}
      aria-label={t("conditions.match")}
      value={group.match}
      disabled={readOnly}
      onChange={(event) => onChange({ ...group, match: event.currentTarget.value === "any" ? "any" : "all" })}
    >
      <option value="all">{t("conditions.and")}</option>
      <option value="any">{t("conditions.or")}</option>
    </select>
  );
  return (
    <div className={rules.ruleGroup} data-depth={depth}>
      {group.rules.map((rule, at) => (
        <div key={at}>
          {at > 0 && <div className={rules.joiner}>{at === 1 ? match : <span>{group.match === "any" ? t("conditions.or") : t("conditions.and")}</span>}</div>}
          {isGroup(rule) ? (
            <Group group={rule} depth={depth + 1} node={node} path={`${path}.${at}`} onChange={(next) => put(at, next)} onRemove={() => remove(at)} readOnly={readOnly} />
          ) : (
            <RuleRow
              rule={rule}
              node={node}
              path={`${path}.${at}`}
              onChange={(next) => put(at, next)}
              {...(group.rules.length > 1 || depth > 1 ? { onRemove: () => (group.rules.length === 1 ? onRemove?.() : remove(at)) } : {})}
              readOnly={readOnly}
            />
          )}
        </div>
      ))}
      {!readOnly && (
        <div className={rules.ruleButtons}>
          <Button size="sm" variant="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => onChange({ ...group, rules: [...group.rules, EMPTY_RULE] })}>
            {t("conditions.addRule")}
          </Button>
          {depth < MAX_DEPTH && (
            <Button size="sm" variant="quiet" icon={<Plus size={14} aria-hidden />} onClick={() => onChange({ ...group, rules: [...group.rules, { match: group.match === "all" ? "any" : "all", rules: [EMPTY_RULE] }] })}>
              {t("conditions.addGroup")}
            </Button>
          )}
          {onRemove && (
            <Button size="sm" variant="quiet" icon={<X size={14} aria-hidden />} onClick={onRemove}>
              {t("conditions.removeGroup")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

interface RuleProps {
  rule: Rule;
  node: string;
  path: string;
  onChange(rule: Rule): void;
  onRemove?: () => void;
  readOnly: boolean;
}

/** The kind of the left side as its sample shows it. */
function useSampleType(node: string, left: Json): RuleType | undefined {
  const words = useDataWords(node);
  if (typeof left !== "string") return ruleTypeOf(typeOf(left));
  const part = parseTemplate(left)[0];
  const path = part?.kind === "expression" && parseTemplate(left).length === 1 ? simplePath(part.source) : null;
  const value = path ? words(path).value : undefined;
  return value === undefined ? undefined : ruleTypeOf(typeOf(value));
}

function RuleRow({ rule, node, path, onChange, onRemove, readOnly }: RuleProps) {
  const { t } = useTranslation("inspector");
  const numberWords = useNumberWords();
  const sample = useSampleType(node, rule.left);
  const type = rule.type ?? sample;
  const sides = sidesOf(rule.op);
  const groups = type ? [type] : RULE_TYPES;
  const others = type ? RULE_TYPES.filter((name) => name !== type) : [];
  const pick = (choice: string): void => {
    const [kind = "text", op = "eq"] = choice.split(":");
    const nextType = kind as RuleType;
    const next: Rule = { left: rule.left, op, type: nextType };
    const count = sidesOf(op);
    if (count === 3) next.right = Array.isArray(rule.right) ? rule.right : [rightValue(textOf(rule.right), nextType), ""];
    else if (count === 2) next.right = rightValue(textOf(Array.isArray(rule.right) ? rule.right[0] : rule.right), nextType);
    onChange(next);
  };
  const setLeft = (left: string): void => onChange({ ...rule, left });
  const setRight = (text: string, at = 0): void => {
    const given = rightValue(text, type);
    if (sides !== 3) return onChange({ ...rule, right: given });
    const pair = Array.isArray(rule.right) ? [...rule.right] : ["", ""];
    pair[at] = given;
    onChange({ ...rule, right: [pair[0] ?? "", pair[1] ?? ""] });
  };
  // Once the sample says what kind the value is, the rule remembers it: the comparison then never depends on the data.
  const current = `${typeFor(rule.op, type)}:${operatorFor(typeFor(rule.op, type), rule.op)}`;
  const right = (at: number): string => textOf(Array.isArray(rule.right) ? rule.right[at] : rule.right);
  const inDays = rule.op === "in_last_days" || rule.op === "in_next_days";
  const placeholder = inDays ? "7" : type === "date" ? "2026-11-20" : t("conditions.rightPlaceholder");
  const compared = typeFor(rule.op, type) === "number" || inDays ? (sides === 3 ? [right(0), right(1)] : sides === 2 ? [right(0)] : []) : [];
  const wrong = compared.filter((text) => !hasExpression(text)).map((text) => numberWords(readNumber(text, inDays))).find((words) => words !== undefined);
  return (
    <div className={rules.rule} data-testid="rule">
      <div className={rules.ruleLine}>
        <ExpressionField node={node} label={t("conditions.left")} placeholder={t("conditions.leftPlaceholder")} value={textOf(rule.left)} onChange={setLeft} readOnly={readOnly} fieldId={`${path}.left`} />
        {onRemove && !readOnly && <IconButton size="sm" label={t("conditions.removeRule")} icon={<X size={14} />} onClick={onRemove} />}
      </div>
      <div className={cx(rules.ruleLine, rules.ruleBottom)} data-sides={sides}>
        <select className={cx(css.input, css.select)} aria-label={t("conditions.operator")} value={current} disabled={readOnly} onChange={(event) => pick(event.currentTarget.value)}>
          {groups.map((name) => (
            <optgroup key={name} label={t(`conditions.type.${name}`)}>
              {OPERATORS[name].map((op) => (
                <option key={op} value={`${name}:${op}`}>
                  {t(`op.${op}`)}
                </option>
              ))}
            </optgroup>
          ))}
          {others.map((name) => (
            <optgroup key={name} label={t("conditions.as", { type: t(`conditions.type.${name}`) })}>
              {OPERATORS[name].map((op) => (
                <option key={op} value={`${name}:${op}`}>
                  {t(`op.${op}`)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        {sides >= 2 && (
          <ExpressionField node={node} label={sides === 3 ? t("conditions.low") : t("conditions.right")} placeholder={placeholder} value={right(0)} onChange={(text) => setRight(text, 0)} readOnly={readOnly} fieldId={`${path}.right`} />
        )}
        {sides === 3 && (
          <ExpressionField node={node} label={t("conditions.high")} placeholder={t("conditions.rightPlaceholder")} value={right(1)} onChange={(text) => setRight(text, 1)} readOnly={readOnly} fieldId={`${path}.high`} />
        )}
      </div>
      {wrong && (
        <span className={css.error} role="alert">
          {wrong}
        </span>
      )}
      <ValueLine node={node} value={rule.left} />
    </div>
  );
}
