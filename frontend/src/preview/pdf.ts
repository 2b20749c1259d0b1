/**
 * PDF.js, loaded with the first PDF. It reads the file in a worker that may open nothing (its answer's policy says so), and
 * what it needs beyond the file (signs that no two systems draw alike, decoders of scans) comes from our own origin. Letters
 * of a font that a file names and does not bring are those of the reader's own system.
 */
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy, TextLayer } from "pdfjs-dist/legacy/build/pdf.mjs";
// oxlint-disable-next-line import/default -- with `?url` it is an address, which the builder gives
import workerUrl from "pdfjs-dist/legacy/build/pdf.worker.min.mjs?url";

export { type PDFDocumentProxy, TextLayer };

GlobalWorkerOptions.workerSrc = workerUrl;

const FONTS = import.meta.glob<string>("/node_modules/pdfjs-dist/standard_fonts/Foxit{Symbol,Dingbats}.pfb", { query: "?url", import: "default", eager: true });
const DECODERS = import.meta.glob<string>("/node_modules/pdfjs-dist/wasm/{jbig2,openjpeg}.wasm", { query: "?url", import: "default", eager: true });

const PLACES = new Map(Object.entries({ ...FONTS, ...DECODERS }).map(([path, url]) => [path.slice(path.lastIndexOf("/") + 1), url]));

/** Hands the worker what it asks for by name; whatever is not shipped is not there. */
class OwnFiles {
  async fetch({ filename }: { filename: string }): Promise<Uint8Array> {
    const url = PLACES.get(filename);
    if (url === undefined) throw new Error(`${filename} does not come along`);
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${filename}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }
}

/** So many pixels one picture in a PDF may have. */
const MOST_IMAGE = 40_000_000;

/** Opens a PDF. The promise fails as `troubleOf` reads it; `stop` ends the worker and gives its memory back. */
export function openPdf(data: Uint8Array): { opened: Promise<PDFDocumentProxy>; stop(): void } {
  const task = getDocument({
    data,
    BinaryDataFactory: OwnFiles,
    useWorkerFetch: false,
    // They are names for `OwnFiles`, and no addresses.
    standardFontDataUrl: "own/",
    wasmUrl: "own/",
    enableXfa: false,
    maxImageSize: MOST_IMAGE,
    disableWorkerRendering: true,
    verbosity: 0,
  });
  return { opened: task.promise, stop: () => void task.destroy() };
}
