// What made a reply, opened under it.
import { alarm, make, webLink } from "./dom.js";
import { json } from "./server.js";

const LAYERS = {
  classifier: "Classifier", string_matcher: "Word list", sensitive_topic: "Sensitive topics", privacy: "Personal details",
  duo_safety: "Classifier", topic_matcher: "Sensitive topics", self_harm_matcher: "Words about hurting oneself",
};

export async function toggleInside(reply, button) {
  const item = button.closest(".turn");
  const open = item.querySelector(".inside");
  if (open) {
    open.remove();
    button.setAttribute("aria-expanded", "false");
    button.removeAttribute("aria-controls");
    return;
  }
  try {
    const inside = await json("GET", `/api/messages/${reply.id}/inside`);
    if (item.querySelector(".inside")) return;
    const id = `inside-${reply.id}`;
    item.append(make("section", { class: "inside", id, "aria-label": "What made this reply" }, ...parts(inside)));
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", id);
    item.querySelector(".inside").scrollIntoView({ block: "nearest" });
    alarm(null);
  } catch (error) { alarm(error.message); }
}

const row = (name, ...value) => value.some((part) => part != null && part !== "")
  ? [make("dt", {}, name), make("dd", {}, ...value)] : [];
const rounded = (number, digits = 2) => number == null ? null : String(Number(number.toFixed(digits)));

function parts(inside) {
  const sections = [model(inside), searched(inside.search), remembered(inside.memory), safety(inside), modules(inside.modules)];
  return sections.filter(Boolean);
}

function block(title, ...children) {
  const filled = children.flat().filter(Boolean);
  if (!filled.length) return null;
  return make("div", { class: "block" }, make("h3", {}, title), ...filled);
}

const list = (...rows) => rows.flat().length ? make("dl", {}, ...rows.flat()) : null;

function model({ model, sampling, failure }) {
  const { temperature, top_p, seed, mean_log_probability } = sampling ?? {};
  const drawn = [
    temperature != null && `temperature ${rounded(temperature)}`, top_p != null && `top-p ${rounded(top_p)}`, seed != null && `seed ${seed}`,
  ].filter(Boolean).join(", ");
  return block("Model", list(
    row("Version", model ?? "None: these are fixed words"), row("Drawn with", drawn),
    row("How sure it was", mean_log_probability == null ? null : `${rounded(Math.exp(mean_log_probability) * 100, 1)} % a word piece`),
    row("Why fixed words", failure)));
}

function searched(search) {
  if (!search) return null;
  const documents = search.documents.map((document) => make("li", {},
    webLink(document.url, document.title || document.url || "Untitled"),
    document.content ? make("p", { class: "passage" }, document.content) : null));
  return block("Search", list(
    row("Decision", search.decision), row("Asked for", search.query), row("Where", search.provider),
    row("Stands on", search.knowledge), row("Not done", search.failure)),
  documents.length ? make("ol", { class: "citations" }, ...documents) : null);
}

function remembered(memory) {
  if (!memory) return null;
  return block("Memory", list(
    row("Decision", memory.decision), row("Stands on", memory.used),
    row("Looked at", memory.known ? `${memory.known} of what Loam remembers` : null)));
}

function safety({ safety, safety_of_question: question }) {
  const verdicts = (title, all) => all.map((verdict) => row(
    `${title}: ${LAYERS[verdict.layer] ?? verdict.layer}`,
    [verdict.unsafe ? "unsafe" : "fine", verdict.category, verdict.score == null ? null : rounded(verdict.score, 3)].filter(Boolean).join(", ")));
  return block("Safety", list(...verdicts("What you said", question), ...verdicts("This reply", safety)));
}

function modules(modules) {
  return block("Steps", modules.length ? make("ol", { class: "steps" }, ...modules.map((step) => make("li", {},
    make("b", {}, step.module), step.model ? ` by ${step.model}` : "", step.output ? `: ${step.output}` : "",
    step.failure ? ` (${step.failure})` : ""))) : null);
}
