import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { sessionQuery, workspaceOf } from "../api/session";
import type { Group } from "../api/reconciliations";
import { type BatchTab, tabOf } from "../pages/batch/tabs";
import { groupOf } from "../pages/reconciliation/groups";
import { type InboxSearch, narrowed, whose } from "../pages/inbox/search";
import { EVERYTHING, type RunAddress, runSearch } from "../pages/runs/search";
import { alertsSearch } from "../pages/alerts/tabs";
import { monitorSearch } from "../pages/monitor/range";
import { runViewSearch } from "../pages/run/look";
import type { EventSearch } from "../pages/events/queries";
import { isDay, type View, VIEWS } from "../pages/schedules/days";
import { auditSearch } from "../pages/settings/auditSearch";
import { calendarSearch } from "../pages/settings/calendarSearch";
import { NotFound, RouteCrashed, RoutePending } from "./RouteStates";
import { screen } from "./screen";
import { Shell } from "./Shell";
import { toOneHome, toStartPage } from "./startPage";

interface RouterContext {
  queries: QueryClient;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

/** Only paths of this app: a link must not carry somebody to another site. */
function innerPath(value: unknown): string | undefined {
  const path = text(value);
  return path?.startsWith("/") && !path.startsWith("//") && !path.includes("\\") ? path : undefined;
}

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  validateSearch: (search: Record<string, unknown>): { token?: string } => {
    const token = text(search.token);
    return token ? { token } : {};
  },
  component: screen(() => import("../pages/setup"), "setup"),
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = innerPath(search.next);
    return next ? { next } : {};
  },
  component: screen(() => import("../pages/sign-in"), "setup"),
});

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invitation",
  validateSearch: (search: Record<string, unknown>): { token?: string } => {
    const token = text(search.token);
    return token ? { token } : {};
  },
  component: screen(() => import("../pages/invitation"), "setup"),
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queries.ensureQueryData(sessionQuery);
    if (session.setup_required) throw redirect({ to: "/setup" });
    if (!session.user) throw redirect({ to: "/sign-in", search: { next: location.href } });
    if (!workspaceOf(session, null)) throw redirect({ to: "/sign-in" });
  },
  component: Shell,
});

const homeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  beforeLoad: toStartPage,
  component: screen(() => import("../pages/home"), "workflows", "sent", "setup"),
});
/** Home of those who begin elsewhere. */
const ownHomeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/home",
  beforeLoad: toOneHome,
  component: screen(() => import("../pages/home"), "workflows", "sent", "setup"),
});

export interface WorkflowSearch {
  q?: string;
  status?: string;
  /** Opens the dialog that makes a workflow. */
  new?: boolean;
}

const workflowsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/workflows",
  validateSearch: (search: Record<string, unknown>): WorkflowSearch => {
    const q = text(search.q);
    const status = text(search.status);
    return { ...(q ? { q } : {}), ...(status ? { status } : {}), ...(search.new ? { new: true } : {}) };
  },
  component: screen(() => import("../pages/workflows"), "workflows", "setup"),
});

const workflowRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/workflows/$id",
  component: Outlet,
});

const workflowIndexRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/workflows/$id/build", params });
  },
});

const buildRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/build",
  validateSearch: (search: Record<string, unknown>): Record<string, unknown> => search,
  component: screen(() => import("../pages/editor"), "workflows", "editor", "canvas", "inspector", "fields"),
});

export interface RunSearch {
  q?: string;
  status?: string[];
  workflow?: string;
  mode?: string;
  since?: string;
  until?: string;
  sort?: string;
}

const workflowRunsRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/runs",
  validateSearch: (search: Record<string, unknown>): RunSearch & { where?: true } => ({
    ...runSearch(search),
    ...(search.where === true ? { where: true } : {}),
  }),
  component: screen(() => import("../pages/workflow/WorkflowRuns"), "runs", "views", "workflows", "deadLetters", "canvas"),
});

const versionsRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/versions",
  validateSearch: (search: Record<string, unknown>): { version?: number; step?: string } => {
    const version = Number(search.version);
    const step = text(search.step);
    return { ...(Number.isInteger(version) && version > 0 ? { version } : {}), ...(step ? { step } : {}) };
  },
  component: screen(() => import("../pages/workflow/Versions"), "workflows", "canvas"),
});

const startsRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/starts",
  component: screen(() => import("../pages/starts"), "starts", "workflows"),
});

const eventsRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/events",
  validateSearch: (search: Record<string, unknown>): EventSearch => {
    const [since, until, event] = [text(search.since), text(search.until), text(search.event)];
    return { ...(search.why ? { why: true as const } : {}), ...(since ? { since } : {}), ...(until ? { until } : {}), ...(event ? { event } : {}) };
  },
  component: screen(() => import("../pages/events"), "events", "workflows"),
});

const beginRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/run",
  component: screen(() => import("../pages/begin"), "intake", "inspector", "workflows", "files", "fields"),
});

const workflowSettingsRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/settings",
  component: screen(() => import("../pages/workflow/Settings"), "workflows"),
});

const workflowHistoryRoute = createRoute({
  getParentRoute: () => workflowRoute,
  path: "/history",
  component: screen(() => import("../pages/workflow/History"), "workflows", "audit"),
});

const runsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs",
  validateSearch: (search: Record<string, unknown>): RunAddress => ({ ...runSearch(search), ...(search.view === EVERYTHING ? { view: EVERYTHING } : {}) }),
  component: screen(() => import("../pages/runs"), "runs", "views", "deadLetters"),
});

const keyRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/keys/$key",
  component: screen(() => import("../pages/runs/KeyTimeline"), "runs"),
});

const runRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs/$runId",
  validateSearch: runViewSearch,
  component: screen(
    () => import("../pages/run"),
    "runs", "workflows", "canvas", "lookback", "retention", "items", "control", "preview", "trail", "inspector", "reconciliation", "events",
  ),
});

const compareRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs/$runId/compare/$otherId",
  validateSearch: (search: Record<string, unknown>): { step?: string; show?: "b" } => {
    const step = text(search.step);
    return { ...(step ? { step } : {}), ...(search.show === "b" ? { show: "b" as const } : {}) };
  },
  component: screen(() => import("../pages/compare"), "lookback", "runs", "canvas", "preview"),
});

const batchRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/batches/$runId/$node",
  validateSearch: (search: Record<string, unknown>): { tab?: BatchTab } => {
    const tab = tabOf(search.tab);
    return tab ? { tab } : {};
  },
  component: screen(() => import("../pages/batch"), "batches", "runs", "items", "control", "deadLetters", "files"),
});

const reconciliationRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/reconciliations/$runId/$node",
  validateSearch: (search: Record<string, unknown>): { group?: Group } => {
    const group = groupOf(search.group);
    return group ? { group } : {};
  },
  component: screen(() => import("../pages/reconciliation"), "reconciliation", "runs", "batches", "lookback", "preview"),
});

const inboxRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/inbox",
  validateSearch: (search: Record<string, unknown>): InboxSearch => {
    const task = text(search.task);
    const run = text(search.run);
    const who = whose(search.who);
    return {
      ...(task ? { task } : {}),
      ...(who ? { who } : {}),
      ...(search.state === "closed" || search.state === "later" ? { state: search.state } : {}),
      ...(run ? { run } : {}),
      ...narrowed(search),
    };
  },
  component: screen(() => import("../pages/inbox"), "inbox", "sent", "people", "away", "runs", "inspector", "fields", "reviews", "preview"),
});

const reviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/reviews/$taskId",
  component: screen(() => import("../pages/review"), "reviews", "inbox", "preview"),
});

const deadLettersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/dead-letters",
  validateSearch: (search: Record<string, unknown>): { workflow?: string; sent?: string } => {
    const workflow = text(search.workflow);
    const sent = text(search.sent);
    return { ...(workflow ? { workflow } : {}), ...(sent ? { sent } : {}) };
  },
  component: screen(() => import("../pages/dead-letters"), "deadLetters", "sent", "people", "runs", "audit"),
});

const monitorRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/monitor",
  validateSearch: monitorSearch,
  component: screen(() => import("../pages/monitor"), "monitor"),
});

const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/monitor/alerts",
  validateSearch: alertsSearch,
  component: screen(() => import("../pages/alerts"), "alerts", "services", "audit"),
});

const schedulesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/schedules",
  validateSearch: (search: Record<string, unknown>): { view?: View; day?: string; schedule?: string } => {
    const view = VIEWS.find((one) => one === search.view);
    const schedule = text(search.schedule);
    return { ...(view ? { view } : {}), ...(isDay(search.day) ? { day: search.day } : {}), ...(schedule ? { schedule } : {}) };
  },
  component: screen(() => import("../pages/schedules"), "schedules", "audit"),
});

const filesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/files",
  validateSearch: (search: Record<string, unknown>): { q?: string } => {
    const q = text(search.q);
    return q ? { q } : {};
  },
  component: screen(() => import("../pages/files"), "files"),
});

const tablesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/tables",
  component: screen(() => import("../pages/tables"), "tables"),
});
const tableRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/tables/$tableId",
  // `import`: a file whose rows are to be taken in.
  validateSearch: (search: Record<string, unknown>): { import?: string } => {
    const file = text(search.import);
    return file ? { import: file } : {};
  },
  component: screen(() => import("../pages/tables/table"), "tables", "fields", "audit"),
});

const connectionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/connections",
  validateSearch: (search: Record<string, unknown>): { connection?: string; kind?: string; history?: string } => {
    const connection = text(search.connection);
    const kind = text(search.kind);
    const history = text(search.history);
    return { ...(connection ? { connection } : {}), ...(kind ? { kind } : {}), ...(history ? { history } : {}) };
  },
  component: screen(() => import("../pages/connections"), "connections"),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings",
  component: screen(() => import("../pages/settings"), "settings"),
});
const settingsIndexRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/profile" });
  },
});
const profileRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/profile",
  component: screen(() => import("../pages/settings/Profile"), "settings", "away"),
});
const workspaceRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/workspace",
  component: screen(() => import("../pages/settings/WorkspaceSettings"), "settings", "setup"),
});
const membersRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/members",
  component: screen(() => import("../pages/settings/Members"), "settings", "audit", "away", "access"),
});
const accessRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/members/$memberId",
  component: screen(() => import("../pages/settings/Access"), "settings", "access"),
});
const tokensRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/tokens",
  component: screen(() => import("../pages/settings/Tokens"), "settings", "connections", "audit"),
});
const expiryRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/expiry",
  component: screen(() => import("../pages/settings/Expiry"), "settings", "connections"),
});
const calendarsRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/calendars",
  validateSearch: calendarSearch,
  component: screen(() => import("../pages/settings/Calendars"), "settings", "calendars", "audit"),
});
const auditRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/audit",
  validateSearch: auditSearch,
  component: screen(() => import("../pages/settings/Audit"), "settings", "audit", "views"),
});
const dataRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/data",
  component: screen(() => import("../pages/settings/Data"), "settings", "retention"),
});
const systemRoute = createRoute({
  getParentRoute: () => settingsRoute,
  path: "/system",
  component: screen(() => import("../pages/settings/System"), "settings", "setup"),
});

const routeTree = rootRoute.addChildren([
  setupRoute,
  signInRoute,
  invitationRoute,
  shellRoute.addChildren([
    homeRoute, ownHomeRoute,
    workflowsRoute,
    workflowRoute.addChildren([
      workflowIndexRoute,
      buildRoute,
      workflowRunsRoute,
      versionsRoute,
      startsRoute,
      eventsRoute,
      beginRoute,
      workflowHistoryRoute,
      workflowSettingsRoute,
    ]),
    runsRoute,
    keyRoute,
    runRoute,
    compareRoute,
    batchRoute,
    reconciliationRoute,
    inboxRoute,
    reviewRoute,
    deadLettersRoute,
    monitorRoute,
    alertsRoute,
    schedulesRoute,
    filesRoute,
    tablesRoute,
    tableRoute,
    connectionsRoute,
    settingsRoute.addChildren([
      settingsIndexRoute,
      profileRoute,
      workspaceRoute,
      membersRoute, accessRoute,
      tokensRoute,
      expiryRoute, calendarsRoute,
      auditRoute,
      dataRoute,
      systemRoute,
    ]),
  ]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    context: { queries },
    defaultPreload: "intent",
    defaultPreloadDelay: 60,
    defaultPendingMs: 150,
    defaultPendingMinMs: 0,
    defaultPendingComponent: RoutePending,
    defaultErrorComponent: RouteCrashed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
