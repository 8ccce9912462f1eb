// The operator's page: one view for each part of the address after `#`.

import {
  ago, announce, ask, barList, byID, call, count, draw, enter, icon, json, make, moment, numbersTable, percent, plain,
  reasonField, table, timeChart, timeColumns,
} from "/office.js";

const desk = byID("desk");
const PERIODS = [["7", "the last week"], ["30", "the last month"], ["90", "the last quarter"], ["365", "the last year"], ["0", "all time"]];
const REASONS = {
  off_topic: "Off topic or ignoring", nonsensical: "Nonsensical or wrong", inappropriate: "Rude or inappropriate", spam: "Spam or ads",
  repeating: "Repeating", other: "Another reason",
};
const LABELS = {
  any: "The category as a whole", good: "Good", inappropriate: "Inappropriate", off_topic: "Off topic", nonsensical: "Nonsensical",
  ignoring_last_turn: "Ignores the last turn", repeating: "Repeats", other: "Other fault", pair: "Choices between two",
};
const TONES = ["t1", "t2", "t3", "t4", "t0"];

const word = (code) => REASONS[code] ?? plain(code);
const labelWord = (code) => LABELS[code] ?? plain(code);

/** The head of a view: a title that takes the focus, and a sentence. */
function headline(title, text, ...controls) {
  return make("div", { class: "headline" }, make("div", {}, make("h2", { id: "viewTitle", tabindex: "-1" }, title), text && make("p", {}, text)), controls);
}

function card(title, ...children) {
  return make("section", { class: "card", "aria-label": title }, make("h3", {}, title), children);
}

const empty = (text) => make("p", { class: "empty" }, text);
const chip = (text, tone = "") => make("span", { class: `chip plain ${tone}` }, text);

function choose(id, label, options, value, change) {
  const select = make("select", { id, onchange: () => change(select.value) }, options.map(([code, text]) => make("option", { value: code, selected: code === value }, text)));
  return make("label", { class: "field", for: id }, make("span", {}, label), select);
}

// Overview

async function overview(parameters) {
  const days = parameters.get("days") ?? "30";
  const figures = await json("GET", `/api/admin/figures?days=${encodeURIComponent(days)}`);
  const tile = (number, text) => make("div", { class: "tile" }, make("b", {}, number), make("span", {}, text));
  const thumbs = figures.likes + figures.dislikes;
  const unsafe = figures.safety.reduce((sum, kind) => sum + kind.count, 0);
  const view = [
    headline("Overview", "What people said, what they thought of it, and what the safety layers saw.",
      choose("period", "Period", PERIODS, days, (value) => { location.hash = `#overview?days=${value}`; })),
    make("div", { class: "tiles" }, tile(count(figures.conversations), "conversations"), tile(count(figures.people), "people"),
      tile(count(figures.replies), "replies"), tile(count(figures.likes), "thumbs up"), tile(count(figures.dislikes), "thumbs down"),
      tile(percent(figures.likes / thumbs, 0), "of thumbs are up"), tile(count(figures.corrections), "corrections"),
      tile(count(unsafe), "safety events")),
  ];
  if (!figures.conversations) return view.concat(empty("Nothing happened in this time. A longer period may show more."));
  view.push(make("div", { class: "grid" }, thumbsCard(figures), reasonsCard(figures), safetyOverTime(figures), safetyKinds(figures), modelsSeen(figures)));
  return view;
}

function thumbsCard(figures) {
  const columns = timeColumns(figures.days, ["likes", "dislikes", "replies"]);
  const series = [{ name: "likes", title: "up", tone: "t0" }, { name: "dislikes", title: "down", tone: "t1", isDown: true }];
  const rate = (part, column) => percent(part / column.values.replies);
  const box = card("Thumbs over time",
    timeChart(columns, series, { label: `Thumbs over time: ${count(figures.likes)} up and ${count(figures.dislikes)} down on ${count(figures.replies)} replies.` }),
    figures.undated > 0 && make("p", { class: "soft" }, `${count(figures.undated)} thumbs have no date and are in no column.`),
    numbersTable(["When", "Replies", "Up", "Down", "Up per reply", "Down per reply"],
      columns.map((column) => [column.label, count(column.values.replies), count(column.values.likes), count(column.values.dislikes), rate(column.values.likes, column), rate(column.values.dislikes, column)])));
  box.classList.add("span");
  return box;
}

function reasonsCard(figures) {
  const rows = Object.entries(figures.reasons).sort((a, b) => b[1] - a[1]).map(([code, value]) => ({ name: word(code), value, text: `${count(value)} · ${percent(value / figures.dislikes, 0)}` }));
  return card("Why thumbs went down", rows.length ? barList(rows, { label: "Reasons of thumbs down", tone: "t1" }) : empty("Nobody gave a reason."));
}

function safetyOverTime(figures) {
  const layers = [...new Set(figures.safety.map((kind) => kind.layer))].sort();
  if (!layers.length) return card("Safety events over time", empty("No layer found anything unsafe."));
  const columns = timeColumns(figures.days, layers.map((layer) => `unsafe.${layer}`));
  const series = layers.map((layer, place) => ({ name: `unsafe.${layer}`, title: plain(layer), tone: TONES[place % TONES.length] }));
  return card("Safety events over time",
    timeChart(columns, series, { label: `Safety events over time by layer: ${layers.map(plain).join(", ")}.` }),
    numbersTable(["When", ...layers.map(plain)], columns.map((column) => [column.label, ...layers.map((layer) => count(column.values[`unsafe.${layer}`]))])));
}

function safetyKinds(figures) {
  const rows = figures.safety.slice(0, 14).map((kind) => ({ name: `${plain(kind.layer)}${kind.category ? ", " + plain(kind.category) : ""} (${kind.sender === "bot" ? "reply" : "person"})`, value: kind.count }));
  return card("Safety events by layer and category", rows.length ? barList(rows, { label: "Safety events by layer, category and sender", tone: "t2" }) : empty("None."));
}

function modelsSeen(figures) {
  const box = card("Models in this time", table(["Model", "Replies", "Up", "Down", "Up per reply", "Down per reply", "Canned replies"],
    figures.models.map((model) => [make("code", {}, model.model), count(model.replies), count(model.likes), count(model.dislikes), percent(model.likes / model.replies), percent(model.dislikes / model.replies), count(model.canned)]), { label: "Models" }));
  box.classList.add("span");
  return box;
}

// Conversations

async function conversations(parameters) {
  const query = new URLSearchParams([...parameters].filter(([, value]) => value));
  const page = await json("GET", "/api/admin/conversations?" + query);
  const list = make("ol", { class: "list", id: "list" }, page.conversations.map(entry));
  const status = make("p", { class: "soft", role: "status" });
  const none = empty("");
  let looked = page.looked;
  let after = page.next;
  const tell = () => {
    status.textContent = `${count(list.children.length)} shown, ${count(looked)} looked at.`;
    none.textContent = after ? "None of those looked at is like that; further back there may be some." : "No conversation is like that.";
    none.hidden = list.children.length > 0;
    list.hidden = !none.hidden;
  };
  tell();
  const more = make("button", { type: "button", class: "button", id: "more", hidden: !after, onclick: async () => {
    more.disabled = true;
    try {
      const further = await json("GET", "/api/admin/conversations?" + new URLSearchParams([...query, ["after", after]]));
      list.append(...further.conversations.map(entry));
      looked += further.looked;
      after = further.next;
      tell();
      more.hidden = !after;
    } catch (error) { alarm(error.message); }
    more.disabled = false;
  } }, "Further back");
  const form = make("form", { class: "card", id: "filters", role: "search" },
    make("div", { class: "filters" },
      make("label", { class: "field search", for: "text" }, make("span", {}, "Words"), make("input", { type: "search", id: "text", name: "text", value: parameters.get("text") ?? "", maxlength: 200, placeholder: "In the text without names and numbers" })),
      make("label", { class: "field", for: "model" }, make("span", {}, "Model"), make("input", { type: "text", id: "model", name: "model", value: parameters.get("model") ?? "", autocomplete: "off" })),
      make("label", { class: "field", for: "days" }, make("span", {}, "Touched in"), make("select", { id: "days", name: "days" },
        [["", "all time"], ...PERIODS.slice(0, 4)].map(([code, text]) => make("option", { value: code, selected: code === (parameters.get("days") ?? "") }, text))))),
    make("div", { class: "checks" },
      make("label", { class: "check" }, make("input", { type: "checkbox", name: "disliked", value: "true", checked: parameters.get("disliked") === "true" }), "With a thumb down"),
      make("label", { class: "check" }, make("input", { type: "checkbox", name: "unsafe", value: "true", checked: parameters.get("unsafe") === "true" }), "With a safety event"),
      make("button", { type: "submit", class: "primary" }, "Show")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const hash = "#conversations" + (wanted.size ? "?" + wanted : "");
    if (location.hash === hash) show(); else location.hash = hash;
  });
  return [headline("Conversations", "The latest first. Names, numbers and addresses are replaced; to see what was really said, open one and say why."),
    form, none, list, make("div", { class: "row" }, more, status)];
}

function entry(one) {
  return make("li", {}, make("a", { class: "entry", href: "#conversation/" + encodeURIComponent(one.id) },
    make("span", { class: "preview" }, one.preview || "(nothing was said)"),
    make("span", { class: "meta" }, make("span", {}, ago(one.touched_at)), make("span", {}, `${one.messages} messages`),
      one.likes > 0 && chip(`${one.likes} up`, "good"), one.dislikes > 0 && chip(`${one.dislikes} down`, "bad"),
      one.unsafe > 0 && chip(`${one.unsafe} unsafe`, "bad"), one.models.map((model) => chip(model)))));
}

async function conversation(id) {
  const found = await json("GET", "/api/admin/conversations/" + encodeURIComponent(id));
  const place = make("div", { class: "desk" });
  const paint = (one) => {
    const labels = Map.groupBy ? Map.groupBy(one.labels, (label) => label.message) : groups(one.labels);
    place.replaceChildren(
      one.raw ? make("p", { class: "note warn", id: "rawNote" }, "This is what was really said. That you looked, and why, is in the audit log.")
        : make("p", { class: "note" }, "Names, numbers and addresses are replaced by others."),
      make("ol", { class: "talk", id: "talk" }, one.messages.map((message) => messageItem(message, labels.get(message.id) ?? []))));
  };
  const raw = make("button", { type: "button", class: "button", id: "raw", onclick: async () => {
    const shown = await ask({
      title: "Show what was really said?", text: "It may name people. The look is written down with your name and the reason before the text is shown.",
      fields: [reasonField], confirm: "Show it",
      send: ({ reason }) => json("POST", `/api/admin/conversations/${encodeURIComponent(id)}/raw`, { reason }),
    });
    if (!shown) return;
    paint(shown);
    raw.hidden = true;
    announce("The conversation is shown as it was said.");
  } }, icon("shield"), "Show as it was said");
  paint(found);
  return [headline("A conversation", null, make("div", { class: "row" }, raw, make("a", { class: "button", href: "#conversations", onclick: (event) => { if (history.length > 1) { event.preventDefault(); history.back(); } } }, "Back"))),
    make("div", { class: "chips tight" }, chip(found.id), chip(`person ${found.person}`), chip(`allows: ${found.consent}`), found.started_at && chip(moment(found.started_at)), found.source && chip(`from ${found.source}`)),
    place];
}

function groups(labels) {
  const map = new Map();
  for (const label of labels) map.set(label.message, [...(map.get(label.message) ?? []), label]);
  return map;
}

function messageItem(message, labels) {
  const unsafe = message.safety.filter((decision) => decision.isUnsafe ?? decision.is_unsafe);
  return make("li", { class: `turn ${message.sender}${message.is_safety_reply ? " safety" : ""}` },
    make("span", { class: "visually-hidden" }, message.sender === "bot" ? "The bot said:" : "The person said:"),
    message.is_safety_reply && make("span", { class: "tag" }, icon("shield"), "Safety reply"),
    make("div", { class: "bubble" }, message.text),
    make("div", { class: "about" },
      make("div", { class: "chips tight" }, message.sent_at && chip(moment(message.sent_at)), message.model && chip(message.model),
        unsafe.map((decision) => chip(`unsafe: ${plain(decision.layer)}${decision.category ? ", " + plain(decision.category) : ""}`, "bad")),
        labels.map((label) => chip(`rater ${label.rater}: ${labelWord(label.label)}`, label.label === "good" ? "good" : ""))),
      message.feedback.map((thumb) => make("p", {}, thumbText(thumb))),
      message.inside.length > 0 && make("details", {}, make("summary", {}, "Look inside"), message.inside.map((line) => make("p", {}, line)))));
}

function thumbText(thumb) {
  const parts = [thumb.rating === 1 ? "Thumb up" : thumb.rating === -1 ? "Thumb down" : "Remark"];
  if (thumb.reasons.length) parts.push(thumb.reasons.map(word).join(", "));
  let text = parts.join(": ") + ` (${thumb.user})`;
  if (thumb.comment) text += `\n“${thumb.comment}”`;
  if (thumb.correction) text += `\nBetter: ${thumb.correction}`;
  return text;
}

// Models

async function models() {
  const { shelf, seen } = await json("GET", "/api/admin/models");
  const view = [headline("Models", "Which model people talk to, where each came from, and the way back.")];
  if (!shelf) {
    view.push(make("p", { class: "note" }, "This server was started without a model registry, so nothing can be promoted here."));
  } else {
    const serving = shelf.models.find((model) => model.id === shelf.serving);
    view.push(make("section", { class: "card", "aria-label": "Serving" }, make("h3", {}, "Serving now"),
      make("p", { id: "serving" }, shelf.serving ? make("code", {}, shelf.serving) : "No model was promoted yet."),
      serving && make("p", { class: "soft" }, `${serving.method}, from ${serving.parent}, by ${count(serving.people)} people's votes`),
      shelf.trial && make("p", { class: "note" }, `${shelf.trial.model} is tried on ${percent(shelf.trial.share, 0)} of the people.`),
      shelf.history.length > 1 && make("div", { class: "row" }, make("button", { type: "button", class: "danger", id: "rollback", onclick: rollBack }, "Roll back"))));
    view.push(make("section", { class: "card", "aria-label": "Registry" }, make("h3", {}, "In the registry"), shelf.models.length
      ? table(["Model", "Made", "How", "From", "People", "Gate", ""], shelf.models.toReversed().map((model) => [
        make("code", {}, model.id), moment(model.made_at), model.method, make("code", {}, model.parent), count(model.people),
        model.passed_gate ? chip("passed", "good") : make("div", {}, chip("did not pass", "bad"), model.reasons.map((reason) => make("div", { class: "soft" }, reason))),
        model.id === shelf.serving ? chip("serves") : make("button", { type: "button", class: "button promote", "data-model": model.id, "aria-label": `Promote ${model.id}`, onclick: () => promote(model) }, "Promote"),
      ]), { label: "Models in the registry" }) : empty("No models yet; a round makes one.")));
    view.push(make("section", { class: "card", "aria-label": "History" }, make("h3", {}, "Who served when"), shelf.history.length
      ? table(["When", "Model", "Why"], shelf.history.toReversed().map((change) => [moment(change.at), make("code", {}, change.id), change.why]), { label: "History" }) : empty("Nothing was promoted yet.")));
  }
  view.push(make("section", { class: "card", "aria-label": "Seen" }, make("h3", {}, "Whose replies are in the store"), seen.length
    ? table(["Model", "First reply", "Last reply"], seen.map((one) => [make("code", {}, one.model), moment(one.first_at), moment(one.last_at)]), { label: "Models seen" }) : empty("None so far.")));
  return view;
}

async function promote(model) {
  await tell(await ask({
    title: `Promote ${model.id}?`,
    text: model.passed_gate ? "From then on people talk to this model." : "It did not pass the gate. From then on people talk to it all the same.",
    fields: [
      { name: "confirm", kind: "text", label: "Type the model's id", check: (text) => (text === model.id ? null : "That is not the model's id.") },
      reasonField,
    ], confirm: "Promote", isDanger: !model.passed_gate,
    send: async (said) => {
      await call("POST", `/api/admin/models/${encodeURIComponent(model.id)}/promote`, { ...said, even_if_gate_failed: !model.passed_gate });
      return `${model.id} serves now.`;
    },
  }));
}

async function rollBack() {
  await tell(await ask({
    title: "Roll back?", text: "People talk to the model that served before, from then on.", fields: [reasonField], confirm: "Roll back", isDanger: true,
    send: async (said) => `${(await json("POST", "/api/admin/rollback", said)).serving} serves again.`,
  }));
}

/** Shows the view anew and says what was done, where something was. */
async function tell(text) {
  if (!text) return;
  await show();
  announce(text);
  desk.prepend(make("p", { class: "note", id: "done" }, text));
}

// Rounds

let stream = null;

async function rounds() {
  const { can_run: canRun, runs } = await json("GET", "/api/admin/runs");
  const view = [headline("Rounds", "A round weighs the votes, trains, judges, and offers a model to the gate. It goes on when you leave this page.")];
  const isBusy = runs.some((run) => run.state === "running");
  view.push(canRun ? startForm(isBusy) : make("p", { class: "note" }, "This server cannot run the loop; `loam improve` does, on any machine that sees the store."));
  view.push(make("div", { class: "list", id: "runs" }, runs.length ? runs.map(runCard) : empty("No rounds so far.")));
  const running = runs.find((run) => run.state === "running");
  if (running) follow(running.name);
  return view;
}

function startForm(isBusy) {
  const today = new Date().toISOString().slice(0, 10);
  const number = (id, label, value, attributes) => make("label", { class: "field", for: id }, make("span", {}, label), make("input", { type: "number", id, name: id, value, ...attributes }));
  const form = make("form", { class: "card", id: "startForm", "aria-label": "Begin a round" }, make("h3", {}, "Begin a round"),
    make("div", { class: "form-grid" },
      make("label", { class: "field", for: "runName" }, make("span", {}, "Name"), make("input", { type: "text", id: "runName", name: "name", value: `round-${today}`, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,59}", required: true, autocomplete: "off" })),
      number("iterations", "Rounds of training", 3, { min: 1, max: 10, required: true }),
      make("label", { class: "field", for: "loss" }, make("span", {}, "Method"), make("select", { id: "loss", name: "loss" },
        [["", "masked CRINGE (usual)"], ["cringe", "CRINGE"], ["unlikelihood", "unlikelihood"], ["director", "DIRECTOR"], ["dpo", "DPO"], ["kto", "KTO"], ["sft", "good replies alone"]].map(([code, text]) => make("option", { value: code }, text)))),
      number("steps", "Steps per round", "", { min: 1, max: 100000, placeholder: "usual" }),
      number("seed", "Seed", 1, { min: 0, required: true })),
    make("div", { class: "row" }, make("button", { type: "submit", class: "primary", id: "start", disabled: isBusy }, "Begin"),
      make("span", { class: "soft" }, isBusy ? "One at a time: a round is going on." : "The same name goes on where a round was cut off.")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const button = form.querySelector("#start");
    if (button.disabled) return;
    // A second click would begin it a second time.
    button.disabled = true;
    alarm(null);
    try {
      await call("POST", "/api/admin/runs", {
        name: data.get("name"), iterations: Number(data.get("iterations")), loss: data.get("loss") || null,
        steps: data.get("steps") ? Number(data.get("steps")) : null, seed: Number(data.get("seed")),
      });
    } catch (error) {
      button.disabled = false;
      return alarm(error.message);
    }
    await tell(`${data.get("name")} has begun.`);
  });
  return form;
}

function stageText(stage) {
  const parts = [`${count(stage.came_in)} ${stage.unit} → ${count(stage.went_out)}`];
  const dropped = Object.entries(stage.dropped).sort((a, b) => b[1] - a[1]).map(([reason, number]) => `${reason} ${count(number)}`);
  if (dropped.length) parts.push(`left out: ${dropped.join(", ")}`);
  return parts.concat(stage.figures.map((figure) => `${figure.name} ${figure.value}`)).join(" · ");
}

function runCard(run) {
  const all = run.stage_count ?? Math.max(run.stages.length, 1);
  const done = run.stages.length;
  const states = { running: ["going on", ""], stopped: ["cut off", "bad"], finished: ["finished", "good"] };
  const [text, tone] = states[run.state];
  return make("section", { class: "card run", "data-run": run.name, "data-state": run.state, "aria-label": run.name },
    make("div", { class: "headline" }, make("h3", {}, run.name), make("div", { class: "chips tight" }, chip(text, tone), chip(ago(run.changed_at)))),
    run.state === "running" && make("div", { class: "meter" },
      draw("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", class: "progress", role: "progressbar", "aria-label": `Stages of ${run.name}`, "aria-valuemin": 0, "aria-valuemax": all, "aria-valuenow": done },
        draw("rect", { x: 0, y: 0, width: 100, height: 4, class: "track" }), draw("rect", { x: 0, y: 0, width: (100 * done) / all, height: 4, class: "t0" })),
      make("span", {}, `${done} of ${run.stage_count ?? "?"} stages`)),
    make("div", { class: "row" },
      run.has_report && make("a", { class: "button report", href: `/api/admin/runs/${encodeURIComponent(run.name)}/report`, target: "_blank", rel: "noopener" }, "Open the report"),
      run.state === "running" && make("button", { type: "button", class: "danger stop", onclick: () => stop(run.name) }, "Stop"),
      run.state === "finished" && make("a", { class: "button", href: "#models" }, "To the models")),
    done > 0 && make("details", { open: run.state === "running" }, make("summary", {}, `Stages (${done})`), make("ol", { class: "steps" },
      run.stages.map((stage) => make("li", {}, make("span", { class: "mark", "aria-hidden": "true" }, String(stage.number)), make("span", {}, make("b", {}, plain(stage.name)), " ", stageText(stage)))))),
    run.log.length > 0 && make("details", { open: run.state !== "finished" }, make("summary", {}, "What it says"), make("pre", { class: "log-lines code", tabindex: "0" }, run.log.join("\n"))));
}

/** Keeps a run's card up to date while it goes on. */
function follow(name) {
  stream?.close();
  stream = new EventSource(`/api/admin/runs/${encodeURIComponent(name)}/events`);
  const paint = (event) => {
    const run = JSON.parse(event.data);
    const old = [...document.querySelectorAll(".run")].find((element) => element.dataset.run === run.name);
    if (!old) return stream?.close();
    const open = [...old.querySelectorAll("details")].map((element) => element.open);
    const fresh = runCard(run);
    if (run.state === old.dataset.state) [...fresh.querySelectorAll("details")].forEach((element, place) => { if (place < open.length) element.open = open[place]; });
    const isFocused = old.contains(document.activeElement) ? [...old.querySelectorAll("button, a, summary, pre")].indexOf(document.activeElement) : -1;
    old.replaceWith(fresh);
    if (isFocused >= 0) fresh.querySelectorAll("button, a, summary, pre")[isFocused]?.focus();
    const log = fresh.querySelector("pre");
    if (log) log.scrollTop = log.scrollHeight;
  };
  stream.addEventListener("run", paint);
  stream.addEventListener("end", (event) => {
    stream?.close();
    stream = null;
    paint(event);
    const run = JSON.parse(event.data);
    announce(run.state === "finished" ? `${run.name} is finished.` : `${run.name} was cut off.`);
    const start = byID("start");
    if (start) start.disabled = false;
  });
}

async function stop(name) {
  await tell(await ask({
    title: `Stop ${name}?`, text: "What is done stays; the same name goes on from there.", confirm: "Stop it", isDanger: true,
    send: async () => {
      await call("POST", `/api/admin/runs/${encodeURIComponent(name)}/stop`, {});
      return `${name} ends with the step that it is at.`;
    },
  }));
}

// Trust

async function trust() {
  const found = await json("GET", "/api/admin/trust");
  const head = headline("Trust", "Whom the newest round believes, by how their votes fit with what others say.");
  if (!found.run) return [head, empty("No round has weighed votes yet.")];
  const columns = found.bins.map((number, place) => ({ label: `${(place / 20).toFixed(2)}–${((place + 1) / 20).toFixed(2)}`, values: { people: number } }));
  const flags = Object.entries(found.flagged).sort((a, b) => b[1] - a[1]).map(([name, value]) => ({ name: plain(name), value }));
  return [head, make("div", { class: "chips tight" }, chip(`${count(found.people)} people`), chip(`from ${found.run}`)),
    make("div", { class: "grid" },
      card("People by trust", timeChart(columns, [{ name: "people", title: "people", tone: "t0" }], { label: `${count(found.people)} people by trust, from 0 to 1.` }),
        numbersTable(["Trust", "People"], columns.map((column) => [column.label, count(column.values.people)]))),
      card("Flags", flags.length ? barList(flags, { label: "People by flag", tone: "t1" }) : empty("Nobody is flagged."))),
    make("section", { class: "card", "aria-label": "Least trusted" }, make("h3", {}, "Trusted least"),
      table(["Person", "Trust", "Votes", "Agreement", "Why"], found.least.map((person) => [make("code", {}, person.user), person.trust.toFixed(3), count(person.votes), person.agreement == null ? "–" : percent(person.agreement, 0),
        make("div", {}, make("div", { class: "chips tight" }, person.flags.map((flag) => chip(plain(flag), "bad"))), person.reasons.map((reason) => make("div", { class: "soft" }, reason)))]), { label: "People who are trusted least" }))];
}

// Raters

function alphaText(alpha) {
  if (alpha == null) return "not enough yet";
  return `${alpha.toFixed(2)} (${alpha >= 0.8 ? "reliable" : alpha >= 0.667 ? "fair" : "weak"})`;
}

async function raters() {
  const figures = await json("GET", "/api/admin/raters");
  const tile = (number, text) => make("div", { class: "tile" }, make("b", {}, number), make("span", {}, text));
  const agreementRow = (one) => [labelWord(one.label), alphaText(one.alpha), count(one.items), count(one.given)];
  const standing = (one) => (one.marked ? chip(`marked: ${one.later_right} of ${one.later_answered} known ones right`, "bad")
    : one.state === "failed" ? chip("introduction failed", "bad") : one.state === "passed" ? chip(`passed, ${one.later_right} of ${one.later_answered} known ones since`, "good")
      : chip(`introduction ${one.answered} of ${one.asked}`));
  return [headline("Raters", `Each item goes to ${figures.raters_per_item} raters. Only those who pass the introduction count, until they get too many known items wrong.`),
    make("div", { class: "tiles" }, tile(count(figures.replies.open), "replies wait"), tile(count(figures.replies.done), "replies done"), tile(count(figures.pairs.open), "pairs wait"), tile(count(figures.pairs.done), "pairs done")),
    make("section", { class: "card", "aria-label": "Raters" }, make("h3", {}, "Raters"), figures.raters.length
      ? table(["Rater", "Replies", "Pairs", "Replies: standing", "Pairs: standing", ""], figures.raters.map((rater) => [rater.name, count(rater.replies), count(rater.pairs), standing(rater.category), standing(rater.pair),
        [rater.category, rater.pair].some((one) => one.marked || one.state === "failed") ? make("button", { type: "button", class: "button forgive", onclick: () => forgive(rater.name) }, "Let begin anew") : ""]), { label: "Raters" })
      : empty("No raters. `loam accounts add NAME --role rater` makes one.")),
    make("div", { class: "grid" },
      make("section", { class: "card span", "aria-label": "Agreement" }, make("h3", {}, "Agreement"), make("p", { class: "soft" }, "Krippendorff’s alpha: 1 is perfect, 0 is what chance gives. Above 0.8 is reliable, below 0.67 says little."),
        table(["Label", "Alpha", "Items with two or more", "Given"], [...figures.agreement, figures.pair_agreement].map(agreementRow), { label: "Agreement by label" })),
      figures.wins.length > 0 && make("section", { class: "card span", "aria-label": "Models compared" }, make("h3", {}, "Models side by side"),
        table(["Model", "Against", "Chosen", "Not chosen", "No difference"], figures.wins.map((line) => [make("code", {}, line.model), make("code", {}, line.over), count(line.wins), count(line.losses), count(line.ties)]), { label: "Choices between models" }),
        make("p", { class: "soft" }, "loam compare --votes votes.jsonl says whether that is chance."))),
    make("div", { class: "row" }, make("a", { class: "button", href: "/api/admin/raters/anchors.csv", download: "anchors.csv" }, "Anchors for loam trust"),
      make("a", { class: "button", href: "/api/admin/raters/votes.jsonl", download: "votes.jsonl" }, "Votes for loam compare"))];
}

async function forgive(name) {
  await tell(await ask({
    title: `Let ${name} begin anew?`, text: "The introduction is asked again, and what was wrong is forgotten.", fields: [reasonField], confirm: "Let begin anew",
    send: async (said) => {
      await call("POST", `/api/admin/raters/${encodeURIComponent(name)}/forgive`, said);
      return `${name} may begin anew.`;
    },
  }));
}

// Audit log

async function audit() {
  const { accesses } = await json("GET", "/api/admin/accesses");
  return [headline("Audit log", "Who looked at what was really said, who changed what people talk to, and why. The latest two hundred; `loam store accesses` lists all."),
    make("section", { class: "card", "aria-label": "Audit log" }, accesses.length
      ? table(["When", "Who", "What", "Of", "Why"], accesses.map((one) => [moment(one.at), one.actor, plain(one.action), make("code", {}, one.subject), one.reason]), { label: "Audit log" })
      : empty("Nothing so far."))];
}

// Which view

const VIEWS = { overview, conversations, models, rounds, trust, raters, audit };
let turn = 0;

function alarm(text) {
  byID("deskError")?.remove();
  if (text) desk.prepend(make("p", { class: "alert", role: "alert", id: "deskError" }, text));
}

async function show(isNew = false) {
  const mine = ++turn;
  stream?.close();
  stream = null;
  const [path, search = ""] = location.hash.slice(1).split("?");
  const [name, ...rest] = path.split("/");
  const current = name === "conversation" ? "conversations" : VIEWS[name] ? name : "overview";
  for (const link of byID("tabs").children) {
    if (link.hash === "#" + current) {
      link.setAttribute("aria-current", "page");
      // On a small screen the row of tabs is wider than the screen.
      byID("tabs").scrollTo({ left: link.offsetLeft - byID("tabs").offsetLeft - 24 });
    } else link.removeAttribute("aria-current");
  }
  desk.setAttribute("aria-busy", "true");
  try {
    const parts = name === "conversation" ? await conversation(decodeURIComponent(rest.join("/"))) : await VIEWS[current](new URLSearchParams(search));
    // Somebody was faster and is elsewhere already.
    if (mine !== turn) return;
    desk.replaceChildren(...parts.filter(Boolean));
    const title = byID("viewTitle");
    document.title = `${title?.textContent ?? "Operator"} – Loam`;
    if (isNew) {
      title?.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    }
  } catch (error) {
    if (mine === turn) desk.replaceChildren(make("p", { class: "alert", role: "alert", id: "deskError" }, error.message,
      make("button", { type: "button", class: "link", onclick: () => show(true) }, "Try again")));
  }
  desk.removeAttribute("aria-busy");
}

window.addEventListener("hashchange", () => show(true));
enter("operator", () => show(true));
