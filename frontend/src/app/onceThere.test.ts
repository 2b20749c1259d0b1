import { afterEach, expect, it, vi } from "vitest";

import { onceThere } from "./onceThere";

afterEach(() => vi.restoreAllMocks());

const away = (is: boolean) => vi.spyOn(navigator, "onLine", "get").mockReturnValue(!is);

it("comes at once where it can", async () => {
  await expect(onceThere(() => Promise.resolve("here"))).resolves.toBe("here");
});

it("comes when the network is back, and not before", async () => {
  away(true);
  const load = vi.fn().mockRejectedValueOnce(new Error("no network")).mockRejectedValueOnce(new Error("not yet")).mockResolvedValue("here");
  const part = onceThere(load);
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  let here = false;
  void part.then(() => {
    here = true;
  });
  // It goes again before the part is there; and comes back.
  await vi.waitFor(() => {
    window.dispatchEvent(new Event("online"));
    expect(load.mock.calls.length).toBeGreaterThan(1);
  });
  await vi.waitFor(() => {
    window.dispatchEvent(new Event("online"));
    expect(here).toBe(true);
  });
  expect(load).toHaveBeenCalledTimes(3);
});

it("fails where there is a network, for then it is not there", async () => {
  away(false);
  await expect(onceThere(() => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
});
