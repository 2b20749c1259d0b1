import { useId } from "react";
import { useTranslation } from "react-i18next";

import { RadioGroup } from "../../ui";

/** The run's own version or the live one; nothing where there is no choice. */
export function VersionChoice(props: {
  legend: string;
  versions: readonly number[];
  chosen: number;
  onChange: (version: number) => void;
}) {
  const { t } = useTranslation("runs");
  const name = useId();
  if (props.versions.length < 2) return null;
  return (
    <RadioGroup
      legend={props.legend}
      name={name}
      value={String(props.chosen)}
      choices={props.versions.map((version, index) => ({
        value: String(version),
        label: t(index === 0 ? "retry.versionOwn" : "retry.versionLive", { version }),
      }))}
      onChange={(version) => props.onChange(Number(version))}
    />
  );
}
