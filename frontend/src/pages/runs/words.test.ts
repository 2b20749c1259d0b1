import { expect, it } from "vitest";

import german from "../../i18n/de/runs.json";
import inbox from "../../i18n/en/inbox.json";
import english from "../../i18n/en/runs.json";
import { saidWords } from "./words";

const of = (words: { people: { outcome: object } }) => {
  const all = Object.fromEntries(Object.entries(words.people.outcome).map(([name, text]) => [`runs:people.outcome.${name}`, String(text)]));
  return { t: ((key: string) => all[key]) as never, i18n: { exists: ((key: string) => key in all) as never } };
};

it("says in words, not in those of programs, what somebody said to a question", () => {
  for (const outcome of Object.keys(inbox.said)) {
    for (const words of [english, german]) expect(saidWords({ outcome }, of(words))).not.toBe(outcome);
  }
  expect(saidWords({ outcome: "undo_run" }, of(german))).toBe("Lauf rückgängig gemacht");
  expect(saidWords({ outcome: "sent_back", called: "Back to sales" }, of(english))).toBe("Back to sales");
  expect(saidWords({ outcome: "sent_back", called: "" }, of(english))).toBe("sent_back");
});
