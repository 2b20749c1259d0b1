import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { CloudOff, ServerOff } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { isSignedIn, onSessionEnded } from "../api/client";
import { useSystemChecks, useWorking } from "../api/queries";
import { useCan, useSession, useWorkspace } from "../api/session";
import { languageIsChosen, LANGUAGES, setLanguage } from "../i18n";
import { LiveProvider } from "../live";
import { browserFormats, type Formats, FormatsProvider, themeIsChosen, useThemeChoice } from "../ui";
import { LiveAbsences } from "./LiveAbsences";
import { onceThere } from "./onceThere";
import { Rail } from "./Rail";
import { useRail } from "./railState";
import { SessionEnded } from "./SessionEnded";
import css from "./shell.module.css";
import { useShortcut } from "../ui/shortcuts";
import { useUploadStore } from "../uploads/store";
import { useArrivals } from "../uploads/useArrivals";

const loadPalette = () => import("./CommandPalette");
const CommandPalette = lazy(() => onceThere(loadPalette));
const UploadTray = lazy(() => onceThere(() => import("../uploads/UploadTray")));
const JobDrawer = lazy(() => onceThere(() => import("./JobDrawer")));
const Sending = lazy(() => onceThere(() => import("./Sending")));
const ShortcutSheet = lazy(() => onceThere(() => import("./ShortcutSheet")));

function watchNetwork(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

/** What else lies at the foot of the window stands above this. */
function useFoot() {
  const bars = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = bars.current;
    if (!place) return;
    const root = document.documentElement.style;
    const observer = new ResizeObserver(() => root.setProperty("--foot", `${place.offsetHeight}px`));
    observer.observe(place);
    return () => {
      observer.disconnect();
      root.removeProperty("--foot");
    };
  }, []);
  return bars;
}

/** What is away, at the foot of the screen: what somebody reads or points at stays where it is when it comes and goes. */
function Bars() {
  const { t } = useTranslation("shell");
  const foot = useFoot();
  const online = useSyncExternalStore(watchNetwork, () => navigator.onLine);
  // The editor keeps what is changed there; other screens need the server.
  const building = useRouterState({ select: (state) => /\/workflows\/[^/]+\/build$/.test(state.location.pathname) });
  const inInbox = useRouterState({ select: (state) => state.location.pathname === "/inbox" });
  const isAdmin = useCan("admin");
  const checks = useSystemChecks(isAdmin);
  const working = useWorking(!isAdmin);
  const workersAway = isAdmin ? (checks.data?.some((check) => check.id === "workers" && !check.ok) ?? false) : working.data?.workers === false;
  return (
    <div ref={foot} className={css.bars} role="status" data-testid="bars">
      {!online && (
        <div className={css.bar}>
          <CloudOff size={15} aria-hidden />
          {t(building ? "offlineEditor" : inInbox ? "offlineInbox" : "offline")}
        </div>
      )}
      {workersAway && (
        <div className={css.bar}>
          <ServerOff size={15} aria-hidden />
          <span>{t(isAdmin ? "health.noWorkers" : "health.nobodyWorks")}</span>
          {isAdmin && <Link to="/settings/system">{t("health.howTo")}</Link>}
        </div>
      )}
    </div>
  );
}

/** What is on its way here; loaded with the first that is. */
function Uploads() {
  useArrivals();
  const any = useUploadStore((state) => state.queue.length > 0);
  return any ? <UploadTray /> : null;
}

/** What is done to many runs, and what was decided without a network; looked for a little later, so that no page waits for it. */
function Jobs() {
  const [later, setLater] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLater(true), 1000);
    return () => clearTimeout(timer);
  }, []);
  return later ? (
    <>
      <JobDrawer />
      <Sending />
    </>
  ) : null;
}

/** The frame of every screen behind the sign-in: rail, content, bars, and the dialogs that can open anywhere. */
export function Shell() {
  const { t } = useTranslation("shell");
  const session = useSession();
  const workspace = useWorkspace();
  const [ended, setEnded] = useState(false);
  const wentOn = useRef(0);
  const [palette, setPalette] = useState(false);
  const [sheet, setSheet] = useState(false);
  const toggleRail = useRail((state) => state.toggle);
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => onSessionEnded(() => setEnded(true)), []);
  useEffect(() => {
    // Whoever presses Ctrl+K types on at once: the palette must be there.
    const timer = setTimeout(() => void loadPalette().catch(() => undefined), 1500);
    return () => clearTimeout(timer);
  }, []);
  useShortcut("ctrl+k", () => setPalette(true));
  useShortcut("[", toggleRail);
  useShortcut("?", () => setSheet(true));

  const formats = useMemo<Formats>(
    () => ({
      locale: browserFormats.locale.startsWith(workspace.language) ? browserFormats.locale : workspace.language,
      timeZone: workspace.time_zone,
      currency: workspace.currency,
    }),
    [workspace.language, workspace.time_zone, workspace.currency],
  );

  useEffect(() => {
    // What the person chose on this computer holds; else what the account says; else the workspace.
    const language = LANGUAGES.find((one) => one === (session?.user?.language || workspace.language));
    if (language && !languageIsChosen()) void setLanguage(language, false);
  }, [workspace.language, session?.user?.language]);
  const theme = session?.user?.theme;
  useEffect(() => {
    if (theme && theme !== "system" && !themeIsChosen()) useThemeChoice.getState().choose(theme);
  }, [theme]);

  const endSession = useCallback(() => {
    // The server closes the line of a session that has ended, also where this page goes on under another key. Closed
    // again at once, it is another matter, which signing in mends if anything does.
    const again = Date.now() - wentOn.current < 2_000;
    wentOn.current = Date.now();
    void isSignedIn().then((still) => {
      if (still && !again) window.dispatchEvent(new Event("millrace:signed-in"));
      else setEnded(true);
    });
  }, []);
  return (
    <FormatsProvider value={formats}>
      <LiveProvider workspace={workspace.id} onSessionEnded={endSession}>
        <LiveAbsences />
        <a className={css.skip} href="#content">
          {t("skip")}
        </a>
        <div className={css.shell}>
          <Rail onSearch={() => setPalette(true)} onHelp={() => setSheet(true)} />
          <main id="content" className={css.content} tabIndex={-1} data-path={path}>
            <Suspense fallback={null}>
              <Outlet />
            </Suspense>
            <Bars />
          </main>
        </div>
        {/* Each waits for itself alone: what hides another takes the focus from whoever is typing there. */}
        <Suspense fallback={null}>
          <Uploads />
        </Suspense>
        <Suspense fallback={null}>
          <Jobs />
        </Suspense>
        <Suspense fallback={null}>{palette && <CommandPalette onClose={() => setPalette(false)} />}</Suspense>
        <Suspense fallback={null}>{sheet && <ShortcutSheet onClose={() => setSheet(false)} />}</Suspense>
        <SessionEnded opened={ended} email={session?.user?.email ?? ""} onSignedIn={() => setEnded(false)} />
      </LiveProvider>
    </FormatsProvider>
  );
}
