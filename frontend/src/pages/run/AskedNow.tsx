import { CircleCheck, CircleHelp, CircleX, LoaderCircle } from "lucide-react";
import { type ReactNode, useEffect, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { type About, type AskedNow, useAskNow } from "../../api/askNow";
import type { JsonObject } from "../../graph/types";
import { formatExact } from "../../graph/exact";
import { ApiError } from "../../api/client";
import { retell } from "../../i18n/server";
import { Button, useFormatter } from "../../ui";
import ui from "../../ui/ui.module.css";
import css from "./asked.module.css";

interface AskedProps {
  about: About;
  /** What people call the other system; empty where nothing names it. */
  system: string;
  /** What the step is to be given instead, as far as somebody has changed it. */
  settings: JsonObject | null;
  /** What it says, each time that it says something. */
  onSaid?: (said: AskedNow) => void;
  /** What can be done about it. */
  children?: (said: AskedNow) => ReactNode;
}

const TONES = { happened: "err", did_not_happen: "ok", could_not_tell: "wait", no_turn: "wait" } as const;
const ICONS = { happened: CircleX, did_not_happen: CircleCheck, could_not_tell: CircleHelp, no_turn: CircleHelp } as const;

/** What the other system said, in sentences. */
export function useSaid(): (said: AskedNow) => { title: string; text: string } {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  return (said) => {
    const names = { system: said.system || t("ask.unnamed"), time: format.clockSeconds(said.at), name: said.name };
    const own = ["slow", "nobody"].includes(said.code);
    const reason = own ? t(`ask.reason.${said.code}`) : retell("failures", said.code, said.message);
    const text =
      said.found === "happened"
        ? t(said.name ? "ask.text.happenedNamed" : "ask.text.happened", names)
        : said.found === "no_turn"
          ? t(said.until ? "ask.text.noTurnUntil" : "ask.text.noTurn", { ...names, until: said.until ? format.clockOf(said.until, Date.now()) : "" })
          : t(said.found === "did_not_happen" ? "ask.text.didNotHappen" : "ask.text.couldNotTell", { ...names, reason });
    return { title: t(`ask.title.${said.found}`), text };
  };
}

/** Asks the other system at once, and says what it answered; again with the values that stand there then. */
export function Asked({ about, system, settings, onSaid, children }: AskedProps) {
  const { t } = useTranslation("runs");
  const id = useId();
  const words = useSaid();
  const [asked, setAsked] = useState<JsonObject | null>(null);
  const query = useAskNow(about, asked);
  const said = query.isFetching ? undefined : query.data;
  useEffect(() => {
    if (said) onSaid?.(said);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- each answer is told once; who hears of it is another function each time
  }, [said]);
  const isStale = (settings === null ? "" : formatExact(settings)) !== (asked === null ? "" : formatExact(asked));
  const again = () => {
    if (isStale) setAsked(settings);
    else void query.refetch();
  };
  const told = said ? words(said) : null;
  const Icon = query.isFetching ? LoaderCircle : said ? ICONS[said.found] : CircleHelp;
  return (
    <div className={css.asked} data-tone={said ? TONES[said.found] : query.isError ? "wait" : "idle"} data-found={said?.found} role="group" aria-labelledby={id}>
      <Icon size={18} className={query.isFetching ? ui.spin : undefined} aria-hidden />
      <div className={css.text} role="status">
        <b id={id}>{told ? told.title : query.isError ? t("ask.failed") : t("ask.asking", { system: system || t("ask.unnamedInside") })}</b>
        {told && <span>{told.text}</span>}
        {query.isError && <span>{query.error instanceof ApiError ? query.error.message : t("ask.reason.slow")}</span>}
        {isStale && !query.isFetching && <span>{t("ask.stale")}</span>}
      </div>
      {!query.isFetching && (
        <div className={css.actions}>
          {said && !isStale && children?.(said)}
          <Button size="sm" variant="quiet" onClick={again}>
            {t(isStale ? "ask.againWith" : "ask.again")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Asks only when somebody wants to know: a page that is merely looked at calls nobody. */
export function AskFirst(props: AskedProps) {
  const { t } = useTranslation("runs");
  const [wanted, setWanted] = useState(false);
  if (wanted) return <Asked {...props} />;
  return (
    <div>
      <Button size="sm" icon={<CircleHelp size={14} aria-hidden />} onClick={() => setWanted(true)}>
        {t("ask.button", { system: props.system || t("ask.unnamedInside") })}
      </Button>
    </div>
  );
}
