import { useTranslation } from "react-i18next";

/** Words for an outcome that somebody chose, such as "Approved". */
export function useSaid(): (outcome: string | null) => string {
  const { t, i18n } = useTranslation("inbox");
  return (outcome) => {
    if (!outcome) return "";
    return i18n.exists(`said.${outcome}`, { ns: "inbox" }) ? t(`said.${outcome}`) : outcome;
  };
}
