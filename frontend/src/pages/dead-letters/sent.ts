import type { TFunction } from "i18next";

import type { Askable } from "../../api/people";
import type { SentLetters, SentTo } from "../../api/sendings";
import type { Option } from "../../ui/fields";
import { retell } from "../../i18n/server";

const ROLES = ["admin", "builder", "reviewer", "viewer"] as const;

/** How somebody is called to whom letters were sent: a role in the person's language. */
export function receiverName(to: SentTo, t: TFunction<["sent", "people"]>): string {
  const role = ROLES.find((one) => to.key === `role:${one}`);
  return role ? t(`people:role.${role}`) : to.name;
}

/** To whom letters can be sent: colleagues, then groups that somebody is in, then roles. */
export function receivers(askable: Askable | undefined, without: readonly string[], t: TFunction<["sent", "people"]>): Option[] {
  if (!askable) return [];
  const left = (key: string) => !without.some((one) => one.toLowerCase() === key.toLowerCase());
  return [
    ...askable.people.map((one) => ({ value: one.email, label: one.name || one.email })),
    ...askable.groups
      .filter((one) => one.count > 0)
      .map((one) => ({ value: `group:${one.id}`, label: `${one.name} (${t("people:kind.group", { count: one.count })})` })),
    ...ROLES.map((one) => ({ value: `role:${one}`, label: t(`people:role.${one}`) })),
  ].filter((one) => left(one.value));
}

/** Of what they failed, as one line; empty where that differs. */
export function failedOf({ step, code, title }: Pick<SentLetters, "step" | "code" | "title">): string {
  const said = title ? retell("failures", code, title).replace(/\.$/, "") : "";
  return [step?.name, said].filter(Boolean).join(" – ");
}
