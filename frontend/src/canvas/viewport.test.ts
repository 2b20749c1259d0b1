import { describe, expect, it } from "vitest";

import { looping } from "../graph/tests/fixtures";
import { boundsOf, firstView, NO_INSETS, stillView } from "./viewport";

const SPECS = { each: { container: true } } as never;

describe("where a canvas opens", () => {
  const size = { width: 960, height: 560 };
  const reaching = (x: number, y: number) => {
    const document = looping();
    return { ...document, nodes: [...document.nodes, { ...document.nodes[0]!, id: "far", key: "far", position: { x, y } }] };
  };

  it("is so that a run is not cut off at its sides", () => {
    const wide = reaching(1000, 400);
    const view = firstView(wide, SPECS, size, NO_INSETS, true);
    const box = boundsOf(wide, SPECS)!;
    expect(view.x + box.x * view.zoom).toBeGreaterThanOrEqual(0);
    expect(view.x + (box.x + box.width) * view.zoom).toBeLessThanOrEqual(size.width);
  });

  it("is where what stands on it can be read", () => {
    const wide = reaching(9000, 9000);
    expect(firstView(wide, SPECS, size, NO_INSETS, true).zoom).toBe(0.6);
    expect(firstView(wide, SPECS, size, NO_INSETS).zoom).toBe(0.85);
  });

  it("shows all of a run in a small picture, or what stands around the step that asks", () => {
    const small = { width: 264, height: 190 };
    const seen = (document: ReturnType<typeof looping>, around: string) => {
      const view = stillView(document, SPECS, small, around);
      const box = boundsOf(document, SPECS, new Set([around]))!;
      return { view, left: view.x + box.x * view.zoom, top: view.y + box.y * view.zoom, right: view.x + (box.x + box.width) * view.zoom, bottom: view.y + (box.y + box.height) * view.zoom };
    };
    const whole = looping();
    for (const node of whole.nodes) {
      const { left, top, right, bottom } = seen(whole, node.id);
      expect([left >= 0, top >= 0, right <= small.width, bottom <= small.height]).toEqual([true, true, true, true]);
    }
    const { view, left, top, right, bottom } = seen(reaching(9000, 9000), "far");
    expect(view.zoom).toBe(0.16);
    expect([left >= 0, top >= 0, right <= small.width, bottom <= small.height]).toEqual([true, true, true, true]);
  });
});
