import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "./Button";
import { keyName } from "./keys";
import css from "./ui.module.css";

/** Copies text, also where the clipboard API is missing (plain http on another machine). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation("common");
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <IconButton
        size="sm"
        label={copied ? t("copied") : (label ?? t("action.copy"))}
        icon={copied ? <Check size={15} /> : <Copy size={15} />}
        onClick={() => void copyText(text).then(setCopied)}
      />
      <span className="srOnly" role="status">
        {copied ? t("copied") : ""}
      </span>
    </>
  );
}

/** Text to take elsewhere: an address, a command, a token. */
export function CopyBox({ text, label }: { text: string; label?: string }) {
  return (
    <div className={css.copyBox}>
      <code>{text}</code>
      <CopyButton text={text} {...(label ? { label } : {})} />
    </div>
  );
}

/** One key, by its name on this keyboard. */
export function Kbd({ children }: { children: string }) {
  return <kbd className={css.kbd}>{keyName(children)}</kbd>;
}
