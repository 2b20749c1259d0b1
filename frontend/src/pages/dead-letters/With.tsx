import { Link } from "@tanstack/react-router";
import { UserRound, UsersRound } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { LettersWith } from "../../api/sendings";
import type { DeadLetterGroup } from "../../api/types";
import { useFormatter } from "../../ui";
import { receiverName } from "./sent";
import own from "./sent.module.css";

const SHOWN = 3;

/** With whom runs of a group are, since when; each leads to those. */
export function With({ group, sent }: { group: DeadLetterGroup; sent: string | undefined }) {
  const { t } = useTranslation(["sent", "people"]);
  const format = useFormatter();
  const others = group.sent.filter((one) => one.sending !== sent);
  if (others.length === 0) return null;
  const all = (one: LettersWith) => one.count >= group.count;
  return (
    <ul className={own.with} aria-label={t("list")}>
      {others.slice(0, SHOWN).map((one) => {
        const Icon = one.to.kind === "person" ? UserRound : UsersRound;
        const said = { name: receiverName(one.to, t), time: format.soon(one.at, Date.now()), count: one.count, number: format.number(one.count) };
        return (
          <li key={one.sending} title={one.by ? t("by", { name: one.by }) : undefined}>
            <Icon size={14} aria-hidden />
            <Link to="/dead-letters" search={{ sent: one.sending }}>
              {one.me ? t(all(one) ? "withMe" : "someWithMe", said) : t(all(one) ? "with" : "someWith", said)}
            </Link>
          </li>
        );
      })}
      {others.length > SHOWN && <li>{t("more", { count: others.length - SHOWN, number: format.number(others.length - SHOWN) })}</li>}
    </ul>
  );
}

/** The same of one run. */
export function WithOne({ one }: { one: LettersWith }) {
  const { t } = useTranslation(["sent", "people"]);
  const format = useFormatter();
  return (
    <small className={own.one}>{t(one.me ? "withMe" : "with", { name: receiverName(one.to, t), time: format.soon(one.at, Date.now()) })}</small>
  );
}
