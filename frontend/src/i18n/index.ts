/**
 * Texts stand in catalogues, one file per area and language: `i18n/en/<area>.json`. English is the source; German has the
 * same areas and keys, which catalogues.test.ts checks. A catalogue is loaded when a screen first needs it; the English
 * `common` and `shell` come with the first load. `steps` goes by the English text, so its English side, which is made of
 * the step types, is there for the tests and the translators alone.
 */
import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";

import enCommon from "./en/common.json";
import enShell from "./en/shell.json";

type Catalogue = { default: Record<string, unknown> };
const lazy = import.meta.glob<Catalogue>(["./{en,de}/*.json", "!./en/common.json", "!./en/shell.json", "!./en/steps.json"]);

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const backend: BackendModule = {
  type: "backend",
  init() {},
  read(language, namespace, done) {
    const load = lazy[`./${language}/${namespace}.json`];
    if (!load) {
      done(null, {});
      return;
    }
    load().then(
      (catalogue) => done(null, catalogue.default),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), false),
    );
  },
};

/** The sentences of the server, which speaks English: only another language has to know them. */
const loadServerWords = async (language: string) => {
  if (language !== "en") await i18next.loadNamespaces("server");
};

const LANGUAGE_KEY = "millrace.language";

function firstLanguage(): Language {
  let wanted: string | null = null;
  try {
    wanted = localStorage.getItem(LANGUAGE_KEY);
  } catch {
    // Storage can be forbidden; the browser's language then decides.
  }
  wanted ??= navigator.language;
  return LANGUAGES.find((language) => wanted.startsWith(language)) ?? "en";
}

export const i18n = i18next;

export const i18nReady = i18next
  .use(backend)
  .use(initReactI18next)
  .init({
    lng: firstLanguage(),
    fallbackLng: "en",
    supportedLngs: LANGUAGES,
    load: "languageOnly",
    ns: ["common", "shell"],
    defaultNS: "common",
    partialBundledLanguages: true,
    resources: { en: { common: enCommon, shell: enShell } },
    interpolation: { escapeValue: false },
    returnNull: false,
    react: { useSuspense: true },
  })
  .then(async () => {
    await loadServerWords(i18next.language);
    document.documentElement.lang = i18next.language;
  });

/** Whether the person chose a language on this computer. */
export function languageIsChosen(): boolean {
  try {
    return localStorage.getItem(LANGUAGE_KEY) !== null;
  } catch {
    return false;
  }
}

/** Changes the language of all texts; `remember` keeps the choice on this computer. */
export async function setLanguage(language: Language, remember = true): Promise<void> {
  if (remember) {
    try {
      localStorage.setItem(LANGUAGE_KEY, language);
    } catch {
      // The choice then lasts until the page is closed.
    }
  }
  await loadServerWords(language);
  if (i18next.language !== language) await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
