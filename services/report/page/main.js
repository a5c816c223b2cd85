/** The page: a list of experiments, one of them in full, and a stream that keeps both up to date. */
import * as api from "./api.js";
import { emptyState, failure } from "./empty-state.js";
import { ExperimentList } from "./experiment-list.js";
import { ExperimentView } from "./experiment-view.js";
import { follow } from "./live.js";
import { onThemeChange } from "./theme.js";

const connection = place("connection");
const main = place("experiment");
const list = new ExperimentList(place("experiments"));
/** @type {ExperimentView | undefined} */
let view;

/** @param {string} id */
function place(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}

/** The id in the address; without one the newest experiment is shown, and a newer one as soon as it is there. */
function idInAddress() {
  return /^\/experiments\/([^/]+)/.exec(location.pathname)?.[1];
}

/** @type {{ id: string | undefined, stop: () => void } | undefined} */
let followed;

/** @param {string | undefined} id */
function show(id) {
  if (followed !== undefined && followed.id === id) return;
  followed?.stop();
  view = id === undefined ? undefined : new ExperimentView(id);
  main.replaceChildren(view?.root ?? emptyState());
  document.title = id === undefined ? "pretrain" : `${id} · pretrain`;
  list.choose(id);
  followed = { id, stop: follow(id, handlers(view)) };
}

/**
 * @param {ExperimentView | undefined} shown
 * @returns {import("./live.js").LiveHandlers}
 */
function handlers(shown) {
  return {
    // The first thing that the stream says: what is asked for after it misses nothing that comes later.
    refresh: () => {
      void attempt(refreshList());
      if (shown !== undefined) void attempt(shown.refresh());
    },
    facts: () => void (shown && attempt(shown.refreshFacts())),
    experiments: () => void attempt(refreshList()),
    overview: (overview) => {
      list.update(overview);
      shown?.showOverview(overview);
    },
    steps: (steps) => shown?.append(steps),
    connection: (isConnected) => {
      connection.textContent = isConnected ? "live" : "reconnecting…";
      connection.className = `connection ${isConnected ? "on" : "off"}`;
    },
  };
}

async function refreshList() {
  const overviews = await api.experiments();
  list.show(overviews);
  if (idInAddress() === undefined) show(overviews[0]?.id);
}

/** What the service refuses is shown in place of the experiment; a lost connection is the stream's to report. @param {Promise<void>} work */
async function attempt(work) {
  try {
    await work;
  } catch (error) {
    if (error instanceof TypeError) return; // fetch: nobody answers
    main.replaceChildren(failure(error instanceof Error ? error.message : String(error)));
  }
}

/** Indicators of a run that goes on move with every step, and no event says so. */
const indicatorsMs = 15_000;

setInterval(() => void (view?.isRunning && attempt(view.refreshFacts())), indicatorsMs);
onThemeChange(() => view?.redraw());
show(idInAddress());
