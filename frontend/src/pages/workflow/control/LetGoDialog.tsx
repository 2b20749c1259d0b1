import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Workflow } from "../../../api/types";
import { ConfirmDialog, ErrorCard, RadioGroup, TextField, useFormatter } from "../../../ui";
import { useControl, useHeldVersions, wholeNumber } from "./useControl";

const MOST = { minute: 100_000, atOnce: 1_000 } as const;
type Speed = "fast" | "minute" | "atOnce";

/** How fast what was held goes. */
export function LetGoDialog(props: { workflow: Workflow; waiting: number; onClose: () => void }) {
  const { t } = useTranslation("control");
  const format = useFormatter();
  const name = useId();
  const [speed, setSpeed] = useState<Speed>("fast");
  const [typed, setTyped] = useState("10");
  const [version, setVersion] = useState<"published" | "own">("published");
  const versions = useHeldVersions(props.workflow, props.waiting).data?.items ?? [];
  const others = versions.filter((one) => !one.live);
  const unfit = others.reduce((sum, one) => sum + one.count - one.fits, 0);
  const { letGo } = useControl(props.workflow, props.onClose);
  const most = speed === "fast" ? 0 : MOST[speed];
  const count = speed === "fast" ? null : wholeNumber(typed, 1, most);
  const wrong = speed !== "fast" && count === null;
  return (
    <ConfirmDialog
      opened
      onClose={props.onClose}
      title={t("letGo.title", { name: props.workflow.name })}
      confirm={t("letGo.confirm")}
      busy={letGo.isPending}
      disabled={wrong}
      onConfirm={() =>
        letGo.mutate({ per_minute: speed === "minute" ? count : null, at_once: speed === "atOnce" ? count : null, version })
      }
    >
      {letGo.isError && <ErrorCard title={t("letGo.failed")} error={letGo.error} />}
      <p>{t("letGo.text", { count: props.waiting, number: format.number(props.waiting) })}</p>
      {others.length > 0 && (
        <RadioGroup
          legend={t("letGo.version")}
          name={`${name}-version`}
          value={version}
          choices={[
            {
              value: "published",
              label: t("letGo.published", { version: props.workflow.live?.version ?? "" }),
              ...(unfit > 0 && { hint: t("letGo.unfit", { count: unfit, number: format.number(unfit) }) }),
            },
            { value: "own", label: t("letGo.own", { versions: others.map((one) => `v${one.number}`).join(", ") }) },
          ]}
          onChange={(value) => setVersion(value === "own" ? "own" : "published")}
        />
      )}
      <RadioGroup
        legend={t("letGo.speed")}
        name={name}
        value={speed}
        choices={[
          { value: "fast", label: t("letGo.fast") },
          { value: "minute", label: t("letGo.minute") },
          { value: "atOnce", label: t("letGo.atOnce"), hint: t("letGo.atOnceHint") },
        ]}
        onChange={(value) => setSpeed(value as Speed)}
      />
      {speed !== "fast" && (
        <TextField
          label={t(speed === "minute" ? "letGo.perMinute" : "letGo.number")}
          value={typed}
          inputMode="numeric"
          error={wrong ? t("letGo.wrong", { most: format.number(most) }) : undefined}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
    </ConfirmDialog>
  );
}
