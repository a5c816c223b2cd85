/** One experiment: its head, what can be done with it, its curves, its record; kept up to date by the live stream. */
import * as api from "../api.js";
import { Charts } from "../charts/charts.js";
import { chartWords } from "../charts/words.js";
import { element, fill } from "../elements.js";
import { language, words } from "../language/words.js";
import { me } from "../login/session.js";
import { NoteForms } from "../tools/note-forms.js";
import { StepTool } from "../tools/step-tool.js";
import { TextTools } from "../tools/text-tools.js";
import { ActionBar } from "./action-bar.js";
import { Headline } from "./headline.js";
import { sectionsOf } from "./record-sections.js";
import { Tabs } from "./tabs.js";
import { verification } from "./verification.js";

/** What of the record is wanted while a run goes on, below its curves. */
const liveSections = ["warnings", "indicators", "samples", "evaluations", "corrections", "files", "log", "gaps"];

export class ExperimentView {
  root = element("article");
  #id;
  #waiting = element("p", { class: "none" }, words().notYetHere);
  #headline = new Headline();
  #actions = new ActionBar();
  #charts;
  #text = new TextTools();
  #step;
  #notes;
  #tabs;
  #contents = element("details", { class: "contents card" });
  /** The parts that show sections of the record. */
  #sections;
  /** @type {api.Overview | undefined} */
  #overview;
  /** @type {api.Detail | undefined} */
  #detail;

  /** @param {string} id */
  constructor(id) {
    this.#id = id;
    this.#charts = new Charts({
      id,
      words: chartWords[language()],
      onStep: (microStep) => this.#explain(microStep),
      onLoss: () => this.#showParts(), // the record of a long run takes longer than its first curve
    });
    this.#step = new StepTool(id);
    this.#notes = new NoteForms(id);
    this.#sections = { live: sectionsOf(id, liveSections), record: sectionsOf(id) };
    const { tabs } = words();
    const verify = verification(id);
    const panels = {
      live: element("div", {}, this.#charts.root, this.#sections.live.root),
      record: element(
        "div",
        {},
        recordLinks(id, verify.button),
        verify.found,
        this.#contents,
        this.#sections.record.root,
      ),
      text: this.#text.root,
      step: element("div", {}, this.#step.root),
      notes: this.#notes.root,
    };
    this.#tabs = new Tabs(
      Object.entries(panels).map(([name, panel]) => ({
        name,
        panel,
        title: tabs[/** @type {keyof typeof tabs} */ (name)],
      })),
      () => void this.#refreshSections(),
    );
    this.root.append(this.#waiting);
    void this.#introduce();
    this.#tabs.show(location.hash.slice(1));
  }

  /** What its reader may do is said once; where nobody must say who he is, it is everything. */
  async #introduce() {
    const { name, mayAct = true } = (await me(this.#id).catch(() => undefined)) ?? {};
    this.#actions.allow(mayAct);
    if (name !== undefined) this.#notes.sign(name);
  }

  get isRunning() {
    return this.#overview !== undefined && !this.#overview.isFinal;
  }

  /** Whether anything of it has arrived. */
  get isThere() {
    return this.#overview !== undefined;
  }

  /** Everything anew. Of one that was just started nothing may have arrived: then there is nothing to be shown yet. */
  async refresh() {
    const curves = await Promise.allSettled([this.#charts.refresh()]);
    const facts = await Promise.allSettled([this.refreshFacts()]);
    const done = [...curves, ...facts];
    const faults = done.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    if (faults.length > 0 && !faults.some((fault) => fault instanceof api.NotThere)) throw faults[0];
  }

  async refreshFacts() {
    const { overview, detail } = await api.experiment(this.#id);
    this.#detail = detail;
    this.#text.show(detail);
    this.#notes.show(detail);
    this.showOverview(overview);
    this.#mark();
    await this.#refreshSections();
  }

  /** @param {api.Overview} overview */
  showOverview(overview) {
    this.#overview = overview;
    this.#headline.show(overview, this.#detail);
    this.#actions.show(overview, this.#detail);
    this.#showParts();
  }

  #showParts() {
    if (this.#waiting.isConnected) this.root.replaceChildren(this.#headline.root, this.#actions.root, this.#tabs.root);
  }

  /** @param {import("../live.js").NewSteps} steps */
  append(steps) {
    this.#charts.append(steps);
  }

  /** With the colours of now. */
  redraw() {
    this.#charts.redraw();
  }

  /** @param {number} at from 0 */
  showPart(at) {
    this.#tabs.showAt(at);
  }

  /** Only of the part that is shown: an id is there once. */
  async #refreshSections() {
    const shown = this.#tabs.shown;
    for (const [name, sections] of Object.entries(this.#sections)) if (name !== shown) sections.clear();
    if (this.#detail === undefined || (shown !== "live" && shown !== "record")) return;
    await this.#sections[shown].refresh();
    if (shown === "record")
      fill(this.#contents, [element("summary", {}, words().contents), this.#sections.record.contents()]);
  }

  /** @param {number} microStep */
  #explain(microStep) {
    this.#tabs.show("step");
    this.#step.choose(microStep);
  }

  #mark() {
    const { stepsPerEpoch = 0, lossTarget, warnings = [], checkpoints = [] } = this.#detail ?? {};
    const epochs = this.#overview?.epochs ?? 0;
    const epochEnds =
      stepsPerEpoch > 0
        ? Array.from({ length: Math.max(0, epochs - 1) }, (_, index) => (index + 1) * stepsPerEpoch)
        : [];
    this.#charts.mark({
      epochEnds,
      warnings,
      checkpoints: checkpoints.map(({ microStep }) => microStep),
      ...(lossTarget !== undefined && { target: lossTarget }),
    });
  }
}

/** @param {string} id @param {HTMLElement} verify */
function recordLinks(id, verify) {
  const folder = `/experiments/${encodeURIComponent(id)}`;
  const suffix = language() === "zh" ? ".zh" : "";
  const said = words();
  const links = element("nav", { class: "record-links", "aria-label": said.recordForms });
  fill(links, [
    element("a", { class: "button", href: `${folder}/report${suffix}.html` }, said.record),
    element("a", { href: `${folder}/report${suffix}.md` }, "Markdown"),
    element("a", { href: `${folder}/report.json` }, "JSON"),
    element("a", { href: `${folder}/recipe.yaml` }, said.recipe),
  ]);
  links.append(verify);
  return links;
}
