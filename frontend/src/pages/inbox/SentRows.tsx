import { Link } from "@tanstack/react-router";
import { MailWarning, User, UserRoundCheck, Users } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { SentLetters } from "../../api/sendings";
import { Chip, cx, Time, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import { failedOf, receiverName } from "../dead-letters/sent";
import { useAwayWords } from "./away";
import css from "./inbox.module.css";
import rowCss from "./rows.module.css";

/** Failed runs that somebody sent here: each row leads to exactly those. */
export function SentRows({ sendings }: { sendings: readonly SentLetters[] }) {
  const { t } = useTranslation(["sent", "inbox"]);
  return (
    <ul className={cx(css.rows, rowCss.sent)} aria-label={t("row.list")}>
      {sendings.map((one) => (
        <li key={one.id}>
          <SentRow sending={one} />
        </li>
      ))}
    </ul>
  );
}

function SentRow({ sending }: { sending: SentLetters }) {
  const { t } = useTranslation(["sent", "people", "inbox", "away"]);
  const format = useFormatter();
  const words = useAwayWords();
  const many = { count: sending.total, number: format.number(sending.total) };
  const about = failedOf(sending);
  const over = sending.ended_as !== null;
  const Icon = sending.to.kind === "person" ? User : Users;
  const name = receiverName(sending.to, t);
  return (
    <Link to="/dead-letters" search={{ sent: sending.id }} className={css.row} data-testid={`letters-${sending.id}`}>
      {sending.unread && (
        <span className={rowCss.unread}>
          <span className="srOnly">{t("inbox:unread")}</span>
        </span>
      )}
      <span className={cx(ui.tile, css.failure)} data-category="people" role="img" aria-label={t("row.kind")} title={t("row.kind")}>
        <MailWarning size={19} aria-hidden />
      </span>
      <span className={css.rowBody}>
        <span className={css.rowHead}>
          <b>{about ? t("what", { ...many, about }) : t("whatever", many)}</b>
        </span>
        <span className={css.rowWhere}>
          <span>{sending.workflow?.name ?? t("row.several")}</span>
          <Time at={sending.ended_at ?? sending.at} />
        </span>
        <span className={rowCss.whose} title={sending.note || undefined}>
          <Icon size={13} aria-hidden />
          <span>
            {sending.mine && sending.to.kind === "person" && !sending.in_place_of
              ? t("row.from", { name: sending.by ?? t("nobody") })
              : t("row.fromTo", { name: sending.by ?? t("nobody"), to: name })}
            {sending.note && `: ${sending.note}`}
          </span>
        </span>
        <span className={css.chips}>
          {sending.in_place_of && (
            <Chip tone="accent" icon={<UserRoundCheck size={12} aria-hidden />} title={words.until(sending.in_place_of.until)}>
              {t("away:chip", { name: sending.in_place_of.name })}
            </Chip>
          )}
          {over ? (
            <Chip tone={sending.ended_as === "settled" || sending.ended_as === "done" ? "ok" : "idle"}>{t(`row.ended.${sending.ended_as ?? "done"}`)}</Chip>
          ) : (
            <Chip tone="err">{t("open", { count: sending.open, number: format.number(sending.open), total: many.number })}</Chip>
          )}
        </span>
      </span>
    </Link>
  );
}
