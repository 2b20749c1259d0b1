import { useTranslation } from "react-i18next";

import type { Connection } from "../../api/types";
import { RadioGroup, SelectField, TextField } from "../../ui";
import css from "./connections.module.css";

/** What stands in the inputs. */
export interface LifeInput {
  environment: "" | "test" | "production";
  expires_on: string;
  if_broken: "fail" | "wait";
}

export function lifeInput(connection: Connection | undefined): LifeInput {
  return {
    environment: (connection?.environment ?? "") as LifeInput["environment"],
    expires_on: connection?.expires_on ?? "",
    if_broken: connection?.if_broken ?? "fail",
  };
}

/** What to send. What nothing is called by cannot be found to be broken. */
export function lifeToSend(input: LifeInput, called: boolean) {
  return { environment: input.environment, expires_on: input.expires_on || null, ...(called ? { if_broken: input.if_broken } : {}) };
}

/** What it is for, until when it is good, and what becomes of runs where it is not. */
export function LifeFields(props: { value: LifeInput; called: boolean; errorOf: (field: string) => string | undefined; onChange: (value: LifeInput) => void }) {
  const { t } = useTranslation("connections");
  const { value, errorOf } = props;
  const change = (part: Partial<LifeInput>) => props.onChange({ ...value, ...part });
  return (
    <>
      <div className={css.pair}>
        <SelectField
          label={t("life.environment")}
          value={value.environment}
          options={(["", "test", "production"] as const).map((one) => ({ value: one, label: t(`life.environments.${one || "none"}`) }))}
          onChange={(environment) => change({ environment: environment as LifeInput["environment"] })}
        />
        <TextField
          label={t("life.expires")}
          hint={t("life.expiresHint")}
          type="date"
          name="expires_on"
          value={value.expires_on}
          error={errorOf("expires_on")}
          onChange={(event) => change({ expires_on: event.currentTarget.value })}
        />
      </div>
      {props.called && (
        <RadioGroup
          legend={t("life.ifBroken")}
          name="if_broken"
          value={value.if_broken}
          choices={(["fail", "wait"] as const).map((one) => ({ value: one, label: t(`life.broken.${one}`), hint: t(`life.brokenHint.${one}`) }))}
          onChange={(one) => change({ if_broken: one as LifeInput["if_broken"] })}
        />
      )}
    </>
  );
}
