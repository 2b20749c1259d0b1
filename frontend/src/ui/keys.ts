/** Keys by the names that stand on the keyboard in front of the person. */
import i18next from "i18next";

const MAC_SIGNS: Readonly<Record<string, string>> = { Ctrl: "⌘", Alt: "⌥", Shift: "⇧", Enter: "↵", Delete: "⌫", Esc: "esc" };
const NAMED = new Set(["Ctrl", "Shift", "Alt", "Enter", "Delete", "Esc", "Space", "drag"]);

export function isMac(platform: string = typeof navigator === "undefined" ? "" : navigator.platform): boolean {
  return /^(Mac|iPhone|iPad)/.test(platform);
}

/** "Ctrl" is ⌘ on a Mac and Strg on a German keyboard; a letter is itself. */
export function keyName(key: string, mac = isMac()): string {
  const sign = mac ? MAC_SIGNS[key] : undefined;
  if (sign) return sign;
  return NAMED.has(key) ? i18next.t(`key.${key}`, { ns: "common" }) : key;
}

/** "Ctrl Shift Z" as one short text. */
export function keyText(keys: string, mac = isMac()): string {
  return keys
    .split(" ")
    .map((key) => keyName(key, mac))
    .join(mac ? "" : " ");
}
