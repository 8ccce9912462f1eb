// The rater's page: replies into categories, and blind pairs. Quick by keyboard; nothing tells who wrote what.

import { announce, byID, call, draw, enter, json, make } from "/office.js";

const LABELS = [
  ["good", "Good", "Makes sense, fits, is friendly"],
  ["inappropriate", "Inappropriate", "Rude, unsafe or offensive"],
  ["off_topic", "Off topic", "Has nothing to do with the talk"],
  ["nonsensical", "Nonsensical", "Makes no sense, or is plainly wrong"],
  ["ignoring_last_turn", "Ignores the last turn", "Fits the subject, passes over what was just said"],
  ["repeating", "Repeats", "Says again what was said before"],
  ["other", "Other fault", "Bad in a way not listed here"],
];
const QUESTIONS = {
  talk_longer: "With which of the two would you rather talk on?",
  better_reply: "Which last reply is better?",
};
const CHOICES = [["left", "A", "←"], ["neither", "No difference", "N"], ["right", "B", "→"]];
const NAMES = Object.fromEntries(LABELS.map(([code, name]) => [code, name]).concat(CHOICES.map(([code, name]) => [code, name])));

const desk = byID("desk");
const state = { task: "category", view: null, last: null, busy: false, verdict: null };
/** What was remarked of an item and not sent yet: a session that ends in the middle shows the item anew. */
const drafts = new Map();
let rater = null;
const draftOf = (task, item) => `${task} ${item}`;

const lineOf = (line, isAsked = false) => make("li", { class: `turn ${line.sender === "bot" ? "bot" : "human"}` },
  make("span", { class: "visually-hidden" }, line.sender === "bot" ? "The bot said:" : "The person said:"),
  make("div", { class: "bubble" + (isAsked ? " asked" : "") }, line.text));

function heading(text, under) {
  return make("div", {}, make("h2", { id: "asked", tabindex: "-1" }, text), under && make("p", { class: "soft" }, under));
}

function alarm(text, again) {
  byID("rateError")?.remove();
  if (text) desk.prepend(make("p", { class: "alert", role: "alert", id: "rateError" }, text,
    again && make("button", { type: "button", class: "link", onclick: again }, "Try again")));
}

/** How far one is, as a line and in words. */
function meter(done, all, words) {
  const width = all > 0 ? (100 * done) / all : 100;
  return make("p", { class: "meter" },
    draw("svg", { viewBox: "0 0 100 4", preserveAspectRatio: "none", class: "progress", "aria-hidden": "true" },
      draw("rect", { x: 0, y: 0, width: 100, height: 4, class: "track" }), draw("rect", { x: 0, y: 0, width, height: 4, class: "t0" })),
    make("span", {}, words));
}

function progress(view) {
  return view.state === "onboarding"
    ? meter(view.onboarding.answered, view.onboarding.asked, `Introduction, ${view.onboarding.answered + 1} of ${view.onboarding.asked}`)
    : meter(view.rated, view.rated + view.left, `${view.rated} done, ${view.left} left for you`);
}

function introduction(view) {
  if (view.state !== "onboarding" || view.onboarding.answered > 0) return null;
  return make("p", { class: "note" }, state.task === "category"
    ? "Welcome. First a few replies whose answer is known, each with an explanation. Read the talk, look at the marked reply, and take the first answer that fits. One may go wrong."
    : "Welcome. First a few pairs whose answer is known, each with an explanation. Look only at how the bot talks, not at the person. One may go wrong.");
}

function answerButton(code, key, name, hint) {
  return make("button", { type: "button", class: "answer", "data-answer": code, "aria-keyshortcuts": key, onclick: () => answer(code) },
    make("kbd", { "aria-hidden": "true" }, key), make("span", {}, make("b", {}, name), hint && make("small", {}, hint)));
}

function commentField() {
  const draft = draftOf(state.task, state.view.item.item);
  return make("label", { class: "field" }, make("span", {}, "Anything to add? ", make("small", { class: "soft" }, "optional")),
    make("textarea", { id: "comment", rows: 1, maxlength: 1000, oninput: (event) => drafts.set(draft, event.target.value) },
      drafts.get(draft) ?? state.view.comment));
}

function below() {
  return make("div", { class: "row" },
    state.view.state === "passed" && make("button", { type: "button", class: "quiet", id: "skip", "aria-keyshortcuts": "s", onclick: skip }, make("kbd", { "aria-hidden": "true" }, "S"), "Skip"),
    state.last && make("button", { type: "button", class: "quiet", id: "back", "aria-keyshortcuts": "b", onclick: back }, make("kbd", { "aria-hidden": "true" }, "B"), "Back to the last one"));
}

function show() {
  const { view } = state;
  for (const link of byID("tabs").children) {
    if ((link.hash === "#pairs") === (state.task === "pair")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const parts = [];
  if (view.state === "failed") {
    parts.push(heading("Thank you for trying", "Too many answers of the introduction differed from ours, so you cannot go on with this task. The operator can let you begin anew."));
  } else if (!view.item) {
    parts.push(heading("Nothing left to rate", "You have seen everything that waits. Come back later; new conversations come in as people talk."), progress(view));
  } else if (state.task === "category") {
    const { context, reply } = view.item;
    parts.push(introduction(view), progress(view), heading("What about the marked reply?", "The first answer that fits."),
      make("ol", { class: "talk", id: "item" }, context.map((line) => lineOf(line)), lineOf({ sender: "bot", text: reply }, true)),
      make("div", { class: "keys", role: "group", "aria-labelledby": "asked" }, LABELS.map(([code, name, hint], place) => answerButton(code, String(place + 1), name, hint))),
      commentField(), below());
  } else {
    const { question, left, right } = view.item;
    const isReply = question === "better_reply";
    const side = (title, lines) => make("section", { class: "card", "aria-label": title }, make("h3", {}, title),
      make("ol", { class: "talk" }, lines.map((line, place) => lineOf(line, isReply && place === lines.length - 1))));
    parts.push(introduction(view), progress(view), heading(QUESTIONS[question], "Judge the bot, not the person it talks to."),
      make("div", { class: "sides", id: "item" }, side("A", left), side("B", right)),
      make("div", { class: "choices3", role: "group", "aria-labelledby": "asked" }, CHOICES.map(([code, name, key]) => answerButton(code, key, name))),
      commentField(), below());
  }
  desk.replaceChildren(...parts.filter(Boolean));
  const head = byID("asked");
  head.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}

async function next() {
  const { task } = state;
  const view = await json("GET", `/api/rate/next?task=${task}`);
  // Somebody went to the other task meanwhile.
  if (task !== state.task) return;
  state.view = view;
  state.verdict = null;
  show();
}

async function load() {
  state.task = location.hash === "#pairs" ? "pair" : "category";
  state.last = null;
  try { await next(); } catch (error) {
    state.view = null;
    desk.replaceChildren();
    alarm(error.message, load);
  }
}

function lock(isBusy) {
  state.busy = isBusy;
  for (const button of desk.querySelectorAll("button")) button.disabled = isBusy;
}

async function answer(code) {
  const { view } = state;
  if (state.busy || state.verdict || !view?.item) return;
  lock(true);
  alarm(null);
  const comment = byID("comment")?.value.trim();
  const word = state.task === "category" ? { label: code } : { choice: code };
  try {
    const draft = draftOf(state.task, view.item.item);
    const outcome = await json("POST", "/api/rate/answers", { task: state.task, item: view.item.item, comment: comment || null, ...word });
    drafts.delete(draft);
    if (outcome.right != null) {
      lock(false);
      return explain(code, outcome);
    }
    // With what was remarked, so that it is there when one comes back.
    if (view.task === state.task) state.last = { ...view, comment };
    await next();
    announce("Noted. Next one.");
  } catch (error) {
    if (error.code === "stale_item") await next().catch(() => {});
    alarm(error.message);
  }
  lock(false);
}

/** After a known answer of the introduction: what would have been right, and why. */
function explain(code, outcome) {
  state.verdict = outcome;
  const expected = outcome.expected.map((one) => NAMES[one]).join(" or ");
  const text = outcome.right ? "Right." : `We had said: ${expected}. You said: ${NAMES[code]}.`;
  const go = make("button", { type: "button", class: "primary", id: "go", onclick: proceed }, "Go on");
  const box = make("section", { class: "card verdict" + (outcome.right ? "" : " wrong"), "aria-label": "The known answer" },
    make("h3", {}, text), make("p", {}, outcome.why), make("div", { class: "row" }, go));
  for (const button of desk.querySelectorAll(".answer")) button.disabled = true;
  desk.querySelector(".keys, .choices3").before(box);
  announce(`${text} ${outcome.why}`);
  go.focus();
  box.scrollIntoView({ block: "nearest" });
}

async function proceed() {
  try { await next(); } catch (error) { alarm(error.message); }
}

async function skip() {
  if (state.busy || state.view?.state !== "passed" || !state.view.item) return;
  lock(true);
  try {
    await call("POST", "/api/rate/skip", { item: state.view.item.item });
    await next();
  } catch (error) { alarm(error.message); }
  lock(false);
}

/** Shows the last item once more; a new answer takes the place of the old one. */
function back() {
  if (!state.last || state.busy) return;
  state.view = state.last;
  state.last = null;
  show();
}

document.addEventListener("keydown", (event) => {
  // A key that is held down is one answer, and none to what comes next.
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (["TEXTAREA", "INPUT"].includes(event.target.tagName) || byID("desk").hidden || state.verdict) return;
  const key = event.key.toLowerCase();
  if (state.task === "category" && /^[1-7]$/.test(key)) answer(LABELS[key - 1][0]);
  else if (state.task === "pair" && key === "arrowleft") answer("left");
  else if (state.task === "pair" && key === "arrowright") answer("right");
  else if (state.task === "pair" && key === "n") answer("neither");
  else if (key === "s") skip();
  else if (key === "b") back();
  else return;
  event.preventDefault();
});
window.addEventListener("hashchange", load);

enter("rater", (who) => {
  // What one rater began to remark is not for whoever signs in next.
  if (who.name !== rater) drafts.clear();
  rater = who.name;
  load();
});
