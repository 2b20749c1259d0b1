import { useTranslation } from "react-i18next";

import { Dialog, Kbd } from "../ui";

type Shortcuts = readonly (readonly [keys: readonly string[], name: string])[];

const EVERYWHERE: Shortcuts = [
  [["Ctrl", "K"], "palette"],
  [["["], "rail"],
  [["/"], "search"],
  [["?"], "help"],
];

const INBOX: Shortcuts = [
  [["J", "K"], "inbox.move"],
  [["Enter"], "inbox.open"],
  [["A"], "inbox.approve"],
  [["R"], "inbox.reject"],
  [["S"], "inbox.skip"],
  [["C"], "inbox.comment"],
  [["Q"], "inbox.ask"],
  [["F"], "inbox.handOver"],
  [["E"], "inbox.take"],
  [["U"], "inbox.takeBack"],
];

function Keys({ list }: { list: Shortcuts }) {
  const { t } = useTranslation("shell");
  return (
    <dl style={{ display: "grid", gridTemplateColumns: "110px 1fr", gap: "10px 16px", alignItems: "center" }}>
      {list.map(([keys, name]) => (
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
  );
}

export default function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("shell");
  return (
    <Dialog opened onClose={onClose} title={t("shortcuts.title")} size={420}>
      <Keys list={EVERYWHERE} />
      <h3 style={{ font: "600 13.5px/18px var(--font)", margin: "6px 0 0" }}>{t("shortcuts.inbox.title")}</h3>
      <Keys list={INBOX} />
    </Dialog>
  );
}
