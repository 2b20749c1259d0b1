import { useTranslation } from "react-i18next";

/** Words for an outcome that somebody chose: the builder's own name for it, where it is among those that are `named`, or such as "Approved". */
export function useSaid(): (outcome: string | null, named?: { readonly [outcome: string]: string }) => string {
  const { t, i18n } = useTranslation("inbox");
  return (outcome, named) => {
    if (!outcome) return "";
    // What was kept before there were any has none.
    if (named?.[outcome]) return named[outcome];
    return i18n.exists(`said.${outcome}`, { ns: "inbox" }) ? t(`said.${outcome}`) : outcome;
  };
}
