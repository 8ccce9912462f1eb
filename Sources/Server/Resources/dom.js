// Elements and words. What a person or a model wrote only ever becomes text (textContent), never markup.

export const byID = (id) => document.getElementById(id);

/** Makes an element; strings become text nodes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#i-" + name);
  svg.append(use);
  return svg;
}

/** A quiet button with an icon; its name is for the ear and the pointer. */
export const iconButton = (name, label, onclick, attributes = {}) =>
  make("button", { type: "button", class: "tool", "aria-label": label, title: label, onclick, ...attributes }, icon(name));

export const linkButton = (label, onclick, attributes = {}) =>
  make("button", { type: "button", onclick, ...attributes, class: `link ${attributes.class ?? ""}`.trim() }, label);

/** A link to a page elsewhere, or its words where the address is not one of the web. */
export function webLink(address, words) {
  let url = null;
  try { url = new URL(address); } catch { /* no address at all */ }
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return make("span", {}, words);
  return make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, words);
}

export function alarm(text) {
  byID("alert").hidden = !text;
  byID("alert").textContent = text ?? "";
}

export function announce(text) {
  byID("announce").textContent = "";
  // Changed in a later turn of the loop, so that a screen reader hears equal texts twice.
  setTimeout(() => { byID("announce").textContent = text; }, 50);
}

export const count = (number, one, many = one + "s") => `${number} ${number === 1 ? one : many}`;

/** A day as the person writes it; nothing where there is none. */
export function day(time) {
  if (!time) return "";
  return new Date(time).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

/** A day and time as the person writes them, with the year where it is another one than this. */
export function moment(time) {
  if (!time) return "";
  const date = new Date(time);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return date.toLocaleString(undefined, { year, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}
