import { CARD, type Direction, type GraphDocument, type Specs, walk } from "../graph";

/** Like `walk`, and it also reaches the notes that lie beside the flow. */
export function walkAll(document: GraphDocument, specs: Specs, from: string, direction: Direction): string | null {
  if (document.annotations.length === 0) return walk(document, specs, from, direction);
  const notes = document.annotations.map((note) => ({
    id: note.id,
    key: note.id,
    name: note.text,
    type: "note",
    config: {},
    settings: {},
    // Places are compared by the corner of a card: a note counts where its middle lies.
    position: { x: note.position.x + (note.size.width - CARD.width) / 2, y: note.position.y + (note.size.height - CARD.height) / 2 },
  }));
  return walk({ ...document, nodes: [...document.nodes, ...notes] }, specs, from, direction);
}
