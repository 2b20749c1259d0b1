import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { JsonEditor } from "../../inspector/JsonEditor";

interface ValueEditorProps {
  step: string;
  /** It is what the step gave, of which nobody knew whether it happened. */
  happened: boolean;
  /** What the server finds wrong. */
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

/** The value that a run goes on with in place of what failed. */
export default function ValueEditor({ step, happened, error, value, onChange }: ValueEditorProps) {
  const { t } = useTranslation("inbox");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("textarea")?.focus(), []);
  return (
    <div ref={box}>
      <JsonEditor
        label={t(happened ? "doubt.result" : "value.label")}
        hint={error ?? (happened ? t("doubt.resultHint", { step }) : t("value.hint", { step }))}
        rows={6}
        value={value}
        onChange={onChange}
        mayBeEmpty
      />
    </div>
  );
}
