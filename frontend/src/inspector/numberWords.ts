import { useTranslation } from "react-i18next";

import type { ReadNumber } from "./readNumber";

/** What is wrong with a typed number, in words; nothing where there is nothing wrong. */
export function useNumberWords(): (read: ReadNumber) => string | undefined {
  const { t } = useTranslation("fields");
  return (read) => {
    switch (read.kind) {
      case "bad":
        return t("number.bad");
      case "whole":
        return t("number.whole");
      case "ambiguous":
        return t("number.ambiguous", { text: read.text, large: read.large, small: read.small });
      default:
        return undefined;
    }
  };
}
