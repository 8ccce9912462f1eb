// One turn of the talk: what was said, and what the person may do with it.
import { actions, lastMessage, refresh, refused, replaceLast } from "./conversation.js";
import { alarm, announce, icon, iconButton, linkButton, make } from "./dom.js";
import { toggleInside } from "./inside.js";
import { json } from "./server.js";
import { addPanel, dispute, isBegun, remarks, votes } from "./votes.js";

export function turn(message) {
  if (message.comparison?.outcome === "open") return choice(message);
  // Of several replies the kept one, unless the person looks at another.
  const shown = message.siblings?.find((reply) => reply.id === message.looking) ?? message;
  const item = make("li", {
    class: `turn ${message.sender}${shown.is_safety_reply ? " safety" : ""}`, "data-id": message.id,
  });
  item.append(make("span", { class: "visually-hidden" }, message.sender === "human" ? "You said:" : "Loam said:"));
  if (shown.is_safety_reply) item.append(make("span", { class: "tag" }, icon("shield"), "Safety reply"));
  item.append(make("div", { class: "bubble" }, shown.text));
  if (message.sender === "human") {
    if (message.is_flagged) item.append(make("span", { class: "tag" }, icon("shield"), "Stopped by the safety check"));
    return item;
  }
  const bar = make("div", { class: "bar-below" });
  if (shown.can_dispute) bar.append(...dispute(message, shown));
  else if (!shown.is_safety_reply) bar.append(...votes(message, shown));
  bar.append(...tools(message, shown));
  item.append(bar, ...remarks(message, shown));
  if (isBegun(shown)) addPanel(item, message, shown);
  return item;
}

/** Stepping between replies, asking for another, looking inside. */
function tools(message, shown) {
  const parts = [];
  const group = make("div", { class: "tools", role: "group", "aria-label": "This reply" });
  if (message.siblings) parts.push(stepper(message, shown));
  if (message.can_regenerate && message === lastMessage()) {
    group.append(iconButton("again", "Write another reply", () => actions.regenerate(message), { class: "tool regenerate" }));
  }
  const look = iconButton("inside", "Look inside this reply", () => toggleInside(shown, look), { class: "tool look", "aria-expanded": "false" });
  group.append(look);
  parts.push(group);
  return parts;
}

function stepper(message, shown) {
  const replies = message.siblings;
  const place = replies.indexOf(shown);
  const step = (by, name, label) => iconButton(name, label, () => go(message, replies[place + by], by > 0 ? ".next" : ".previous"), {
    class: `tool ${by > 0 ? "next" : "previous"}`, disabled: !replies[place + by],
  });
  return make("div", { class: "stepper", role: "group", "aria-label": `Reply ${place + 1} of ${replies.length}` },
    step(-1, "back", "The reply before"), make("span", { class: "place" }, `${place + 1}/${replies.length}`),
    step(1, "forth", "The next reply"));
}

/** Goes to another reply: at the end of the talk it is the one that counts from now on, further up it is only looked at. */
async function go(message, reply, focus) {
  const say = () => announce(`Reply ${message.siblings.indexOf(reply) + 1} of ${message.siblings.length}: ${reply.text}`);
  if (message !== lastMessage()) {
    message.looking = reply.id;
    refresh(message, focus);
    return say();
  }
  try {
    replaceLast(await json("PUT", `/api/messages/${reply.id}/kept`, {}), focus);
    alarm(null);
    say();
  } catch (error) { await refused(error); }
}

/** Two replies side by side, of which the person picks one. */
function choice(message) {
  const replies = message.comparison.order.map((id) => message.siblings.find((reply) => reply.id === id));
  const title = `choose-${message.id}`;
  const pick = async (reply, better) => {
    try {
      replaceLast(await json("PUT", `/api/messages/${reply.id}/choice`, { better }), ".tool");
      alarm(null);
      announce("Thank you. Your choice was noted.");
      document.getElementById("text").focus({ preventScroll: true });
    } catch (error) { await refused(error); }
  };
  const card = (reply, place) => {
    const name = ["first", "second"][place];
    return make("div", { class: "option" },
      make("div", { class: "bubble", id: `option-${reply.id}` }, reply.text),
      make("button", {
        type: "button", class: "button pick", "aria-label": `The ${name} reply is better`, "aria-describedby": `option-${reply.id}`,
        onclick: () => pick(reply, true),
      }, "This one is better"));
  };
  return make("li", { class: "turn bot pair", "data-id": message.id, role: "group", "aria-labelledby": title },
    make("p", { class: "ask", id: title }, "Loam has two answers. Which one do you like better?"),
    make("div", { class: "options" }, ...replies.map(card)),
    linkButton("Both are bad", () => pick(replies[0], false), { class: "both-bad" }));
}

/** A bot turn while it is being written. */
export function writingTurn() {
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
