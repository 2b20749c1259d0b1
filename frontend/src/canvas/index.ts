export type { BuildActions, CanvasMode, CardLine, ClientPoint } from "./canvasStore";
export { FlowCanvas, type FlowCanvasProps } from "./FlowCanvas";
export type { CanvasHandle } from "./useCanvasHandle";
export type { Insets } from "./viewport";
export { ZoomBar, type ZoomBarProps } from "./ZoomBar";
