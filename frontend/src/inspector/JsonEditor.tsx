import { useTranslation } from "react-i18next";

import { TextAreaField } from "../ui";
import { parseJson } from "./jsonText";

interface JsonEditorProps {
  label: string;
  hint?: string;
  value: string;
  rows: number;
  /** Nothing at all is no mistake. */
  mayBeEmpty?: boolean;
  onChange(value: string): void;
}

export function JsonEditor(props: JsonEditorProps) {
  const { t } = useTranslation("inspector");
  const parsed = parseJson(props.mayBeEmpty && !props.value.trim() ? "null" : props.value);
  return (
    <TextAreaField
      label={props.label}
      mono
      rows={props.rows}
      style={{ fontFamily: "var(--mono)", fontSize: 12 }}
      spellCheck={false}
      value={props.value}
      {...(props.hint === undefined ? {} : { hint: props.hint })}
      error={parsed.ok ? undefined : t("json.bad", { reason: parsed.error })}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      data-testid="json-editor"
    />
  );
}
