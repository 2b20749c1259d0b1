import { Popover } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Tag, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { refreshTags, tagRun } from "../../api/runTags";
import { useCan, useWorkspace } from "../../api/session";
import type { Run } from "../../api/types";
import { useRunStore } from "../../live/runStore";
import { Button, IconButton, showToast, useErrorText } from "../../ui";
import { condition } from "../runs/query";
import { TagField } from "../runs/TagField";
import { changed, holds, MOST_TAGS, problemOf, type TagChange, tagOf } from "../runs/tags";
import css from "../runs/tags.module.css";

/**
 * The words on a run, as they stand once every change on its way is done. One change after another is sent; what
 * fails is taken back alone, and told with its word.
 */
function useRunTags(run: Run, onFailed: (change: TagChange, error: unknown) => void) {
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const store = useRunStore();
  const [known, setKnown] = useState<readonly string[]>(run.tags);
  const [coming, setComing] = useState<readonly TagChange[]>([]);
  const before = useRef<Promise<unknown>>(Promise.resolve());
  const count = useRef(0);
  const said = run.tags.join("\n");
  // What the server says anew holds, whoever has changed it.
  useEffect(() => setKnown(said === "" ? [] : said.split("\n")), [said, run.id]);
  const change = (tag: string, on: boolean): void => {
    count.current += 1;
    const made: TagChange = { id: count.current, tag, on };
    setComing((all) => [...all, made]);
    before.current = before.current.then(async () => {
      try {
        const tags = await tagRun(workspace, run.id, on ? [tag] : [], on ? [] : [tag]);
        setKnown(tags);
        // Wherever else the run is shown, and when this comes back.
        store.tagged(run.id, tags);
        refreshTags(client, workspace);
      } catch (error) {
        onFailed(made, error);
      } finally {
        setComing((all) => all.filter((one) => one.id !== made.id));
      }
    });
  };
  return { tags: changed(known, coming), change };
}

/** The words on a run: each leads to the runs that have it, too; they are put there and taken away at once. */
export function RunTags({ run }: { run: Run }) {
  const { t } = useTranslation(["runs", "common"]);
  const may = useCan("reviewer");
  const errorText = useErrorText();
  const [opened, setOpened] = useState(false);
  const [text, setText] = useState("");
  const { tags, change } = useRunTags(run, (failed, error) => {
    const words = errorText(error);
    // Where nothing else was typed meanwhile, the word is back in its field.
    if (failed.on) setText((typed) => (typed === "" ? failed.tag : typed));
    showToast({
      title: t(failed.on ? "tags.notAdded" : "tags.notRemoved", { tag: failed.tag }),
      text: [words.title, words.text].filter(Boolean).join(" "),
      tone: "err",
      action: { label: t("common:action.tryAgain"), run: () => again.current(failed.tag, failed.on) },
    });
  });
  const again = useRef(change);
  useEffect(() => {
    again.current = change;
  });
  const problem = problemOf(text);
  const full = tags.length >= MOST_TAGS;
  const add = (tag: string): void => {
    if (tagOf(tag) === "" || problemOf(tag) !== null || full) return;
    setText("");
    if (!holds(tags, tag)) change(tagOf(tag), true);
  };
  if (tags.length === 0 && !may) return null;
  return (
    <div className={css.head} data-empty={tags.length === 0 || undefined} data-testid="run-tags">
      <ul className={css.tags} aria-label={t("tags.ofRun")}>
        {tags.map((tag) => (
          <li key={tag} className={css.held}>
            <Link to="/runs" search={{ q: condition("tag", ":", tag) }} className={css.tag} title={t("tags.findAll", { tag })}>
              <Tag size={12} aria-hidden />
              <span>{tag}</span>
            </Link>
            {may && <IconButton size="sm" label={t("tags.takeAway", { tag })} icon={<X size={12} />} onClick={() => change(tag, false)} />}
          </li>
        ))}
        {may && (
          <li>
            <Popover opened={opened} onChange={setOpened} position="bottom-start" width={280} radius={12} trapFocus returnFocus shadow="none" withinPortal>
              <Popover.Target>
                <Button size="sm" variant="quiet" icon={<Plus size={13} aria-hidden />} aria-expanded={opened} onClick={() => setOpened(!opened)}>
                  {t("tags.addOne")}
                </Button>
              </Popover.Target>
              <Popover.Dropdown className={css.pop} aria-label={t("tags.addOne")}>
                {opened && (
                  <TagField
                    label={t("tags.add")}
                    value={text}
                    onChange={setText}
                    onPick={add}
                    without={tags}
                    error={full ? t("tags.problem.full", { most: MOST_TAGS }) : problem ? t(`tags.problem.${problem}`) : undefined}
                    hint={t("tags.enter")}
                    autoFocus
                  />
                )}
              </Popover.Dropdown>
            </Popover>
          </li>
        )}
      </ul>
    </div>
  );
}
