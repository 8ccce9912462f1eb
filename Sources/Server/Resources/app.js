// The page. What a person or a model wrote only ever becomes text (textContent), never markup.
"use strict";

const REASONS = {
  off_topic: "Off topic or ignoring me",
  nonsensical: "Nonsense or incorrect",
  inappropriate: "Rude or inappropriate",
  spam: "Spam or advertising",
  repeating: "Repeats itself or me",
  other: "Something else",
};
const KEPT = {
  none: "Nothing of this is kept.",
  improve: "Kept to make Loam better.",
  release: "Kept, and may be shared with researchers.",
};

const byID = (id) => document.getElementById(id);
const page = {
  session: null,       // what the server says of itself and of us
  conversation: null,  // the one on the screen
  running: null,       // AbortController of the reply being written
};

// Small helpers

/** Makes an element; strings become text nodes. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#i-" + name);
  svg.append(use);
  return svg;
}

async function call(method, path, body, signal) {
  const options = { method, signal, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("Loam cannot be reached. Check your connection and try again.");
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new Error(answer?.error?.message ?? `The server answered ${response.status}.`);
  }
  return response;
}

const json = async (method, path, body) => (await call(method, path, body)).json();

function alarm(text) {
  byID("alert").hidden = !text;
  byID("alert").textContent = text ?? "";
}

function announce(text) {
  byID("announce").textContent = "";
  // Changed in a later turn of the loop, so that a screen reader hears equal texts twice.
  setTimeout(() => { byID("announce").textContent = text; }, 50);
}

const scrollDown = () => window.scrollTo({ top: document.documentElement.scrollHeight });

// What is on the screen

function show(view) {
  byID("welcome").hidden = view !== "welcome";
  for (const id of ["chat", "composer", "actions"]) byID(id).hidden = view !== "chat";
}

function showModel() {
  const { model } = page.session;
  byID("model").textContent = model.ready ? model.id : model.state === "failed" ? "The model could not be loaded" : "Loam is waking up…";
  byID("model").classList.toggle("waiting", !model.ready);
  byID("send").disabled = !model.ready && !page.running;
}

function showConversation() {
  const { messages, consent } = page.conversation;
  byID("hint").hidden = messages.length > 0;
  byID("kept").textContent = KEPT[consent] ?? "";
  byID("log").replaceChildren(...messages.map(turn));
  const last = messages.at(-1);
  if (last?.sender === "human" && !page.running) byID("log").lastElementChild.append(unanswered());
}

function turn(message) {
  const item = make("li", { class: `turn ${message.sender}${message.is_safety_reply ? " safety" : ""}`, "data-id": message.id });
  item.append(make("span", { class: "visually-hidden" }, message.sender === "human" ? "You said:" : "Loam said:"));
  if (message.is_safety_reply) item.append(make("span", { class: "tag" }, icon("shield"), "Safety reply"));
  item.append(make("div", { class: "bubble" }, message.text));
  if (message.sender === "bot") item.append(...votes(message));
  return item;
}

/** A bot turn while it is being written. */
function writingTurn() {
  const dots = make("span", { class: "dots" }, make("i"), make("i"), make("i"));
  const bubble = make("div", { class: "bubble" }, dots);
  const item = make("li", { class: "turn bot writing" }, make("span", { class: "visually-hidden" }, "Loam is writing"), bubble);
  return {
    item,
    text: "",
    add(piece) {
      this.text += piece;
      bubble.textContent = this.text;
    },
  };
}

function unanswered() {
  return make("div", { class: "unanswered" }, "No reply yet.",
    make("button", { type: "button", class: "link", onclick: () => talk(`/api/conversations/${page.conversation.id}/reply`, {}) }, "Try again"));
}

// Thumbs

function votes(message) {
  const feedback = message.feedback;
  const said = make("span", { class: "said", role: "status" });
  const bar = make("div", { class: "votes", role: "group", "aria-label": "Was this reply good?" });
  const thumb = (rating, name, label) => make("button", {
    type: "button", class: `thumb ${name}`, "aria-label": label, title: label,
    "aria-pressed": String(feedback?.rating === rating), onclick: () => vote(message, rating),
  }, icon(name));
  bar.append(thumb(1, "up", "Good reply"), thumb(-1, "down", "Bad reply"), said);
  const parts = [bar];
  if (feedback) {
    said.textContent = feedback.counted ? `Thank you. Counted for ${message.model ?? "this model"}.` : "Noted for this chat only; nothing is kept.";
    if (feedback.rating !== 1) bar.append(make("button", { type: "button", class: "link edit", onclick: () => openPanel(message) }, "Edit"));
    bar.append(make("button", { type: "button", class: "link takeback", onclick: () => takeBack(message) }, "Take back"));
    const reasons = feedback.reasons.map((reason) => REASONS[reason] ?? reason);
    const lines = [reasons.join(", "), feedback.comment, feedback.correction && `Better: ${feedback.correction}`].filter(Boolean);
    if (lines.length) parts.push(make("p", { class: "mine-said" }, lines.join("\n")));
  }
  return parts;
}

const itemOf = (message) => byID("log").querySelector(`[data-id="${CSS.escape(message.id)}"]`);

function refresh(message, focus) {
  const item = turn(message);
  itemOf(message)?.replaceWith(item);
  if (focus) item.querySelector(focus)?.focus();
  return item;
}

async function vote(message, rating) {
  const old = message.feedback;
  if (old?.rating === rating) return rating === 1 ? takeBack(message) : openPanel(message);
  try {
    const kept = rating === -1 ? { reasons: old?.reasons ?? [], comment: old?.comment, correction: old?.correction } : {};
    message.feedback = await json("PUT", `/api/messages/${message.id}/feedback`, { rating, ...kept });
    refresh(message, rating === 1 ? ".up" : ".down");
    announce(message.feedback.counted ? "Your vote was counted." : "Noted for this chat only.");
    if (rating === -1) openPanel(message);
  } catch (error) { alarm(error.message); }
}

async function takeBack(message) {
  try {
    await call("DELETE", `/api/messages/${message.id}/feedback`);
    message.feedback = null;
    refresh(message, ".up");
    announce("Your vote was taken back.");
  } catch (error) { alarm(error.message); }
}

function openPanel(message) {
  const item = refresh(message);
  const { reasons = [], comment = "", correction = "" } = message.feedback ?? {};
  const limit = page.session.limits.message_characters;
  const chip = (reason) => make("label", { class: "chip" },
    make("input", { type: "checkbox", name: "reason", value: reason, checked: reasons.includes(reason) }), REASONS[reason] ?? reason);
  const area = (name, label, value, hint) => {
    const box = make("textarea", { name, rows: 2, maxlength: limit, placeholder: hint });
    box.value = value ?? "";
    return make("label", {}, make("span", { class: "label" }, label), box);
  };
  const panel = make("form", { class: "panel", "aria-label": "What was wrong with this reply?" },
    make("fieldset", {}, make("legend", {}, "What was wrong?"), make("div", { class: "chips" }, ...page.session.reasons.map(chip))),
    area("correction", "What should it have said?", correction, "A better reply, in your words"),
    area("comment", "Anything else?", comment, "Optional"),
    make("div", { class: "row" }, make("button", { type: "submit", class: "primary" }, "Save"),
      make("button", { type: "button", class: "quiet", onclick: () => refresh(message, ".down") }, "Close")));
  panel.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(panel);
    try {
      message.feedback = await json("PUT", `/api/messages/${message.id}/feedback`, {
        rating: -1, reasons: data.getAll("reason"),
        comment: data.get("comment").trim() || null, correction: data.get("correction").trim() || null,
      });
      refresh(message, ".edit");
      announce("Saved. Thank you.");
      alarm(null);
    } catch (error) { alarm(error.message); }
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") refresh(message, ".down"); });
  item.querySelector(".mine-said")?.remove();
  item.append(panel);
  panel.querySelector("input")?.focus();
  panel.scrollIntoView({ block: "nearest" });
}

// Talking

/** The events of a server-sent event stream, one after the other. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const lines = held.slice(0, end).split("\n");
      held = held.slice(end + 2);
      const field = (name) => lines.filter((line) => line.startsWith(name + ": ")).map((line) => line.slice(name.length + 2)).join("\n");
      if (field("data")) yield { name: field("event"), data: JSON.parse(field("data")) };
    }
  }
}

async function talk(path, body, typed) {
  if (page.running) return;
  alarm(null);
  const stopper = page.running = new AbortController();
  busy(true);
  byID("log").querySelector(".unanswered")?.remove();
  const writing = writingTurn();
  let optimistic = null;
  if (typed) {
    optimistic = turn({ id: "", sender: "human", text: typed });
    byID("log").append(optimistic);
  }
  byID("hint").hidden = true;
  byID("log").append(writing.item);
  scrollDown();
  let failed = null;
  try {
    const response = await call("POST", path, body, stopper.signal);
    for await (const event of events(response)) {
      if (event.name === "message") {
        page.conversation.messages.push(event.data);
        optimistic?.replaceWith(turn(event.data));
        optimistic = null;
      } else if (event.name === "piece") {
        const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
        writing.add(event.data.text);
        if (atEnd) scrollDown();
      } else if (event.name === "reply") {
        page.conversation.messages.push(event.data);
        announce(`Loam said: ${event.data.text}`);
      } else if (event.name === "error") {
        failed = event.data.error.message;
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") failed = error.message;
  }
  const wasStored = !optimistic;
  page.running = null;
  busy(false);
  showConversation();
  scrollDown();
  if (failed) alarm(failed);
  // What could not be sent goes back into the box instead of being lost.
  if (typed && !wasStored) {
    byID("text").value = typed;
    grow();
  }
  byID("text").focus({ preventScroll: true });
}

function busy(isBusy) {
  byID("send").setAttribute("aria-label", isBusy ? "Stop" : "Send");
  byID("sendIcon").setAttribute("href", isBusy ? "#i-stop" : "#i-send");
  if (page.session) showModel();
}

function grow() {
  const box = byID("text");
  box.rows = 1;
  while (box.rows < 6 && box.scrollHeight > box.clientHeight) box.rows += 1;
}

function send() {
  if (page.running) return page.running.abort();
  const text = byID("text").value.trim();
  if (!text || byID("send").disabled) return;
  byID("text").value = "";
  grow();
  talk(`/api/conversations/${page.conversation.id}/messages`, { text }, text);
}

// Beginning and ending

async function begin(consent) {
  page.conversation = await json("POST", "/api/conversations", { consent });
  page.session.consent = consent;
  alarm(null);
  show("chat");
  showConversation();
  byID("text").focus();
}

async function load() {
  page.session = await json("GET", "/api/session");
  page.conversation = page.session.conversation;
  byID("text").maxLength = page.session.limits.message_characters;
  showModel();
  if (page.conversation) {
    show("chat");
    showConversation();
    scrollDown();
  } else {
    show("welcome");
  }
  if (!page.session.model.ready) setTimeout(poll, 1500);
}

async function poll() {
  try {
    const { model } = await json("GET", "/api/session");
    page.session.model = model;
    showModel();
    if (model.ready) return announce("Loam is ready.");
  } catch { /* the server is away for a moment; asked again below */ }
  setTimeout(poll, 3000);
}

byID("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
byID("text").addEventListener("input", grow);
byID("text").addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!page.running) send();
  }
});

byID("consentForm").addEventListener("submit", async (event) => {
  event.preventDefault();
  byID("begin").disabled = true;
  try { await begin(new FormData(event.target).get("consent")); } catch (error) {
    byID("consentError").textContent = error.message;
    byID("consentError").hidden = false;
  }
  byID("begin").disabled = false;
});

byID("again").addEventListener("click", async () => {
  page.running?.abort();
  try { await begin(page.conversation.consent); } catch (error) { alarm(error.message); }
});

byID("openData").addEventListener("click", () => {
  for (const choice of byID("consentChange").elements.changed) choice.checked = choice.value === page.conversation.consent;
  byID("consentDone").textContent = "";
  byID("deleteSure").hidden = true;
  byID("data").showModal();
});

byID("consentChange").addEventListener("change", async (event) => {
  try {
    await json("PUT", "/api/me/consent", { consent: event.target.value });
    await load();
    byID("consentDone").textContent = "Changed. " + KEPT[page.conversation?.consent ?? "none"];
  } catch (error) { byID("consentDone").textContent = error.message; }
});

byID("delete").addEventListener("click", () => {
  byID("deleteSure").hidden = false;
  byID("deleteNo").focus();
});
byID("deleteNo").addEventListener("click", () => {
  byID("deleteSure").hidden = true;
  byID("delete").focus();
});
byID("deleteYes").addEventListener("click", async () => {
  page.running?.abort();
  try {
    await call("DELETE", "/api/me");
    byID("data").close();
    alarm(null);
    await load();
    byID("welcomeTitle").focus();
    announce("Everything of yours was deleted.");
  } catch (error) { byID("consentDone").textContent = error.message; }
});

load().catch((error) => {
  byID("model").textContent = error.message;
  byID("model").classList.add("waiting");
});
