import { Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, Download, Eye, FileCheck2, ShieldCheck, Table2, TriangleAlert } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Batch, type BatchCheck, checkBatch, keepManifest, MANIFEST_FORMATS, manifestUrl, noteBrowserCheck, refreshBatch, RESULT_FORMATS, resultsUrl, useBatchChecks } from "../../api/batches";
import { contentUrl, type StoredFile } from "../../api/files";
import { useCan, useWorkspace } from "../../api/session";
import { Button, Card, CopyButton, ErrorCard, IconButton, Note, Time, useFormatter } from "../../ui";
import css from "./batch.module.css";
import { fetcher } from "./fetcher";
import { readManifest, verify } from "./verify";

const PreviewDialog = lazy(() => import("../../preview/PreviewDialog"));

/** Its files, its manifest, and whether the one is as the other says. */
export function FilesTab({ batch }: { batch: Batch }) {
  const { t } = useTranslation(["batches", "common"]);
  const format = useFormatter();
  const workspace = useWorkspace().id;
  const mayAct = useCan("reviewer");
  const client = useQueryClient();
  const changed = () => void refreshBatch(client, workspace, batch.run_id, batch.node);
  const keep = useMutation({ mutationFn: () => keepManifest(workspace, batch.run_id, batch.node), onSuccess: changed });
  const check = useMutation({ mutationFn: () => checkBatch(workspace, batch.run_id, batch.node), onSuccess: changed });
  const inBrowser = useBrowserCheck(batch, changed);
  const checks = useBatchChecks(batch.run_id, batch.node);
  return (
    <div className={css.stack}>
      <div className={css.cards}>
        {batch.input && <FileCard title={t("files.input")} file={batch.input} workspace={workspace} />}
        <Card padded className={css.fileCard}>
          <b>{t("files.made")}</b>
          <p className="tn">{t("files.count", { count: batch.files, number: format.number(batch.files) })}</p>
        </Card>
        {batch.manifest && <FileCard title={t("files.manifest")} file={batch.manifest} workspace={workspace} />}
      </div>
      {batch.manifest === null && <Note tone="idle">{t("files.noManifest")}</Note>}
      {batch.manifest !== null && !batch.sealed && <Note tone="wait">{t("files.changedSince")}</Note>}
      <div className={css.toolButtons}>
        <Menu position="bottom-start" width={310} withinPortal radius={10}>
          <Menu.Target>
            <Button icon={<Download size={15} aria-hidden />}>{t("files.downloadNow")}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {MANIFEST_FORMATS.map((one) => (
              <Menu.Item key={one} component="a" href={manifestUrl(workspace, batch.run_id, batch.node, one)} download>
                {t(`files.as.${one}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Menu position="bottom-start" width={310} withinPortal radius={10}>
          <Menu.Target>
            <Button icon={<Table2 size={15} aria-hidden />}>{t("files.results")}</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {RESULT_FORMATS.map((one) => (
              <Menu.Item key={one} component="a" href={resultsUrl(workspace, batch.run_id, batch.node, one)} download>
                {t(`files.resultsAs.${one}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        {mayAct && !batch.sealed && (
          <Button icon={<FileCheck2 size={15} aria-hidden />} busy={keep.isPending} onClick={() => keep.mutate()}>
            {t("files.keep")}
          </Button>
        )}
        {mayAct && batch.manifest && (
          <>
            <Button variant="primary" icon={<ShieldCheck size={15} aria-hidden />} busy={check.isPending} onClick={() => check.mutate()}>
              {t("files.verify")}
            </Button>
            {inBrowser.progress === null ? (
              <Button onClick={inBrowser.start}>{t("files.verifyHere")}</Button>
            ) : (
              <Button onClick={inBrowser.stop}>{t("files.stop", { done: format.number(inBrowser.progress.done), all: format.number(inBrowser.progress.all) })}</Button>
            )}
          </>
        )}
      </div>
      {keep.isError && <ErrorCard title={t("files.keepFailed")} error={keep.error} />}
      {check.isError && <ErrorCard title={t("files.verifyFailed")} error={check.error} />}
      {inBrowser.problem !== null && <Note tone="err">{inBrowser.problem}</Note>}
      <ol className={css.checks} aria-label={t("files.checks")}>
        {(checks.data ?? []).map((one) => (
          <Check key={one.id} check={one} />
        ))}
      </ol>
    </div>
  );
}

function FileCard({ title, file, workspace }: { title: string; file: StoredFile; workspace: string }) {
  const { t } = useTranslation("files");
  const format = useFormatter();
  const [shown, setShown] = useState(false);
  return (
    <Card padded className={css.fileCard}>
      <b>{title}</b>
      <span className={css.fileName}>
        <a href={contentUrl(workspace, file.id)} download>
          {file.name}
        </a>
        <IconButton size="sm" label={t("show", { name: file.name })} icon={<Eye size={15} />} aria-haspopup="dialog" onClick={() => setShown(true)} />
      </span>
      {shown && (
        <Suspense fallback={null}>
          <PreviewDialog file={file} onClose={() => setShown(false)} />
        </Suspense>
      )}
      <small className={css.digest}>
        {format.bytes(file.size)} · SHA-256 {file.sha256.slice(0, 12)}… <CopyButton text={file.sha256} label="SHA-256" />
      </small>
    </Card>
  );
}

/** What came of a comparison, and which files are not as they should be. */
function Check({ check }: { check: BatchCheck }) {
  const { t } = useTranslation("batches");
  const format = useFormatter();
  const bad = check.missing_count + check.changed_count + check.extra_count;
  const lists = [
    ["missing", check.missing, check.missing_count],
    ["changed", check.changed, check.changed_count],
    ["extra", check.extra, check.extra_count],
  ] as const;
  const right = check.checked - check.missing_count - check.changed_count;
  return (
    <li className={check.well ? css.checkWell : css.checkBad} data-testid="check">
      <p>
        {check.well ? <CircleCheck size={17} aria-hidden /> : <TriangleAlert size={17} aria-hidden />}
        <b>{check.problem || t(check.well ? "files.allMatch" : "files.someDiffer", { right: format.number(right), all: format.number(check.checked), count: bad })}</b>
      </p>
      <small>
        {t(`files.by.${check.place}`, { by: check.by ?? "" })} <Time at={check.at} />
        {check.place === "server" && !check.problem && ` · ${t(check.signed ? "files.signed" : "files.unsigned")}`}
      </small>
      {lists.map(
        ([sort, files, count]) =>
          count > 0 && (
            <p key={sort} className={css.wrongFiles}>
              <b>{t(`files.${sort}`, { count, number: format.number(count) })}</b> {files.map((one) => (one.seq === null ? one.name : `${one.name} (${t("files.entry", { seq: one.seq, key: one.key ?? "" })})`)).join(", ")}
              {count > files.length && " …"}
            </p>
          ),
      )}
    </li>
  );
}

/** The comparison in this browser: fetches the manifest and every file, and works out the digests here. */
function useBrowserCheck(batch: Batch, onDone: () => void) {
  const { t } = useTranslation("batches");
  const workspace = useWorkspace().id;
  const [progress, setProgress] = useState<{ done: number; all: number } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const stopper = useRef<AbortController | null>(null);
  useEffect(() => () => stopper.current?.abort(), []);
  const run = async (signal: AbortSignal) => {
    if (batch.manifest === null) return;
    const answer = await fetch(contentUrl(workspace, batch.manifest.id), { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const manifest = await readManifest(new Uint8Array(await answer.arrayBuffer()));
    if (manifest.sha256 !== manifest.said) {
      setProblem(t("files.manifestChanged"));
      return;
    }
    const all = manifest.entries.reduce((sum, one) => sum + one.files.length, 0);
    setProgress({ done: 0, all });
    const found = await verify(manifest, fetcher(workspace, batch, signal), (done) => setProgress({ done, all }), signal);
    await noteBrowserCheck(workspace, batch.run_id, batch.node, { ...found, missing: found.missing.slice(0, 1_000), changed: found.changed.slice(0, 1_000) });
    onDone();
  };
  const start = () => {
    setProblem(null);
    // Only a page that came safely may work out digests.
    if (!("subtle" in crypto)) {
      setProblem(t("files.notHere"));
      return;
    }
    setProgress({ done: 0, all: 0 });
    const controller = new AbortController();
    stopper.current = controller;
    run(controller.signal)
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setProblem(t("files.browserFailed", { why: error instanceof Error ? error.message : "" }));
      })
      .finally(() => setProgress(null));
  };
  return { start, stop: () => stopper.current?.abort(), progress, problem };
}
