import { RefreshCw } from "lucide-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import type { DesignModel } from "../../api/documents";
import { fieldProblem, fieldsOf, type FieldSpec, isJsonObject, type Json, type JsonObject, type JsonSchema, valueOf } from "../../graph";
import { Button, Note } from "../../ui";
import type { Translate } from "../dataWords";
import { FieldRow } from "../FieldRow";
import form from "../inspector.module.css";
import rules from "../rules.module.css";
import { JsonField } from "../widgets/JsonField";
import css from "./designer.module.css";
import { blocksOf, changeBlock, kindOf, placeOf, type Problem, saidOfField, sampleOf, type State, withField } from "./edit";
import type { StepData } from "./stepData";
import { worded, type Wording } from "./worded";

export interface SettingsProps {
  model: DesignModel;
  state: State;
  problem: Problem | null;
  node: string;
  found: StepData;
  onChange(state: State, group?: string | null): void;
}

/** The settings of what is chosen, as a form made from the server's model. */
export function Settings(props: SettingsProps) {
  const { t, i18n } = useTranslation("designer");
  const { model, state, problem } = props;
  const { design, chosen } = state;
  const wording = useMemo<Wording>(
    () => ({ t: t as unknown as Translate, has: (key) => i18n.exists(`designer:${key}`), language: i18n.language }),
    [t, i18n],
  );
  const here = problem && placeOf(problem) === chosen ? problem : null;
  const block = typeof chosen === "number" ? blocksOf(design)[chosen] : undefined;
  const kind = kindOf(block);
  const title = typeof chosen === "number" ? t(`kind.${kind}`, { defaultValue: kind }) : t(`part.${chosen}`);
  const about = typeof chosen === "number" ? t(`about.${kind}`, { defaultValue: "" }) : t(`aboutPart.${chosen}`);
  return (
    <div className={form.form}>
      <div className={css.settingsHead}>
        <h3>{title}</h3>
        {about && <p>{about}</p>}
      </div>
      {block ? <BlockSettings {...props} block={block} problem={here} wording={wording} /> : null}
      {chosen === "page" && <PageSettings {...props} problem={here} wording={wording} />}
      {chosen === "edges" && <Part {...props} schema={model.design} names={["header", "footer", "pages"]} problem={here} wording={wording} />}
      {chosen === "data" && <DataSettings {...props} problem={here} />}
      {chosen === "text" && <TextSettings {...props} problem={here} />}
    </div>
  );
}

interface Inner extends SettingsProps {
  wording: Wording;
}

function BlockSettings({ model, state, block, problem, node, onChange, wording }: Inner & { block: JsonObject }) {
  const { t } = useTranslation("designer");
  const at = state.chosen as number;
  const kind = kindOf(block);
  const schema = model.blocks[kind];
  const words = useMemo(() => schema && worded(schema, kind, wording), [schema, kind, wording]);
  if (!schema || !words) return <Note tone="wait">{problem?.message ?? t("unknownKind", { kind })}</Note>;
  return (
    <Form
      fields={fieldsOf(words)}
      object={block}
      problem={problem}
      node={node}
      onChange={(name, value) => onChange(changeBlock(state, at, schema, name, value), `${at}:${name}`)}
    />
  );
}

/** What a problem speaks of within the page's settings. */
function within(problem: Problem | null, part: string): Problem | null {
  return problem?.field.startsWith(`${part}.`) ? { ...problem, field: problem.field.slice(part.length + 1), message: saidOfField(problem) } : null;
}

function PageSettings(props: Inner) {
  const { model, state, problem, node, onChange, wording } = props;
  const { design } = state;
  const stored = model.design.properties?.["page"];
  const words = useMemo(() => stored && worded(stored, "page", wording), [stored, wording]);
  const page = isJsonObject(design["page"]) ? design["page"] : {};
  return (
    <>
      <Part {...props} schema={model.design} names={["title"]} problem={problem?.field.startsWith("page") ? null : problem} />
      {words && (
        <Form
          fields={fieldsOf(words)}
          object={page}
          problem={within(problem, "page") ?? (problem?.field === "page" ? { ...problem, field: "" } : null)}
          node={node}
          grid
          onChange={(name, value) => onChange({ ...state, design: { ...design, page: withField(page, name, value) } }, `page:${name}`)}
        />
      )}
    </>
  );
}

function Part({ state, schema, names, problem, node, onChange, wording }: Inner & { schema: JsonSchema; names: readonly string[] }) {
  const words = useMemo(() => worded(schema, "design", wording), [schema, wording]);
  const { design } = state;
  return (
    <Form
      fields={fieldsOf(words).filter((field) => names.includes(field.name))}
      object={design}
      problem={problem}
      node={node}
      onChange={(name, value) => onChange({ ...state, design: { ...design, [name]: value ?? "" } }, `design:${name}`)}
    />
  );
}

interface FormProps {
  fields: readonly FieldSpec[];
  object: JsonObject;
  problem: Problem | null;
  node: string;
  /** Short fields stand side by side. */
  grid?: boolean;
  onChange(name: string, value: Json | undefined): void;
}

function Form({ fields, object, problem, node, grid = false, onChange }: FormProps) {
  const { t } = useTranslation("inspector");
  const top = problem?.field.split(".")[0] ?? "";
  const plain = fields.filter((field) => !field.hints.advanced);
  const more = fields.filter((field) => field.hints.advanced);
  const isSet = more.some((field) => object[field.name] !== undefined && object[field.name] !== "" && field.schema.default !== object[field.name]);
  const draw = (field: FieldSpec): React.ReactNode => {
    const value = valueOf(field, object);
    // What the form itself knows is said in the person's language.
    const said = problem && top === field.name && !fieldProblem({ ...field, required: false }, value) ? saidOfField(problem) : undefined;
    return <FieldRow key={field.name} field={field} node={node} value={value} path={field.name} config={object} onChange={(next) => onChange(field.name, next)} problem={said} />;
  };
  return (
    <>
      {problem && !fields.some((field) => field.name === top) && <Note tone="err">{problem.message}</Note>}
      <div className={grid ? css.grid : form.fieldGroup}>{plain.map(draw)}</div>
      {more.length > 0 && (
        <details className={rules.moreOptions} open={isSet || more.some((field) => field.name === top) || undefined}>
          <summary>{t("form.more", { count: more.length })}</summary>
          <div className={form.fieldGroup}>{more.map(draw)}</div>
        </details>
      )}
    </>
  );
}

const JSON_TEXT: Omit<FieldSpec, "title"> = { name: "json", schema: { type: "object" }, hints: {}, required: true, nullable: false };

function DataSettings({ state, problem, node, found, onChange }: SettingsProps) {
  const { t } = useTranslation("designer");
  const { design } = state;
  const title = t("sample");
  const put = (sample: Json | undefined): void => onChange({ ...state, design: { ...design, sample: isJsonObject(sample) ? sample : {} } }, "sample");
  return (
    <>
      {problem && <Note tone="err">{problem.message}</Note>}
      <div>
        <Button icon={<RefreshCw size={14} aria-hidden />} disabled={!found.data} busy={found.loading} onClick={() => found.data && put(found.data)}>
          {t("takeData")}
        </Button>
      </div>
      {!found.loading && !found.data && <p className={form.hint}>{t(found.unset ? "dataUnset" : "dataUnknown")}</p>}
      <JsonField
        id="designer-sample" kind="json" field={{ ...JSON_TEXT, title }} node={node} value={sampleOf(design)} path="sample" config={design}
        onChange={put} invalid={false} describedBy="" readOnly={false}
      />
    </>
  );
}

function TextSettings({ state, problem, node, onChange }: SettingsProps) {
  const { t } = useTranslation("designer");
  return (
    <>
      {problem && <Note tone="err">{problem.message}</Note>}
      <JsonField
        id="designer-text" kind="json" field={{ ...JSON_TEXT, title: t("part.text") }} node={node} value={state.design} path="text" config={state.design}
        onChange={(next) => isJsonObject(next) && onChange({ ...state, design: next }, "text")} invalid={false} describedBy="" readOnly={false}
      />
    </>
  );
}
