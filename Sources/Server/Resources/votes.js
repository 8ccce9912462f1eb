// Thumbs, reasons, better words; agreeing or not with a safety reply.
import { page, refresh } from "./conversation.js";
import { alarm, announce, icon, linkButton, make } from "./dom.js";
import { call, json } from "./server.js";

const REASONS = {
  off_topic: "Off topic or ignoring me",
  nonsensical: "Nonsense or incorrect",
  inappropriate: "Rude or inappropriate",
  spam: "Spam or advertising",
  repeating: "Repeats itself or me",
  other: "Something else",
  agree_sensitive: null,
  disagree_sensitive: null,
};

/** What somebody began to write of a reply and has not saved, by the reply's id: it is there again when the turn is shown anew. */
const drafts = new Map();
export const isBegun = (reply) => drafts.has(reply.id);

/** The thumbs under a reply. `message` is the turn, `reply` the one of its replies that is looked at. */
export function votes(message, reply) {
  const feedback = reply.feedback;
  const bar = make("div", { class: "votes", role: "group", "aria-label": "Was this reply good?" });
  const thumb = (rating, name, label) => make("button", {
    type: "button", class: `tool thumb ${name}`, "aria-label": label, title: label,
    "aria-pressed": String(feedback?.rating === rating), onclick: () => vote(message, reply, rating),
  }, icon(name));
  bar.append(thumb(1, "up", "Good reply"), thumb(-1, "down", "Bad reply"));
  return [bar];
}

/** What the person said of a reply, and what came of it. */
export function remarks(message, reply) {
  const parts = [];
  if (message.comparison && message.comparison.outcome !== "open" && message.comparison.order.includes(reply.id)) {
    parts.push(make("p", { class: "fine" }, chosen(message.comparison, reply)));
  }
  const feedback = reply.feedback;
  if (!feedback) return parts;
  const line = make("p", { class: "said", role: "status" }, thanks(message, reply));
  if (!reply.is_safety_reply && feedback.rating !== 1) line.append(linkButton("Edit", () => openPanel(message, reply), { class: "edit" }));
  line.append(linkButton("Take back", () => takeBack(message, reply), { class: "takeback" }));
  parts.push(line);
  const reasons = feedback.reasons.map((reason) => reason in REASONS ? REASONS[reason] : reason).filter(Boolean);
  const lines = [reasons.join(", "), feedback.comment, feedback.correction && `Better: ${feedback.correction}`].filter(Boolean);
  if (lines.length) parts.push(make("p", { class: "mine-said" }, lines.join("\n")));
  return parts;
}

function chosen(comparison, reply) {
  if (comparison.outcome === "both_bad") return "You found both replies bad.";
  return comparison.preferred === reply.id ? "You liked this one better." : "You liked the other one better.";
}

function thanks(message, reply) {
  const { feedback } = reply;
  if (!feedback.counted) return "Noted for this chat only; nothing is kept.";
  const used = feedback.used_in.length ? ` Learnt by ${feedback.used_in.join(", ")}.` : "";
  if (feedback.reasons.includes("disagree_sensitive")) return "Thank you. You told us that this was fine." + used;
  if (feedback.reasons.includes("agree_sensitive")) return "Thank you. You told us that this was right." + used;
  return `Thank you. Counted for ${reply.model ?? "this model"}.` + (used || " Waits for the next model.");
}

async function vote(message, reply, rating) {
  const old = reply.feedback;
  if (old?.rating === rating) return rating === 1 ? takeBack(message, reply) : openPanel(message, reply);
  try {
    const kept = rating === -1 ? { reasons: old?.reasons ?? [], comment: old?.comment, correction: old?.correction } : {};
    reply.feedback = await json("PUT", `/api/messages/${reply.id}/feedback`, { rating, ...kept });
    if (rating === 1) drafts.delete(reply.id);
    refresh(message, rating === 1 ? ".up" : ".down");
    alarm(null);
    announce(reply.feedback.counted ? "Your vote was counted." : "Noted for this chat only.");
    if (rating === -1) openPanel(message, reply);
  } catch (error) { alarm(error.message); }
}

async function takeBack(message, reply) {
  try {
    await call("DELETE", `/api/messages/${reply.id}/feedback`);
    reply.feedback = null;
    refresh(message, reply.is_safety_reply ? ".fine-by-me" : ".up");
    alarm(null);
    announce(reply.is_safety_reply ? "Taken back." : "Your vote was taken back.");
  } catch (error) { alarm(error.message); }
}

function openPanel(message, reply) {
  const item = refresh(message);
  const panel = item.querySelector(".panel") ?? addPanel(item, message, reply);
  panel.querySelector("input")?.focus();
  panel.scrollIntoView({ block: "nearest" });
}

/** Puts the form for what was wrong under a turn. */
export function addPanel(item, message, reply) {
  const { reasons = [], comment = "", correction = "" } = drafts.get(reply.id) ?? reply.feedback ?? {};
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
      make("button", { type: "button", class: "quiet", onclick: () => close() }, "Close")));
  const close = () => {
    drafts.delete(reply.id);
    refresh(message, ".down");
  };
  const written = () => {
    const data = new FormData(panel);
    return { reasons: data.getAll("reason"), comment: data.get("comment"), correction: data.get("correction") };
  };
  panel.addEventListener("input", () => drafts.set(reply.id, written()));
  panel.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { reasons, comment, correction } = written();
    try {
      reply.feedback = await json("PUT", `/api/messages/${reply.id}/feedback`, {
        rating: -1, reasons, comment: comment.trim() || null, correction: correction.trim() || null,
      });
      drafts.delete(reply.id);
      refresh(message, ".edit");
      announce("Saved. Thank you.");
      alarm(null);
    } catch (error) { alarm(error.message); }
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  for (const part of item.querySelectorAll(".mine-said, .said .link")) part.remove();
  item.append(panel);
  return panel;
}

/** On a safety reply: whether what the person had said was as bad as all that. */
export function dispute(message, reply) {
  const said = reply.feedback?.reasons ?? [];
  const button = (fine, name, words, reason) => make("button", {
    type: "button", class: `button small ${name}`, "aria-pressed": String(said.includes(reason)),
    onclick: () => answer(message, reply, fine),
  }, words);
  return [make("div", { class: "verdicts", role: "group", "aria-label": "Was this safety reply right?" },
    button(true, "fine-by-me", "This was fine", "disagree_sensitive"),
    button(false, "fair-enough", "Good that you stopped", "agree_sensitive"))];
}

async function answer(message, reply, fine) {
  try {
    reply.feedback = await json("PUT", `/api/messages/${reply.id}/dispute`, { fine });
    refresh(message, fine ? ".fine-by-me" : ".fair-enough");
    alarm(null);
    announce("Thank you. We look at what you tell us about safety replies.");
  } catch (error) { alarm(error.message); }
}
