import { QueryClient } from "@tanstack/react-query";
import { isRedirect } from "@tanstack/react-router";
import { beforeEach, expect, it } from "vitest";

import { sessionQuery, useWorkspaceChoice } from "../api/session";
import type { Session } from "../api/types";
import { toOneHome, toStartPage } from "./startPage";

/** Where somebody with this choice and role is led from an address; nowhere where it shows Home itself. */
function led(from: typeof toStartPage, start_page: string, role = "admin"): string | undefined {
  const queries = new QueryClient();
  const session = { user: { start_page }, workspaces: [{ id: "here", role }] } as unknown as Session;
  queries.setQueryData(sessionQuery.queryKey, session);
  try {
    from({ context: { queries } });
  } catch (thrown) {
    if (isRedirect(thrown)) return String(thrown.options.to);
    throw thrown;
  }
  return undefined;
}

beforeEach(() => useWorkspaceChoice.setState({ id: null }));

it("leads from the root to the page that was chosen, and keeps Home at an address of its own", () => {
  expect(led(toStartPage, "inbox")).toBe("/inbox");
  expect(led(toStartPage, "monitor")).toBe("/monitor");
  expect(led(toOneHome, "inbox")).toBeUndefined();
});

it("shows Home at the root, and at no other address, to who begins there", () => {
  expect(led(toStartPage, "home")).toBeUndefined();
  expect(led(toOneHome, "home")).toBe("/");
});

it("leads in no circle where the page is not theirs to see any more", () => {
  expect(led(toStartPage, "monitor", "builder")).toBeUndefined();
  expect(led(toOneHome, "monitor", "builder")).toBe("/");
});
