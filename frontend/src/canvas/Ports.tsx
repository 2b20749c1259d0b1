import { Handle, Position } from "@xyflow/react";
import { Plus } from "lucide-react";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import { CARD, DEFAULT_IN, ERROR_HANDLE, type GraphNode, isAction, type StepPort, type StepSpec, UNDO_HANDLE } from "../graph";
import { nameRows, portOffsets, UNDO_PORT_TOP } from "../graph/ports";
import { cx } from "../ui";
import { useCanvas, useCanvasStore } from "./canvasStore";
import css from "./card.module.css";

interface PortsProps {
  node: GraphNode;
  spec: StepSpec | undefined;
  ports: readonly StepPort[];
  canBuild: boolean;
  undoes: boolean;
  /** Of the card or frame whose ports these are. */
  width: number;
  height: number;
}

const AT_ERROR_PORT = { top: CARD.height / 2 };
/** How far below the card its "+" stands. */
const FREE_WAY = 20;
const NAME_ROW = 28;
const AT_UNDO_PORT = { top: UNDO_PORT_TOP };

/** Where links begin and end at a card. */
export function Ports({ node, spec, ports, canBuild, undoes, width, height }: PortsProps) {
  const { t } = useTranslation("canvas");
  const offsets = portOffsets(ports.length, width);
  const hasErrorPort = !undoes && (spec?.has_error_port ?? false);
  const undoUsed = useCanvas((state) => state.undoneBy.has(node.id));
  const errorUsed = useCanvas((state) => state.connected.has(`${node.id}:${ERROR_HANDLE}`));
  return (
    <>
      {!spec?.trigger && (
        <Handle
          id={DEFAULT_IN}
          type="target"
          position={undoes ? Position.Left : Position.Top}
          className={cx(css.port, undoes && css.undoPort)}
          style={undoes ? AT_UNDO_PORT : undefined}
          isConnectable={canBuild}
        />
      )}
      {ports.map((port, at) => (
        <Handle
          key={port.id}
          id={port.id}
          type="source"
          position={Position.Bottom}
          className={css.port}
          style={{ left: width / 2 + (offsets[at] ?? 0) - 1 }}
          isConnectable={canBuild}
        />
      ))}
      {hasErrorPort && (
        <Handle
          id={ERROR_HANDLE}
          type="source"
          position={Position.Left}
          className={cx(css.port, css.errorPort, errorUsed && css.used, canBuild && css.offered)}
          style={AT_ERROR_PORT}
          isConnectable={canBuild && !errorUsed}
          title={canBuild ? t("failurePort") : undefined}
        />
      )}
      {isAction(spec) && !undoes && (
        <Handle
          id={UNDO_HANDLE}
          type="source"
          position={Position.Right}
          className={cx(css.port, css.undoPort, css.undoOut, undoUsed && css.used, canBuild && css.offered)}
          style={AT_UNDO_PORT}
          isConnectable={canBuild && !undoUsed}
          title={canBuild && !undoUsed ? t("undoPort") : undefined}
        />
      )}
      {canBuild && <FreeWays node={node} ports={ports} offsets={offsets} width={width} height={height} />}
    </>
  );
}

/** A "+" below each way out that leads nowhere yet; with its name where there are several. */
function FreeWays({ node, ports, offsets, width, height }: { node: GraphNode; ports: readonly StepPort[]; offsets: readonly number[]; width: number; height: number }) {
  const { t } = useTranslation("canvas");
  const store = useCanvasStore();
  const detail = useCanvas((state) => state.detail);
  const open = useCanvas((state) => ports.map((port) => (state.connected.has(`${node.id}:${port.id}`) ? "" : port.id)).join("|"));
  const few = useCanvas((state) => state.nodes.size <= 2);
  if (detail !== "full" || open.replaceAll("|", "") === "") return null;
  const free = new Set(open.split("|"));
  const named = ports.length > 1;
  const always = named || few;
  const waiting = ports.map((port, at) => ({ id: port.id, name: port.label || port.id, offset: offsets[at] ?? 0 })).filter((port) => free.has(port.id));
  const inRow = nameRows(waiting.map((port) => port.name), waiting.map((port) => port.offset));
  const rows = new Map(waiting.map((port, at) => [port.id, inRow[at] ?? 0]));
  return ports.map((port, at) =>
    free.has(port.id) ? (
      <button
        key={port.id}
        type="button"
        tabIndex={-1}
        className={cx("nodrag nopan", css.freeWay, named && css.named, always && css.always)}
        style={belowPort(width / 2 + (offsets[at] ?? 0) - 1, height + FREE_WAY, rows.get(port.id) ?? 0)}
        aria-label={named ? t("addOn", { port: port.label || port.id, name: node.name }) : t("addAfter", { name: node.name })}
        onClick={(event) => {
          event.stopPropagation();
          const box = event.currentTarget.getBoundingClientRect();
          store.getState().build?.addFrom(node.id, port.id, { clientX: box.left + box.width / 2, clientY: box.bottom });
        }}
      >
        {named && <span title={port.label}>{port.label || port.id}</span>}
        <Plus size={14} aria-hidden />
      </button>
    ) : null,
  );
}

/** Where the "+" of a way out stands. The lines to lower rows pass behind the names of upper ones. */
function belowPort(left: number, top: number, row: number): CSSProperties {
  return { left, top: top + row * NAME_ROW, zIndex: -row, ["--lower" as string]: `${row * NAME_ROW}px` };
}
