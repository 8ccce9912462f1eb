// Saying something, and hearing the reply while it is written.
import {
  actions, adoptMessage, itemOf, lastMessage, page, resync, scrollDown, showComposer, showConversation,
} from "./conversation.js";
import { alarm, announce, byID } from "./dom.js";
import { call, events } from "./server.js";
import { turn, writingTurn } from "./turn.js";

/**
 * Runs one turn.
 * typed: what the person said, shown at once; it goes back into the box where it could not be sent.
 * instead: the turn whose reply another one is written for.
 */
async function talk(path, body, { typed = null, instead = null } = {}) {
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
  if (instead) itemOf(instead)?.replaceWith(writing.item);
  else byID("log").append(writing.item);
  scrollDown();
  const known = page.conversation.messages.length;
  let failure = null;
  let answered = false;
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
        answered = true;
        take(event.data, instead);
      } else if (event.name === "error") {
        failure = { message: event.data.error.message };
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") failure = error;
  }
  page.running = null;
  busy(false);
  // Where no reply came, what the server has counts, not what was seen of it.
  const isKnown = answered || await recover(failure);
  // What the safety layers found in the person's words is known only now.
  if (answered && lastMessage().can_dispute) await resync().catch(() => {});
  showConversation();
  scrollDown();
  if (failure) alarm(failure.message);
  const wasStored = !optimistic || (isKnown && page.conversation.messages.slice(known).some((message) => message.text === typed));
  if (typed && !wasStored) {
    byID("text").value = typed;
    grow();
  }
  if (instead && answered) byID("log").lastElementChild?.querySelector(".regenerate, .look")?.focus({ preventScroll: true });
  else byID("text").focus({ preventScroll: true });
}

function take(reply, instead) {
  const { messages } = page.conversation;
  if (instead) messages[messages.length - 1] = adoptMessage(reply);
  else messages.push(adoptMessage(reply));
  announce(reply.comparison?.outcome === "open"
    ? `Loam has two answers. First: ${reply.text} Please choose.` : `Loam said: ${reply.text}`);
}

/** After a turn without a reply: how the conversation stands by the server. Where nobody answers, it is asked again later. */
async function recover(failure) {
  try {
    await resync();
    if (failure?.code === "still_writing") catchUpIn((failure.retryAfter || 1) * 1000);
    return true;
  } catch (error) {
    if (error.isAway) catchUpIn(1500);
    return false;
  }
}

let waiting = null;

/** One look is enough, however often something failed. */
function catchUpIn(milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(catchUp, milliseconds);
}

/** Looks again, until the server is there, and shows what it has. */
async function catchUp() {
  if (page.running || !page.conversation) return;
  try {
    await resync();
    alarm(null);
    showConversation();
  } catch (error) {
    if (error.isAway) catchUpIn(2000);
    // Not kept, and forgotten when the server started anew.
    else if (error.status === 404) alarm("This conversation was not kept and is gone. Please begin a new one.");
  }
}

function busy(isBusy) {
  byID("send").setAttribute("aria-label", isBusy ? "Stop" : "Send");
  byID("sendIcon").setAttribute("href", isBusy ? "#i-stop" : "#i-send");
  byID("log").setAttribute("aria-busy", String(isBusy));
  if (page.session) showComposer();
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
  talk(`/api/conversations/${page.conversation.id}/messages`, { text }, { typed: text });
}

actions.tryAgain = () => talk(`/api/conversations/${page.conversation.id}/reply`, {});
actions.regenerate = (message) => {
  if (message === lastMessage()) talk(`/api/messages/${message.id}/regenerate`, {}, { instead: message });
};

byID("form").addEventListener("submit", (event) => { event.preventDefault(); send(); });
byID("text").addEventListener("input", grow);
byID("text").addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!page.running) send();
  }
});
