import { useTranslation } from "react-i18next";

import { passwordStrength } from "./password";
import css from "./setup.module.css";

const LEVEL = { short: 1, weak: 1, fair: 2, good: 4 } as const;
const TONE = { short: "weak", weak: "weak", fair: "fair", good: "good" } as const;

export function PasswordStrength({ password, about }: { password: string; about: string[] }) {
  const { t } = useTranslation("setup");
  if (!password) return null;
  const strength = passwordStrength(password, about);
  return (
    <div className={css.strength} role="status">
      <span className={css.strengthBar} aria-hidden>
        {[1, 2, 3, 4].map((level) => (
          <i key={level} data-on={level <= LEVEL[strength] ? TONE[strength] : "none"} />
        ))}
      </span>
      {t(`strength.${strength}`)}
    </div>
  );
}
