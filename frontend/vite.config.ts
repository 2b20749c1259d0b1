/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const backend = process.env.MILLRACE_BACKEND ?? "http://127.0.0.1:8000";

/** Libraries that change seldom stand in chunks of their own, so that an update of Millrace leaves them in the browser's cache. */
const LIBRARIES = [
  { name: "react", test: /node_modules\/(react|react-dom|scheduler|use-sync-external-store)\//, priority: 30 },
  // What a dialog is made of: on every screen, and in parts that are loaded later as well.
  { name: "dialog-lib", test: /node_modules\/@mantine\/core\/esm\/components\/(Modal|ModalBase|CloseButton|FocusTrap|Overlay|Paper|Portal|Transition)\//, priority: 10 },
  { name: "canvas-lib", test: /node_modules\/(@xyflow|d3-[a-z]+|classcat)\//, priority: 20 },
  // Half a hundred files of 300 bytes each, one a journey, took longer than what they hold.
  { name: "icons", test: /node_modules\/lucide-react\//, minShareCount: 6, priority: 5 },
  { name: "shared", test: /src\/(ui|api)\//, minShareCount: 6, priority: 4 },
  { name: "shared-runs", test: /src\/(live|graph)\//, minShareCount: 6, priority: 4 },
  { name: "shared-lib", test: /node_modules\//, minShareCount: 6, priority: 3 },
  { name: "formula-lib", test: /node_modules\/(@codemirror|@lezer|@marijn|style-mod|w3c-keyname|crelt)\//, priority: 20 },
];

/** The pages that the server writes for people outside have the same font, and know it by this name. */
const FONT = "inter-latin-wght-normal.woff2";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: ["chrome120", "edge120", "firefox121", "safari17"],
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: LIBRARIES },
        assetFileNames: (asset) => `assets/${asset.names.includes(FONT) ? "[name]" : "[name]-[hash]"}[extname]`,
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: backend },
      "/hooks": { target: backend },
      "/ws": { target: backend, ws: true },
    },
  },
  test: {
    environment: "jsdom",
    // One jsdom a worker, and still a world of its own for each file.
    pool: "vmThreads",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/app/testSetup.ts"],
    restoreMocks: true,
  },
});
