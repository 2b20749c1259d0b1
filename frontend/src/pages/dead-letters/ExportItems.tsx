import { Menu } from "@mantine/core";
import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";

import { LETTER_FORMATS, type LettersMeant, lettersUrl, MOST_CHOSEN } from "../../api/letterGroups";
import { useWorkspace } from "../../api/session";

/** Lines of a menu: these dead letters as a file. */
export function ExportItems({ meant, label }: { meant: LettersMeant; label: string }) {
  const { t } = useTranslation("deadLetters");
  const workspace = useWorkspace().id;
  const tooMany = (meant.runs?.length ?? 0) > MOST_CHOSEN;
  return (
    <>
      <Menu.Label>{tooMany ? t("export.tooMany", { most: MOST_CHOSEN }) : label}</Menu.Label>
      {!tooMany &&
        LETTER_FORMATS.map((one) => (
          <Menu.Item key={one} component="a" href={lettersUrl(workspace, one, meant)} download leftSection={<Download size={15} aria-hidden />}>
            {t(`export.${one}`)}
          </Menu.Item>
        ))}
    </>
  );
}
