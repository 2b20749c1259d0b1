import { useTranslation } from "react-i18next";

import { Dialog, Kbd } from "../ui";

const SHORTCUTS: [string[], string][] = [
  [["Ctrl", "K"], "palette"],
  [["["], "rail"],
  [["/"], "search"],
  [["?"], "help"],
];

export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("shell");
  return (
    <Dialog opened onClose={onClose} title={t("shortcuts.title")} size={420}>
      <dl style={{ display: "grid", gridTemplateColumns: "110px 1fr", gap: "10px 16px", alignItems: "center" }}>
        {SHORTCUTS.map(([keys, name]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt style={{ display: "flex", gap: 4 }}>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{t(`shortcuts.${name}`)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
