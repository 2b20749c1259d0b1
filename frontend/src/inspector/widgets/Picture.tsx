import { useQueryClient } from "@tanstack/react-query";
import { Upload } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { newIdempotencyKey } from "../../api/client";
import { refreshFiles, uploadFile } from "../../api/files";
import { isJsonObject } from "../../graph";
import { Button, useErrorText } from "../../ui";
import { useEnvironment } from "../EditorContext";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";
import own from "./colour.module.css";
import FilePicker from "./FilePicker";

/** A picture among the workspace's files, kept by its id: chosen, or brought here. */
export default function Picture(props: WidgetProps) {
  const { t } = useTranslation("inspector");
  const { workspace } = useEnvironment();
  const client = useQueryClient();
  const words = useErrorText();
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  const [name, setName] = useState("");
  const id = textOf(props.value);
  const bring = async (file: File): Promise<void> => {
    setBusy(true);
    setFailed("");
    try {
      const made = await uploadFile(workspace, file, { idempotencyKey: newIdempotencyKey(), signal: new AbortController().signal, onProgress: () => undefined });
      await refreshFiles(client, workspace);
      setName(made.name);
      props.onChange(made.id);
    } catch (error) {
      setFailed(words(error).title);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={own.picture}>
      <FilePicker
        {...props}
        value={id ? { id, name: name || t("picture.chosen") } : undefined}
        onChange={(reference) => {
          if (!isJsonObject(reference)) return;
          setName(textOf(reference["name"]));
          props.onChange(reference["id"]);
        }}
      />
      {!props.readOnly && (
        <>
          <input
            ref={input}
            type="file"
            accept="image/png,image/jpeg"
            className="srOnly"
            tabIndex={-1}
            aria-label={t("picture.upload")}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = "";
              if (file) void bring(file);
            }}
          />
          <Button size="sm" busy={busy} icon={<Upload size={14} aria-hidden />} onClick={() => input.current?.click()}>
            {t("picture.upload")}
          </Button>
        </>
      )}
      {failed && (
        <p className={css.error} role="alert">
          {failed}
        </p>
      )}
    </div>
  );
}
