// "Your data": what votes did, what is allowed, taking everything along, deleting it; and earlier conversations.
import { adopt, KEPT, opening, page, resync, scrollDown, showConversation } from "./conversation.js";
import { alarm, announce, byID, count, day, make, moment } from "./dom.js";
import { call, json } from "./server.js";

// What votes did

async function showContribution() {
  const box = byID("contribution");
  try {
    const sum = await json("GET", "/api/me/contribution");
    const figure = (number, words) => make("li", {}, make("b", {}, String(number)), make("span", {}, words));
    box.replaceChildren(
      make("ul", { class: "figures" },
        figure(sum.counted, sum.counted === 1 ? "vote counted" : "votes counted"),
        figure(sum.corrections, sum.corrections === 1 ? "reply improved" : "replies improved"),
        figure(sum.choices, sum.choices === 1 ? "choice made" : "choices made"),
        figure(sum.models.length, sum.models.length === 1 ? "model learnt from you" : "models learnt from you")),
      make("p", { class: "fine" }, learnt(sum)));
  } catch (error) {
    box.replaceChildren(make("p", { class: "fine" }, error.message));
  }
}

function learnt({ votes, counted, disputes, models }) {
  const parts = [];
  if (models.length) parts.push(`What you said went into ${models.map((model) => `${model.id} (${day(model.made_at)})`).join(", ")}.`);
  else if (counted) parts.push("No model has learnt from you yet; the next round of learning sees your votes.");
  else parts.push("Thumbs under replies show up here.");
  if (votes > counted) parts.push(`${count(votes - counted, "vote")} of a chat that is not kept ${votes - counted === 1 ? "does" : "do"} not count.`);
  if (disputes) parts.push(`You did not agree with ${count(disputes, "safety reply", "safety replies")}.`);
  return parts.join(" ");
}

function showConsent() {
  for (const choice of byID("consentChange").elements.changed) choice.checked = choice.value === page.conversation.consent;
}

byID("openData").addEventListener("click", () => {
  showConsent();
  byID("consentDone").textContent = "";
  byID("downloadDone").textContent = "";
  byID("deleteSure").hidden = true;
  byID("contribution").replaceChildren();
  byID("data").showModal();
  showContribution();
});

async function allow(wanted) {
  try {
    const { consent } = await json("PUT", "/api/me/consent", { consent: wanted });
    page.conversation.consent = consent;
    byID("kept").textContent = KEPT[consent];
    byID("consentDone").textContent = "Changed. " + KEPT[consent];
    showContribution();
    // A reply that is being written shows all anew when it is there.
    if (!page.running && await resync().catch(() => false)) showConversation();
  } catch (error) {
    // What holds is what the server has.
    showConsent();
    byID("consentDone").textContent = error.message;
  }
}

// One after the other, as they were chosen: arrow keys go through all.
let allowed = Promise.resolve();
byID("consentChange").addEventListener("change", ({ target }) => { allowed = allowed.then(() => allow(target.value)); });

// Without this the link would save it as well, but where the server refuses, only the browser would say so, and not why.
byID("download").addEventListener("click", async (event) => {
  event.preventDefault();
  const link = event.currentTarget;
  if (link.getAttribute("aria-disabled")) return;
  link.setAttribute("aria-disabled", "true");
  byID("downloadDone").textContent = "";
  try {
    const address = URL.createObjectURL(await (await call("GET", "/api/me")).blob());
    make("a", { href: address, download: link.download }).click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch (error) { byID("downloadDone").textContent = error.message; }
  link.removeAttribute("aria-disabled");
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
    await opening.load();
    byID("welcomeTitle").focus();
    announce("Everything of yours was deleted.");
  } catch (error) { byID("consentDone").textContent = error.message; }
});

// Earlier conversations

async function openEarlier() {
  const list = byID("earlierList");
  list.replaceChildren();
  byID("earlierNote").textContent = "";
  byID("earlier").showModal();
  try {
    const { conversations } = await json("GET", "/api/conversations");
    const talks = conversations.filter((talk) => talk.messages > 0 || talk.id === page.conversation.id);
    list.replaceChildren(...talks.map(entry));
    byID("earlierNote").textContent = talks.length > 1 ? "" : "There is only this one so far.";
  } catch (error) { byID("earlierNote").textContent = error.message; }
}

function entry(talk) {
  const isHere = talk.id === page.conversation.id;
  return make("li", {}, make("button", {
    type: "button", class: "talk", "aria-current": isHere ? "true" : null, onclick: () => goTo(talk.id),
  }, make("b", {}, talk.title || "Nothing said yet"),
  make("small", {}, [moment(talk.started_at), count(talk.messages, "message"), isHere && "open now"].filter(Boolean).join(" · "))));
}

async function goTo(id) {
  page.running?.abort();
  try {
    const conversation = await json("GET", `/api/conversations/${id}`);
    adopt(conversation);
    byID("earlier").close();
    alarm(null);
    showConversation();
    scrollDown();
    byID("text").focus({ preventScroll: true });
  } catch (error) { byID("earlierNote").textContent = error.message; }
}

byID("openEarlier").addEventListener("click", openEarlier);
