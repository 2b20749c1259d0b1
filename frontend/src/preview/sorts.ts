import { File, FileArchive, FileImage, FileSpreadsheet, FileText, type LucideIcon } from "lucide-react";

/** What sort of file it is, told by its type and, where that says nothing, by the ending of its name. */
export type Sort = "table" | "document" | "picture" | "archive" | "text" | "other";

const BY_ENDING: Record<string, Sort> = {
  csv: "table", tsv: "table", xls: "table", xlsx: "table", ods: "table", pdf: "document", doc: "document", docx: "document", odt: "document",
  zip: "archive", gz: "archive", "7z": "archive", txt: "text", json: "text", xml: "text", png: "picture", jpg: "picture", jpeg: "picture",
  gif: "picture", webp: "picture", svg: "picture",
};

export const SORT_ICON: Record<Sort, LucideIcon> = {
  table: FileSpreadsheet,
  document: FileText,
  picture: FileImage,
  archive: FileArchive,
  text: FileText,
  other: File,
};

export function sortOf({ name, mime }: { name: string; mime: string }): Sort {
  if (mime.startsWith("image/")) return "picture";
  if (mime === "application/pdf") return "document";
  if (mime === "text/csv" || mime.includes("spreadsheet") || mime.includes("ms-excel")) return "table";
  return BY_ENDING[endingOf(name).toLowerCase()] ?? (mime.startsWith("text/") ? "text" : "other");
}

/** `csv` of `May.csv`; empty where there is none. */
export function endingOf(name: string): string {
  const found = /\.([A-Za-z0-9]{1,8})$/.exec(name);
  return found?.[1] ?? "";
}
