import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, Upload } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { archiveUrl, foundArchiveUrl, type StoredFile, useFiles, useFoundFiles } from "../../api/files";
import { useCan, useWorkspace } from "../../api/session";
import {
  Button,
  buttonClass,
  cx,
  EmptyState,
  ErrorCard,
  numClass,
  PageBody,
  SearchBox,
  SkeletonRows,
  tableBoxClass,
  tableCardsClass,
  tableClass,
  tableFootClass,
  TopBar,
  useFormatter,
} from "../../ui";
import { useShortcut } from "../../ui/shortcuts";
import { useStillHere } from "../../ui/typed";
import { FILES } from "../../uploads/queue";
import { UploadLines } from "../../uploads/UploadLine";
import { useUploads } from "../../uploads/useUploads";
import { DropZone } from "./DropZone";
import { FileRow } from "./FileRow";
import css from "./files.module.css";
import { RemoveDialog } from "./RemoveDialog";

const PreviewDialog = lazy(() => import("../../preview/PreviewDialog"));

/** While the page is seen, the list is asked for again so often: runs make files, too. */
const EVERY = 10_000;
/** So many stand in the address of one archive. */
const MOST_CHOSEN = 500;

export default function FilesPage() {
  const { t } = useTranslation(["files", "common"]);
  const { q = "" } = useSearch({ from: "/shell/files" });
  const navigate = useNavigate({ from: "/files" });
  const mayUpload = useCan("reviewer");
  const list = useFiles(q, EVERY);
  const files = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [typed, setTyped] = useState(q);
  const [shown, setShown] = useState<StoredFile | null>(null);
  const [removing, setRemoving] = useState<StoredFile | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLInputElement>(null);
  useShortcut("/", () => box.current?.focus());
  useEffect(() => {
    document.title = `${t("title")} · Millrace`;
  }, [t]);
  const isHere = useStillHere();
  const now = useRef("");
  useEffect(() => {
    now.current = q;
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      if (isHere() && typed.trim() !== now.current) void navigate({ search: typed.trim() ? { q: typed.trim() } : {}, replace: true });
    }, 200);
    return () => clearTimeout(timer);
  }, [typed, navigate, isHere]);

  const uploads = useUploads(FILES);
  const add = useRef(uploads.add);
  useEffect(() => {
    add.current = uploads.add;
  });
  const take = useCallback((taken: File[]) => add.current(taken), []);
  // What is no longer in the list is chosen no longer.
  const here = files.filter((one) => chosen.has(one.id)).map((one) => one.id);
  const close = () => setRemoving(null);
  const clear = () => {
    setTyped("");
    void navigate({ search: {}, replace: true });
  };
  return (
    <>
      <TopBar title={t("title")} actions={mayUpload && <UploadButton onFiles={take} />} />
      <PageBody>
        <div className={css.head}>
          <p className={css.lead} tabIndex={-1} data-home>
            {t("subtitle")} {mayUpload && <span className={css.dropHint}>{t("dropHint")}</span>}
          </p>
          {(files.length > 0 || q) && <SearchBox ref={box} value={typed} onChange={setTyped} label={t("search")} className={css.search} />}
        </div>
        {uploads.queue.length > 0 && <UploadLines queue={uploads.queue} label={t("uploads")} />}
        {list.isError && <ErrorCard title={t("loadFailed")} error={list.error} onRetry={() => void list.refetch()} />}
        {list.isPending && (
          <div className={tableBoxClass}>
            <SkeletonRows rows={5} height={34} label={t("loading")} />
          </div>
        )}
        {files.length > 0 && (
          <div className={tableBoxClass}>
            {files.length + here.length > 1 && (
              <ChosenBar files={files} here={here} more={list.hasNextPage} search={q} onChoose={(ids) => setChosen(new Set(ids))} />
            )}
            <table className={cx(tableClass, tableCardsClass, css.table)} aria-label={t("title")}>
              <thead>
                <tr>
                  <th scope="col">
                    <span className="srOnly">{t("column.choose")}</span>
                  </th>
                  <th scope="col">{t("column.name")}</th>
                  <th scope="col" className={numClass}>
                    {t("column.size")}
                  </th>
                  <th scope="col">{t("column.from")}</th>
                  <th scope="col">{t("column.when")}</th>
                  <th scope="col">SHA-256</th>
                  <th scope="col">
                    <span className="srOnly">{t("column.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {files.map((file) => (
                  <FileRow
                    key={file.id}
                    file={file}
                    chosen={chosen.has(file.id)}
                    onChoose={(on) => setChosen(new Set(on ? [...here, file.id] : here.filter((id) => id !== file.id)))}
                    onShow={() => setShown(file)}
                    onRemove={() => setRemoving(file)}
                  />
                ))}
              </tbody>
            </table>
            {list.hasNextPage && (
              <div className={tableFootClass}>
                <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  {t("more")}
                </Button>
              </div>
            )}
          </div>
        )}
        {list.data && files.length === 0 && !q && uploads.queue.length === 0 && (
          <EmptyState title={t("empty.title")} text={t("empty.text")} actions={mayUpload && <UploadButton onFiles={take} />} />
        )}
        {list.data && files.length === 0 && q && (
          <EmptyState plain title={t("empty.none", { query: q })} actions={<Button onClick={clear}>{t("common:action.clearFilters")}</Button>} />
        )}
      </PageBody>
      {mayUpload && <DropZone onFiles={take} />}
      {shown && (
        <Suspense fallback={null}>
          <PreviewDialog file={shown} onClose={() => setShown(null)} />
        </Suspense>
      )}
      {removing && <RemoveDialog file={removing} onClose={close} />}
    </>
  );
}

function UploadButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useTranslation("files");
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="upload-input"
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          // The same file may be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <Button variant="primary" icon={<Upload size={16} aria-hidden />} onClick={() => input.current?.click()}>
        {t("upload")}
      </Button>
    </>
  );
}

/** Chooses all that are shown, and takes those that are chosen as one ZIP. */
function ChosenBar(props: { files: readonly StoredFile[]; here: readonly string[]; more: boolean; search: string; onChoose: (ids: readonly string[]) => void }) {
  const { t } = useTranslation("files");
  const { files, here, more } = props;
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const all = here.length === files.length;
  const shown = { count: files.length, number: format.number(files.length) };
  const bytes = files.filter((one) => here.includes(one.id)).reduce((sum, one) => sum + one.size, 0);
  const words = t("chosen", { count: here.length, number: format.number(here.length), size: format.bytes(bytes) });
  return (
    <div className={css.bars}>
      <label>
        <input
          type="checkbox"
          checked={all}
          ref={(box) => {
            if (box) box.indeterminate = !all && here.length > 0;
          }}
          onChange={() => props.onChoose(all ? [] : files.map((one) => one.id))}
        />
        {more ? t("chooseShown", shown) : t("chooseAll", shown)}
      </label>
      <span role="status">{here.length > MOST_CHOSEN ? t("tooMany", { number: format.number(MOST_CHOSEN) }) : here.length > 0 && words}</span>
      {here.length > 0 && here.length <= MOST_CHOSEN && (
        <a className={buttonClass("default", "sm")} href={archiveUrl(workspace, here)} download="files.zip">
          <Download size={14} aria-hidden />
          {t("zip")}
        </a>
      )}
      {here.length === 0 && more && <AllAsZip search={props.search} />}
    </div>
  );
}

/** All that are found, also those that are not shown yet. */
function AllAsZip({ search }: { search: string }) {
  const { t } = useTranslation("files");
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const total = useFoundFiles(search, true).data;
  if (!total) return null;
  if (total.count > total.most) return <span>{t("tooManyFound", { number: format.number(total.count), most: format.number(total.most) })}</span>;
  return (
    <a className={buttonClass("default", "sm")} href={foundArchiveUrl(workspace, search)} download="files.zip" title={format.bytes(total.size)}>
      <Download size={14} aria-hidden />
      {t("zipAll", { count: total.count, number: format.number(total.count) })}
    </a>
  );
}
