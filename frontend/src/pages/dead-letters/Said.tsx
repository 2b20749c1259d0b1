import { Link } from "@tanstack/react-router";
import { BellOff, ExternalLink, Lightbulb, StickyNote } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useCan } from "../../api/session";
import type { DeadLetterGroup } from "../../api/types";
import { Button, ErrorCard, Note, Time, useFormatter } from "../../ui";
import css from "./deadLetters.module.css";
import { isTicket, ticketName } from "./said";
import own from "./said.module.css";
import type { Target } from "./target";
import { useMuting } from "./useSaying";

/** What people have said about a group: a note with its ticket, and that nobody is told of it for now. */
export function Said({ group, onNote }: { group: DeadLetterGroup; onNote: (() => void) | null }) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const muting = useMuting(group);
  const { said } = group;
  const noted = said.note !== "" || said.ticket !== "";
  if (!noted && !said.muted) return null;
  return (
    <div className={own.said}>
      {said.muted && (
        <div className={own.silence}>
          <Note tone="idle" icon={<BellOff size={16} aria-hidden />}>
            <div className={css.trialRow}>
              <span>
                {said.muted_until === null
                  ? t("mute.forGood", { who: said.muted_by ?? "" })
                  : t("mute.until", { who: said.muted_by ?? "", time: format.dayClock(new Date(said.muted_until)) })}{" "}
                <span className={css.quiet}>{t("mute.means")}</span>
              </span>
              {onNote && (
                <Button size="sm" busy={muting.isPending} onClick={() => muting.mutate(false)}>
                  {t("mute.end")}
                </Button>
              )}
            </div>
            {muting.isError && <ErrorCard title={t("mute.failed")} error={muting.error} />}
          </Note>
        </div>
      )}
      {noted && (
        <Note tone="accent" icon={<StickyNote size={16} aria-hidden />}>
          {said.note !== "" && <p className={own.note}>{said.note}</p>}
          <p className={own.noteFoot}>
            {isTicket(said.ticket) && (
              <a href={said.ticket} target="_blank" rel="noopener noreferrer">
                {ticketName(said.ticket)} <ExternalLink size={12} aria-hidden />
                <span className="srOnly"> {t("edit.newTab")}</span>
              </a>
            )}
            <span className={css.quiet}>
              {said.noted_by} {said.noted_at !== null && <Time at={said.noted_at} />}
            </span>
            {onNote && (
              <Button size="sm" variant="quiet" onClick={onNote}>
                {t("note.change")}
              </Button>
            )}
          </p>
        </Note>
      )}
    </div>
  );
}

interface SuggestionProps {
  group: DeadLetterGroup;
  sent: string | undefined;
  onAsk: (what: "retry" | "edit" | "solve", target: Target) => void;
  onTry: (target: Target) => void;
  onShow: () => void;
  opened: boolean;
}

/** What usually helps, in a sentence, with the button that it names. */
export function Suggestion({ group, sent, onAsk, onTry, onShow, opened }: SuggestionProps) {
  const { t } = useTranslation("deadLetters");
  const format = useFormatter();
  const mayRetry = useCan("reviewer");
  const mayEdit = useCan("builder");
  const target: Target = { group, letters: null, sent };
  const { action, connection } = group.suggested;
  const many = { count: group.count, number: format.number(group.count), connection: connection?.name ?? "" };
  const known = action === "mend_connection" && connection === null ? "mend_some_connection" : action;
  const word = t(`suggested.${known}.do`, many);
  let button: ReactNode = null;
  const press = (act: () => void) => (
    <button type="button" className={own.doIt} onClick={act}>
      {word}
    </button>
  );
  switch (action) {
    case "undo":
    case "look":
      button = opened ? null : press(onShow);
      break;
    case "mend_connection":
      button = mayEdit && (
        <Link to="/connections" search={connection ? { connection: connection.id } : {}} className={own.doIt}>
          {word}
        </Link>
      );
      break;
    case "mend_workflow":
      button = mayEdit && (
        <Link to="/workflows/$id/build" params={{ id: group.workflow.id }} className={own.doIt}>
          {word}
        </Link>
      );
      break;
    case "replay":
      button = mayRetry && press(() => (group.count === 1 ? onTry(target) : onAsk("retry", target)));
      break;
    case "replay_slowly":
      button = mayRetry && press(() => onAsk("retry", { ...target, slowly: true }));
      break;
    case "edit":
      button = mayEdit && press(() => onAsk("edit", target));
      break;
    case "settle":
      button = mayRetry && press(() => onAsk("solve", target));
      break;
  }
  return (
    <p className={own.suggested}>
      <Lightbulb size={14} aria-hidden />
      <span>
        {t(`suggested.${known}.text`, many)} {button}
      </span>
    </p>
  );
}
