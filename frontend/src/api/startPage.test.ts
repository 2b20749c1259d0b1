import { beforeEach, describe, expect, it } from "vitest";

import { useWorkspaceChoice } from "./session";
import { startPageNow, startPageOf, startPagesFor } from "./startPage";
import type { Role, Session, StartPage } from "./types";

function session(start_page: StartPage | undefined, ...roles: Role[]): Session {
  const workspaces = roles.map((role) => ({ id: role, role }));
  return { user: { start_page }, workspaces } as unknown as Session;
}

describe("where a person begins", () => {
  beforeEach(() => useWorkspaceChoice.setState({ id: null }));

  it("is the page they chose", () => {
    expect(startPageOf("inbox", "reviewer")).toBe("inbox");
    expect(startPageOf("monitor", "admin")).toBe("monitor");
  });

  it("is Home where the page is not theirs to see any more", () => {
    expect(startPageOf("monitor", "builder")).toBe("home");
    expect(startPagesFor("builder")).not.toContain("monitor");
    expect(startPagesFor("admin")).toContain("monitor");
  });

  it("is Home for a session that was kept before there was a choice, and for nobody", () => {
    expect(startPageNow(session(undefined, "admin"))).toBe("home");
    expect(startPageNow(undefined)).toBe("home");
  });

  it("follows the role in the workspace that is chosen", () => {
    const both = session("monitor", "admin", "viewer");
    expect(startPageNow(both)).toBe("monitor");
    useWorkspaceChoice.setState({ id: "viewer" });
    expect(startPageNow(both)).toBe("home");
  });
});
