import { Menu } from "@mantine/core";
import { Download } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ChosenRuns } from "../../api/runSearch";
import { exportRuns, type SheetFormat } from "../../api/runTags";
import { useWorkspace } from "../../api/session";
import { Button, showToast, useErrorText, useFormatter } from "../../ui";

const FORMATS: readonly SheetFormat[] = ["csv", "csv_comma", "json"];
const MOST = 100_000;

function keep(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Keeps runs as a file, with the columns that are shown and every business field. */
export function ExportMenu({ chosen, columns, quiet = false }: { chosen: ChosenRuns; columns: readonly string[]; quiet?: boolean }) {
  const { t } = useTranslation("runs");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const wordsOf = useErrorText();
  const [busy, setBusy] = useState(false);
  const take = async (kind: SheetFormat): Promise<void> => {
    setBusy(true);
    try {
      const made = await exportRuns(workspace, chosen, kind, columns);
      keep(made.file, made.name);
      if (made.cut) showToast({ title: t("export.cut", { number: format.number(MOST) }), tone: "info" });
    } catch (error) {
      showToast({ title: t("export.failed"), text: wordsOf(error).title, tone: "err" });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Menu position={quiet ? "bottom-end" : "top-end"} width={270} withinPortal radius={10}>
      <Menu.Target>
        <Button size="sm" variant={quiet ? "quiet" : "default"} busy={busy} icon={<Download size={14} aria-hidden />}>
          {t("export.button")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("export.label", { number: format.number(MOST) })}</Menu.Label>
        {FORMATS.map((kind) => (
          <Menu.Item key={kind} leftSection={<Download size={15} aria-hidden />} onClick={() => void take(kind)}>
            {t(`export.${kind}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
