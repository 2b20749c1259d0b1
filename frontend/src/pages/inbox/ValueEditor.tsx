import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { JsonEditor } from "../../inspector/JsonEditor";

interface ValueEditorProps {
  step: string;
  /** What the server finds wrong. */
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

/** The value that a run goes on with in place of what failed. */
export default function ValueEditor({ step, error, value, onChange }: ValueEditorProps) {
  const { t } = useTranslation("inbox");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("textarea")?.focus(), []);
  return (
    <div ref={box}>
      <JsonEditor
        label={t("value.label")}
        hint={error ?? t("value.hint", { step })}
        rows={6}
        value={value}
        onChange={onChange}
        mayBeEmpty
      />
    </div>
  );
}
