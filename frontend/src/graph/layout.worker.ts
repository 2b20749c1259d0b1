import { layout, type LayoutRequest } from "./layout";

interface Job {
  id: number;
  request: LayoutRequest;
}

self.addEventListener("message", (event: MessageEvent<Job>) => {
  const { id, request } = event.data;
  try {
    self.postMessage({ id, positions: layout(request) });
  } catch (error) {
    self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
