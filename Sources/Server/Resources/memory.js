// What Loam remembers of the person: seen, changed, forgotten.
import { announce, byID, day, linkButton, make } from "./dom.js";
import { call, json } from "./server.js";

let memories = [];

export async function openMemory() {
  byID("memoryList").replaceChildren();
  tell("");
  byID("memorySure").hidden = true;
  byID("memory").showModal();
  try {
    ({ memories } = await json("GET", "/api/me/memories"));
    showAll();
  } catch (error) { tell(error.message); }
}

const tell = (text) => { byID("memoryDone").textContent = text; };

function showAll() {
  byID("memoryList").replaceChildren(...memories.map(entry));
  showIfAny();
}

function showIfAny() {
  byID("memoryNone").hidden = memories.length > 0;
  byID("memoryAll").hidden = memories.length === 0;
}

function entry(memory) {
  const item = make("li", { class: "memory", "data-id": memory.id });
  item.append(
    make("p", { class: "fact" }, memory.text),
    make("p", { class: "fine" }, memory.owner === "human" ? "About you" : "What Loam told you of itself",
      memory.source ? `, from ${memory.owner === "human" ? "your" : "its"} message ${memory.source.sent_at ? `of ${day(memory.source.sent_at)}` : ""}:` : "."),
    memory.source ? make("blockquote", {}, memory.source.text) : "",
    make("div", { class: "row" },
      linkButton("Change", () => edit(memory, item), { class: "change", "aria-label": `Change: ${memory.text}` }),
      linkButton("Forget", () => forget(memory, item), { class: "forget", "aria-label": `Forget: ${memory.text}` })));
  return item;
}

function edit(memory, item) {
  const box = make("textarea", { rows: 2, maxlength: 500, "aria-label": "What Loam should remember" });
  box.value = memory.text;
  const form = make("form", { class: "change-memory" }, box,
    make("div", { class: "row" }, make("button", { type: "submit", class: "button" }, "Save"),
      make("button", { type: "button", class: "quiet", onclick: () => back(item, memory) }, "Cancel")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const changed = await json("PUT", `/api/me/memories/${memory.id}`, { text: box.value });
      memory.text = changed.text;
      back(item, memory);
      tell("Changed.");
    } catch (error) { tell(error.message); }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // Only the editing ends, not the whole list.
    event.preventDefault();
    back(item, memory);
  });
  item.replaceChildren(form);
  box.focus();
}

function back(item, memory) {
  const fresh = entry(memory);
  item.replaceWith(fresh);
  fresh.querySelector(".change").focus();
}

async function forget(memory, item) {
  try {
    await call("DELETE", `/api/me/memories/${memory.id}`);
    memories = memories.filter((other) => other !== memory);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    // The others stay as they stand: one of them may be being changed.
    item.remove();
    showIfAny();
    (next?.querySelector(".forget, textarea") ?? byID("memory").querySelector(".close button")).focus();
    tell("Forgotten.");
    announce("Forgotten.");
  } catch (error) { tell(error.message); }
}

byID("openMemory").addEventListener("click", openMemory);
byID("memoryAll").addEventListener("click", () => {
  byID("memorySure").hidden = false;
  byID("memoryNo").focus();
});
byID("memoryNo").addEventListener("click", () => {
  byID("memorySure").hidden = true;
  byID("memoryAll").focus();
});
byID("memoryYes").addEventListener("click", async () => {
  try {
    await call("DELETE", "/api/me/memories");
    memories = [];
    byID("memorySure").hidden = true;
    showAll();
    byID("memory").querySelector(".close button").focus();
    tell("All forgotten.");
  } catch (error) { tell(error.message); }
});
