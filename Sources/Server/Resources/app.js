// The page begins: consent first, then the talk.
import {
  adopt, awaitModel, opening, page, scrollDown, show, showConversation, showModel,
} from "./conversation.js";
import { alarm, byID } from "./dom.js";
import "./memory.js";
import "./owndata.js";
import { away, json } from "./server.js";
import "./talk.js";

async function begin(consent) {
  adopt(await json("POST", "/api/conversations", { consent }));
  page.session.consent = consent;
  alarm(null);
  show("chat");
  showConversation();
  byID("text").focus();
}

async function load() {
  page.session = await json("GET", "/api/session");
  let { conversation } = page.session;
  const wanted = location.hash.slice(1);
  if (conversation && wanted && wanted !== conversation.id) {
    // The conversation that was open, where it is this person's and is still there.
    conversation = await json("GET", `/api/conversations/${encodeURIComponent(wanted)}`).catch(() => conversation);
  }
  byID("text").maxLength = page.session.limits.message_characters;
  if (conversation) {
    adopt(conversation);
    show("chat");
    showConversation();
    scrollDown();
  } else {
    page.conversation = null;
    history.replaceState(null, "", location.pathname);
    show("welcome");
  }
  showModel();
  if (!page.session.model.ready) setTimeout(awaitModel, 1500);
}
opening.load = load;

byID("consentForm").addEventListener("submit", async (event) => {
  event.preventDefault();
  byID("begin").disabled = true;
  byID("consentError").hidden = true;
  try { await begin(new FormData(event.target).get("consent")); } catch (error) {
    byID("consentError").textContent = error.message;
    byID("consentError").hidden = false;
  }
  byID("begin").disabled = false;
});

byID("again").addEventListener("click", async () => {
  page.running?.abort();
  try {
    // On another page of the same person the choice may have been changed since, or all of it deleted.
    const { consent } = await json("GET", "/api/session");
    if (consent || page.conversation.consent === "none") return await begin(consent ?? "none");
    alarm(null);
    await load();
    byID("welcomeTitle").focus();
  } catch (error) { alarm(error.message); }
});

// The address stays the conversation's.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byID(page.conversation ? "text" : "welcomeTitle").focus();
});

async function start() {
  try { await load(); } catch (error) {
    byID("model").textContent = error.isAway ? away : error.message;
    byID("model").classList.add("waiting");
    // Nobody has to press reload: the page is tried again until the server is there.
    setTimeout(start, 3000);
  }
}
start();
