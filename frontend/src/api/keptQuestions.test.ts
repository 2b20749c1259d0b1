import { expect, test } from "vitest";

import type { TaskDetail } from "./types";
import { toKeep } from "./keptQuestions";

const LINK = `https://m.example/hooks/resume/01890a5d-ac96-774b-bcce-b302099a8057/wait/1/${"a".repeat(40)}`;

const detail = (changes: Partial<TaskDetail>): TaskDetail =>
  ({ text: "", facts: [], error: null, answer: null, ...changes }) as TaskDetail;

test("of a question nothing lies on a computer that is masked, that acts, or that a system answered", () => {
  const kept = toKeep(
    detail({
      text: `Confirm at ${LINK}`,
      facts: [
        { label: "Supplier", value: "Brinkmann" },
        { label: "IBAN", value: "•••" },
        { label: "Where", value: { url: `https://x.example/?key=•••` } },
        { label: "Link", value: [LINK] },
      ],
      error: { code: "http", title: "No", message: "It said no.", detail: '{"token": "abc"}' },
      answer: { pin: "1234" },
    }),
  );
  expect(kept.facts.map((one) => one.label)).toEqual(["Supplier", "Link"]);
  expect(JSON.stringify(kept)).not.toContain("a".repeat(40));
  expect(JSON.stringify(kept)).not.toContain("•••");
  expect(kept.error).toEqual({ code: "http", title: "No", message: "It said no.", detail: null });
  expect(kept.answer).toBeNull();
});
