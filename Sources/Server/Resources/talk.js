// Saying something, and hearing the reply while it is written.
import {
  actions, adoptMessage, isAtEnd, itemOf, lastMessage, page, resync, scrollDown, showComposer, showConversation,
} from "./conversation.js";
import { alarm, announce, byID } from "./dom.js";
import { away, call, events } from "./server.js";
import { turn, writingTurn } from "./turn.js";

const GONE = "This conversation is gone: it was not kept, or was deleted. Please start again.";

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
  const { id, messages: { length: known } } = page.conversation;
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
        const atEnd = isAtEnd();
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
  // Where no reply came, what the server has counts, not what was seen of it.
  const fault = answered ? null : await recover(failure);
  // What the safety layers found in the person's words is known only now.
  if (answered && page.conversation?.id === id && lastMessage().can_dispute) await resync().catch(() => {});
  page.running = null;
  busy(false);
  // While it was written the person may have gone to another conversation, or deleted all.
  const isHere = page.conversation?.id === id;
  const wasStored = !optimistic || (isHere && !fault && page.conversation.messages.slice(known).some((message) => message.text === typed));
  if (typed && !wasStored) {
    // In front of what was begun meanwhile.
    byID("text").value = [typed, byID("text").value].filter(Boolean).join("\n");
    grow();
  }
  if (!page.conversation) return;
  const atEnd = isAtEnd();
  const field = document.activeElement?.closest(".panel textarea");
  const place = field && `[data-id="${CSS.escape(field.closest(".turn").dataset.id)}"] .panel [name="${field.name}"]`;
  showConversation();
  if (atEnd) scrollDown();
  if (!isHere) return;
  if (fault?.isAway) alarm(away);
  else if (fault?.status === 404) alarm(GONE);
  else if (failure) alarm(failure.message);
  const again = place && byID("log").querySelector(place);
  if (again) again.focus({ preventScroll: true });
  else if (instead && answered) byID("log").lastElementChild?.querySelector(".regenerate, .look")?.focus({ preventScroll: true });
  else byID("text").focus({ preventScroll: true });
}

function take(reply, instead) {
  const { messages } = page.conversation;
  if (instead) messages[messages.length - 1] = adoptMessage(reply);
  else messages.push(adoptMessage(reply));
  const { order, outcome } = reply.comparison ?? {};
  const [first, second] = outcome === "open" ? order.map((id) => reply.siblings.find((one) => one.id === id).text) : [];
  announce(outcome === "open"
    ? `Loam has two answers. First: ${first} Second: ${second} Please choose.` : `Loam said: ${reply.text}`);
}

/**
 * After a turn without a reply: how the conversation stands by the server. Where nobody answers, it is asked again later.
 * @returns what that failed with, or null
 */
async function recover(failure) {
  try {
    await resync();
    if (failure?.code === "still_writing") catchUpIn((failure.retryAfter || 1) * 1000);
    return null;
  } catch (error) {
    if (error.isAway) catchUpIn(1500);
    return error;
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
    if (!await resync()) return;
    alarm(null);
    showConversation();
  } catch (error) {
    if (error.isAway) catchUpIn(2000);
    // Not kept, and forgotten when the server started anew.
    else if (error.status === 404) alarm(GONE);
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
// The button that sends also stops: of a double click the second is no wish to stop.
byID("send").addEventListener("click", (event) => { if (event.detail > 1) event.preventDefault(); });
byID("text").addEventListener("input", grow);
byID("text").addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it; Safari says so by the key's code alone.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    if (!page.running) send();
  }
});
