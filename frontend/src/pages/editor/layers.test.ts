import { expect, it, vi } from "vitest";

import { branching, specs } from "../../graph/tests/fixtures";
import { closeTopLayer, pushLayer } from "./layers";
import { freeNotePlace, NOTE } from "./notePlace";

it("closes the layer that was opened last, and nothing when there is none", () => {
  const panel = vi.fn();
  const list = vi.fn();
  const panelGone = pushLayer(panel);
  const listGone = pushLayer(list);
  expect(closeTopLayer()).toBe(true);
  expect(list).toHaveBeenCalledTimes(1);
  expect(panel).not.toHaveBeenCalled();
  listGone();
  closeTopLayer();
  expect(panel).toHaveBeenCalledTimes(1);
  panelGone();
  expect(closeTopLayer()).toBe(false);
});

it("a new note lies on no card and on no other note", () => {
  const document = branching();
  for (let count = 0; count < 4; count += 1) {
    const middle = document.nodes[0]?.position ?? { x: 0, y: 0 };
    const at = freeNotePlace(document, specs, { x: middle.x + 142, y: middle.y + 34 });
    for (const node of document.nodes) {
      const apart = at.x >= node.position.x + 284 || at.x + NOTE.width <= node.position.x || at.y >= node.position.y + 68 || at.y + NOTE.height <= node.position.y;
      expect(apart).toBe(true);
    }
    for (const note of document.annotations) {
      expect(Math.abs(note.position.x - at.x) >= NOTE.width || Math.abs(note.position.y - at.y) >= NOTE.height).toBe(true);
    }
    document.annotations.push({ id: `n${count}`, text: "", position: at, size: NOTE, tint: "wait" });
  }
});
