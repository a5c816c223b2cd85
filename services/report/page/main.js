/** The page: a list of experiments, a view beside it, and a stream that keeps both up to date. */
import * as api from "./api.js";
import { changeLanguage, changeLook, onChoice } from "./choices.js";
import { CompareView } from "./compare-view.js";
import { emptyState, failure, loadingState } from "./empty-state.js";
import { ExperimentView } from "./experiment/experiment-view.js";
import { openKeyHelp } from "./key-help.js";
import { onKeys } from "./keyboard.js";
import { language, words } from "./language/words.js";
import { ExperimentList } from "./list/experiment-list.js";
import { follow } from "./live.js";
import { followLinks, go } from "./navigation.js";
import { StartView } from "./start-view.js";
import { TopBar } from "./top-bar.js";

const main = place("experiment");
const topBar = new TopBar(place("top"));
const list = new ExperimentList();
/** @type {ExperimentView | CompareView | StartView | undefined} */
let view;
/** What is shown and in which language; asked for again, it stays. */
let shown = "";
/** @type {readonly api.Overview[] | undefined} */
let overviews;
/** @type {{ id: string | undefined, stop: () => void } | undefined} */
let followed;

/** @param {string} id */
function place(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}

/** What the address asks for; without an id the newest experiment, and a newer one as soon as it is there. */
function show() {
  const parameters = new URLSearchParams(location.search);
  const ids = (parameters.get("ids") ?? "").split(",").filter(Boolean);
  const id = /^\/experiments\/([^/]+)/.exec(location.pathname)?.[1];
  const newest = location.pathname === "/" ? overviews?.[0]?.id : undefined;
  const experiment = id === undefined ? newest : decodeURIComponent(id);
  const wanted = [language(), location.pathname, location.search, experiment].join(" ");
  if (wanted === shown) return;
  shown = wanted;
  if (location.pathname === "/start") view = new StartView(parameters.get("from") ?? undefined);
  else if (location.pathname === "/compare") view = new CompareView(ids);
  else view = experiment === undefined ? undefined : new ExperimentView(experiment);
  main.replaceChildren(view?.root ?? (overviews === undefined ? loadingState() : emptyState()));
  document.title = [experiment, "pretrain"].filter(Boolean).join(" · ");
  list.choose(experiment);
  list.tick(ids);
  const isNew = listen(experiment);
  if (!isNew) refreshView();
}

function refreshView() {
  if (view !== undefined && !(view instanceof StartView)) void attempt(view.refresh());
}

/**
 * One stream at a time; a new one begins with `refresh`.
 * @param {string | undefined} id
 * @returns {boolean} whether it is a new one
 */
function listen(id) {
  if (followed !== undefined && followed.id === id) return false;
  followed?.stop();
  followed = {
    id,
    stop: follow(id, {
      // The first thing that the stream says: what is asked for after it misses nothing that comes later.
      refresh: () => {
        void attempt(refreshList());
        refreshView();
      },
      facts: () => void (view instanceof ExperimentView && attempt(view.refreshFacts())),
      experiments: () => {
        void attempt(refreshList());
        if (view instanceof ExperimentView && !view.isThere) void attempt(view.refresh());
      },
      overview: (overview) => {
        list.update(overview);
        if (view instanceof ExperimentView) view.showOverview(overview);
      },
      steps: (steps) => void (view instanceof ExperimentView && view.append(steps)),
      refused: () => void attempt(refreshList()), // too many streams, or nobody is known any more: the list says which
      connection: (isConnected) => {
        topBar.connected(isConnected);
      },
    }),
  };
  return true;
}

async function refreshList() {
  const isFirst = overviews === undefined;
  overviews = await api.experiments();
  list.show(overviews);
  document.body.classList.toggle("no-experiments", overviews.length === 0);
  if (isFirst && view === undefined) shown = ""; // "loading" gives way, if only to the word that there is none
  show();
}

/** What the service refuses is shown in place of the view; a lost connection is the stream's to report. @param {Promise<void>} work */
async function attempt(work) {
  const asked = view;
  try {
    await work;
  } catch (error) {
    if (error instanceof TypeError || asked !== view) return; // nobody answers, or something else is shown by now
    main.replaceChildren(failure(error instanceof Error ? error.message : String(error)));
    shown = "";
  }
}

/** Numbers of a run that goes on move with every step, and no event says so. */
const movingMs = 15_000;

setInterval(() => {
  if (view instanceof ExperimentView && view.isRunning) void attempt(view.refreshFacts());
  if (list.hasRunning) void attempt(refreshList());
}, movingMs);

addEventListener("logged-out", () => topBar.loggedOut());

onChoice(() => {
  speak();
  show(); // another language is another view
  if (view !== undefined && !(view instanceof StartView)) view.redraw();
});
onKeys(
  {
    "?": openKeyHelp,
    "/": () => list.focusFilter(),
    c: () => list.toggleChosen(),
    n: () => go("/start"),
    l: changeLanguage,
    d: changeLook,
  },
  (at) => view instanceof ExperimentView && view.showPart(at),
);
followLinks(() => {
  const before = shown;
  show();
  if (before === shown) return; // a place within the view
  main.focus({ preventScroll: true });
  scrollTo({ top: 0 });
});

function speak() {
  place("skip").textContent = words().skip;
  place("experiments").setAttribute("aria-label", words().experiments);
  list.speak();
}

place("experiments").append(list.root);
speak();
show();
