import { expect, test } from "vitest";

import { mailTo } from "./asking";

test("a letter goes to all of them, and keeps blanks and ampersands", () => {
  expect(mailTo(["a@example.com", "b+c@example.com"], { subject: "Access & more", body: "Let me?" })).toBe(
    "mailto:a%40example.com,b%2Bc%40example.com?subject=Access%20%26%20more&body=Let%20me%3F",
  );
});
