import { ChevronLeft, ChevronRight } from "lucide-react";
import { type KeyboardEvent, memo, type RefObject, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { IconButton, SkeletonRows, useFormatter } from "../ui";
import { NotShown } from "./NotShown";
import { bytesOf, density, pageAt, pagesDrawn, sheetRatio, troubleOf, zoomed } from "./pages";
import { openPdf, type PDFDocumentProxy, TextLayer } from "./pdf";
import css from "./preview.module.css";
import { Zoom } from "./Zoom";

interface Opened {
  pdf: PDFDocumentProxy;
  /** So many pages are drawn, of all that it says it has. */
  drawn: number;
  /** Of the first page. */
  ratio: number;
}

/** A PDF, drawn here: pages near those that are seen, and no others. */
export default function Pdf({ url, name }: { url: string; name: string }) {
  const { t } = useTranslation("preview");
  const [opened, setOpened] = useState<Opened | null>(null);
  const [trouble, setTrouble] = useState<ReturnType<typeof troubleOf> | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    let stop = (): void => undefined;
    const open = async () => {
      const data = await bytesOf(url, gone.signal);
      if (gone.signal.aborted) return;
      const reading = openPdf(data);
      stop = reading.stop;
      const pdf = await reading.opened;
      const drawn = pagesDrawn(pdf.numPages);
      if (drawn === null) throw new Error("No document has so many pages");
      const first = (await pdf.getPage(1)).getViewport({ scale: 1 });
      if (!gone.signal.aborted) setOpened({ pdf, drawn, ratio: sheetRatio(first.width, first.height) });
    };
    open().catch((error: unknown) => {
      if (!gone.signal.aborted) setTrouble(troubleOf(error));
    });
    return () => {
      gone.abort();
      stop();
    };
  }, [url]);
  if (trouble) return <NotShown>{t(`trouble.${trouble}`)}</NotShown>;
  if (!opened) return <SkeletonRows rows={6} height={40} label={t("loading", { name })} />;
  return <Pages {...opened} name={name} />;
}

function Pages({ pdf, drawn: count, ratio, name }: Opened & { name: string }) {
  const { t } = useTranslation("preview");
  const format = useFormatter();
  const box = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const [page, setPage] = useState(1);
  const [width, setWidth] = useState(0);
  const all = pdf.numPages;
  const look = () => {
    const scroller = box.current;
    if (!scroller) return;
    const topOf = (index: number) => (scroller.children[index] as HTMLElement).offsetTop;
    // At the end of all it is the last one, however short it is.
    const end = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2 && scroller.scrollTop > 0;
    setPage(end ? count : pageAt(scroller.children.length, topOf, scroller.scrollTop + scroller.clientHeight / 2));
  };
  useEffect(() => {
    const scroller = box.current;
    if (!scroller) return;
    const watch = new ResizeObserver(() => setWidth(scroller.clientWidth));
    watch.observe(scroller);
    return () => watch.disconnect();
  }, []);
  const go = (to: number) => {
    const scroller = box.current;
    const sheet = scroller?.children[Math.min(count, Math.max(1, to)) - 1] as HTMLElement | undefined;
    if (!scroller || !sheet) return;
    scroller.scrollTop = sheet.offsetTop - 8;
    setPage(Math.min(count, Math.max(1, to)));
  };
  const size = (next: number) => {
    const scroller = box.current;
    const part = scroller ? scroller.scrollTop / Math.max(1, scroller.scrollHeight) : 0;
    setZoom(next);
    // What was read stays where it was.
    requestAnimationFrame(() => {
      if (scroller) scroller.scrollTop = part * scroller.scrollHeight;
    });
  };
  const keys = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does: Record<string, () => void> = {
      "+": () => size(zoomed(zoom, 1)),
      "=": () => size(zoomed(zoom, 1)),
      "-": () => size(zoomed(zoom, -1)),
      "0": () => size(1),
      ArrowRight: () => go(page + 1),
      ArrowLeft: () => go(page - 1),
    };
    // A page that is wider than its room is moved sideways with the arrows.
    const found = zoom > 1 && event.key.startsWith("Arrow") ? undefined : does[event.key];
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    found();
  };
  return (
    <div className={css.reader}>
      <div className={css.bar} role="group" aria-label={t("bar")}>
        <IconButton size="sm" label={t("before")} icon={<ChevronLeft size={16} />} disabled={page <= 1} onClick={() => go(page - 1)} />
        <span className="tn">{t("page", { page, count })}</span>
        <IconButton size="sm" label={t("next")} icon={<ChevronRight size={16} />} disabled={page >= count} onClick={() => go(page + 1)} />
        <Zoom zoom={zoom} onZoom={size} />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions -- what scrolls can be scrolled with the keys */}
      <div ref={box} className={css.sheets} tabIndex={0} role="group" aria-label={t("document", { name, count })} onScroll={look} onKeyDown={keys}>
        {Array.from({ length: count }, (_, index) => (
          <Sheet key={index} pdf={pdf} number={index + 1} ratio={ratio} width={Math.max(0, Math.floor((width - 24) * zoom))} root={box} />
        ))}
      </div>
      {count < all && (
        <p className={css.more}>
          {t("firstPages", { shown: format.number(count), all: format.number(all) })} {t("more")}
        </p>
      )}
    </div>
  );
}

interface SheetProps {
  pdf: PDFDocumentProxy;
  number: number;
  ratio: number;
  /** CSS pixels; 0 while it is not known. */
  width: number;
  root: RefObject<HTMLDivElement | null>;
}

/** One page: drawn with its text over it while it is near, and an empty sheet else, so that memory stays flat. */
const Sheet = memo(function Sheet({ pdf, number, ratio, width, root }: SheetProps) {
  const { t } = useTranslation("preview");
  const sheet = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  const [own, setOwn] = useState(ratio);
  const [state, setState] = useState<"empty" | "drawn" | "bare" | "failed">("empty");
  useEffect(() => {
    const element = sheet.current;
    if (!element) return;
    // Several looks may be told of at once; the last one counts.
    const watch = new IntersectionObserver((looks) => setNear(looks.at(-1)?.isIntersecting === true), { root: root.current, rootMargin: "60% 0px" });
    watch.observe(element);
    return () => watch.disconnect();
  }, [root]);
  useEffect(() => {
    const element = sheet.current;
    if (!element || !near || width === 0) return;
    let gone = false;
    let cancel = (): void => undefined;
    const canvas = document.createElement("canvas");
    const text = document.createElement("div");
    const draw = async () => {
      const page = await pdf.getPage(number);
      if (gone) return;
      const plain = page.getViewport({ scale: 1 });
      const shape = sheetRatio(plain.width, plain.height);
      setOwn(shape);
      const height = width / shape;
      const scale = Math.min(width / plain.width, height / plain.height);
      // A page that is longer than any sheet is drawn small, and not stretched.
      if (scale < (width / plain.width) * 0.999) canvas.style.objectFit = "contain";
      const more = density(width, height, window.devicePixelRatio);
      const viewport = page.getViewport({ scale: scale * more });
      canvas.width = Math.max(1, Math.floor(viewport.width));
      canvas.height = Math.max(1, Math.floor(viewport.height));
      canvas.setAttribute("aria-hidden", "true");
      const drawing = page.render({ canvas, viewport });
      cancel = () => {
        drawing.cancel();
        // What it took is given up when drawing has stopped.
        drawing.promise.then(() => page.cleanup(), () => page.cleanup());
      };
      await drawing.promise;
      if (gone) return;
      const layer = new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport: page.getViewport({ scale }) });
      cancel = () => {
        layer.cancel();
        page.cleanup();
      };
      text.className = css.text ?? "";
      element.style.setProperty("--total-scale-factor", String(scale));
      element.replaceChildren(canvas, text);
      await layer.render();
      if (!gone) setState(text.textContent?.trim() ? "drawn" : "bare");
    };
    draw().catch(() => {
      if (!gone) setState("failed");
    });
    return () => {
      gone = true;
      cancel();
      element.replaceChildren();
      // Browsers give the memory of a canvas back when it has no size.
      canvas.width = 0;
      canvas.height = 0;
      setState("empty");
    };
  }, [pdf, number, near, width]);
  return (
    <div className={css.sheet} role="group" aria-label={t("onePage", { page: number })} aria-busy={near && state === "empty"} data-page={number} data-state={state} style={{ width: width || "100%", aspectRatio: String(own) }}>
      <div ref={sheet} className={css.drawing} />
      {state === "bare" && <span className="srOnly">{t("noText")}</span>}
      {state === "failed" && <p className={css.failed}>{t("pageFailed")}</p>}
    </div>
  );
});
