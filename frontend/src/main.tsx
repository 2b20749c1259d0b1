import "./app/styles";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { i18nReady } from "./i18n";

// The files of a page are kept by this list, so that it opens without a network.
performance.setResourceTimingBufferSize?.(1000);

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");
const root = createRoot(place);
void i18nReady.then(() =>
  root.render(
    <StrictMode>
      <App />
    </StrictMode>,
  ),
);
