// The conversation on the screen: what the page knows of it, and how it is shown.
import { alarm, announce, byID, make } from "./dom.js";
import { json } from "./server.js";
import { turn } from "./turn.js";

export const KEPT = {
  none: "Nothing of this is kept.",
  improve: "Kept to make Loam better.",
  release: "Kept, and may be shared with researchers.",
};

export const page = {
  session: null,       // what the server says of itself and of us
  conversation: null,  // the one on the screen
  running: null,       // AbortController of the reply being written
};

export const scrollDown = () => window.scrollTo({ top: document.documentElement.scrollHeight });
export const isAtEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;

/** Takes a conversation as the server knows it. */
export function adopt(conversation) {
  page.conversation = conversation;
  conversation.messages.forEach(adoptMessage);
  // Its place in the address lets a reload, and the way back, find it again; the cookie alone opens it.
  history.replaceState(null, "", "#" + conversation.id);
}

/** Among the replies side by side the kept one is the very same object, so that a vote shows wherever it is looked at. */
export function adoptMessage(message) {
  const place = message.siblings?.findIndex((reply) => reply.id === message.id) ?? -1;
  if (place >= 0) message.siblings[place] = message;
  return message;
}

/** Asks the server how the conversation stands; what it says counts, unless the person went elsewhere or spoke meanwhile. */
export async function resync() {
  const { conversation: { id }, running } = page;
  const conversation = await json("GET", `/api/conversations/${id}`);
  const isHere = page.conversation?.id === id && page.running === running;
  if (isHere) adopt(conversation);
  return isHere;
}

/** Tells why something was refused; where it is no longer so (another page of the same person was faster), shows what is. */
export async function refused(error) {
  alarm(error.message);
  if (error.status !== 409 || !await resync().catch(() => false)) return;
  showConversation();
  scrollDown();
  byID("text").focus({ preventScroll: true });
}

export const lastMessage = () => page.conversation.messages.at(-1);

export function show(view) {
  byID("welcome").hidden = view !== "welcome";
  for (const id of ["chat", "composer", "actions"]) byID(id).hidden = view !== "chat";
}

export function showModel() {
  const { model } = page.session;
  byID("model").textContent = model.ready ? model.id : model.state === "failed" ? "The model could not be loaded" : "Loam is waking up…";
  byID("model").classList.toggle("waiting", !model.ready);
  showComposer();
}

/** Whether something may be said now. */
export function showComposer() {
  const mustChoose = page.conversation != null && lastMessage()?.comparison?.outcome === "open";
  byID("send").disabled = !page.running && (!page.session?.model.ready || mustChoose);
  byID("text").placeholder = mustChoose ? "Choose a reply first" : "Say something";
}

export function showConversation() {
  const { messages, consent } = page.conversation;
  byID("hint").hidden = messages.length > 0;
  byID("kept").textContent = KEPT[consent] ?? "";
  byID("log").replaceChildren(...messages.map(turn));
  const last = messages.at(-1);
  if (last?.sender === "human" && !page.running) byID("log").lastElementChild.append(unanswered());
  showComposer();
}

export const itemOf = (message) => byID("log").querySelector(`[data-id="${CSS.escape(message.id)}"]`);

/** Shows a message anew, and gives the focus to a part of it. */
export function refresh(message, focus) {
  const item = turn(message);
  itemOf(message)?.replaceWith(item);
  if (focus) focusIn(item, focus);
  return item;
}

/** Where the wanted control is off, what stands beside it is next. */
function focusIn(item, wanted) {
  for (const selector of [wanted, ".stepper .tool", "button"]) {
    const control = item.querySelector(selector + ":not(:disabled)");
    if (control) return control.focus();
  }
}

/** A message took another's place at the end: another reply is kept now. */
export function replaceLast(message, focus) {
  const old = lastMessage();
  page.conversation.messages[page.conversation.messages.length - 1] = adoptMessage(message);
  const item = turn(message);
  itemOf(old)?.replaceWith(item);
  if (focus) focusIn(item, focus);
  showComposer();
}

// Set by talk.js and app.js, which themselves show what is here.
export const actions = { tryAgain: () => {}, regenerate: () => {} };
export const opening = { load: async () => {} };

function unanswered() {
  return make("div", { class: "unanswered" }, make("span", {}, "No reply yet."),
    make("button", { type: "button", class: "link again", onclick: () => actions.tryAgain() }, "Try again"));
}

/** Once the page waits for a model, it looks now and then whether it is there. */
export async function awaitModel() {
  try {
    const { model } = await json("GET", "/api/session");
    page.session.model = model;
    showModel();
    if (model.ready) return announce("Loam is ready.");
  } catch { /* the server is away for a moment; asked again below */ }
  setTimeout(awaitModel, 3000);
}
