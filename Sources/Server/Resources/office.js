// What the operator's and the raters' pages share: elements, requests, signing in, small charts. Everything that a person or a
// model wrote goes onto the page as text, never as markup.

export const byID = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Makes an element; strings become text nodes. */
export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** The same for a part of a drawing. */
export const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function icon(name) {
  return draw("svg", { "aria-hidden": "true", class: "icon" }, draw("use", { href: "#i-" + name }));
}

export function announce(text) {
  byID("announce").textContent = "";
  // Changed in a later turn of the loop, so that a screen reader hears equal texts twice.
  setTimeout(() => { byID("announce").textContent = text; }, 50);
}

// Requests

let csrf = null;
let whenSignedOut = () => {};

export class Refusal extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function call(method, path, body) {
  const options = { method, headers: {}, credentials: "same-origin" };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrf ?? "";
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refusal("The server cannot be reached. Check your connection and try again.", 0);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  const refusal = new Refusal(answer?.error?.message ?? `The server answered ${response.status}.`, response.status, answer?.error?.code);
  if (response.status === 401 && path !== "/api/office/sign-in" && path !== "/api/office/session") whenSignedOut();
  throw refusal;
}

export const json = async (method, path, body) => (await call(method, path, body)).json();

// Signing in

/**
 * Lets somebody of a role sign in, then shows the page.
 * @param role the role that the page is for
 * @param begin called with who it is
 */
export async function enter(role, begin) {
  const show = (isIn) => {
    byID("signIn").hidden = isIn;
    byID("desk").hidden = !isIn;
    byID("deskBar").hidden = !isIn;
  };
  const alarm = (text) => {
    byID("signInError").hidden = !text;
    byID("signInError").textContent = text ?? "";
  };
  const welcome = (who) => {
    csrf = who.csrf;
    if (who.role !== role) {
      show(false);
      const other = who.role === "operator" ? "/admin" : "/rate";
      alarm(`${who.name} is signed in here as ${who.role}. That page is ${other}; sign in with another account for this one.`);
      return;
    }
    alarm(null);
    byID("who").textContent = who.name;
    show(true);
    begin(who);
  };
  whenSignedOut = () => {
    show(false);
    alarm("You were signed out. Please sign in again.");
    byID("name").focus();
  };
  byID("signInForm").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byID("signInButton");
    button.disabled = true;
    try {
      const who = await json("POST", "/api/office/sign-in", { name: byID("name").value.trim(), password: byID("password").value });
      byID("password").value = "";
      welcome(who);
    } catch (error) {
      alarm(error.message);
      byID("password").select();
    }
    button.disabled = false;
  });
  // The address says which view it is, and stays.
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    byID(byID("desk").hidden ? "name" : "desk").focus();
  });
  byID("signOut").addEventListener("click", async () => {
    try { await call("POST", "/api/office/sign-out"); } catch { /* the session is gone already */ }
    location.reload();
  });
  try {
    welcome(await json("GET", "/api/office/session"));
  } catch (error) {
    show(false);
    if (error.status !== 401) alarm(error.message);
    byID("name").focus();
  }
}

// Words and numbers

const numbers = new Intl.NumberFormat("en");
export const count = (number) => numbers.format(number ?? 0);
export const percent = (share, digits = 1) => (Number.isFinite(share) ? (100 * share).toFixed(digits) + " %" : "–");

export function moment(text) {
  if (!text) return "–";
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? "–" : date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function ago(text, now = Date.now()) {
  const seconds = (now - new Date(text).getTime()) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [name, size] of units) {
    const number = Math.floor(seconds / size);
    if (number >= 1) return `${number} ${name}${number > 1 ? "s" : ""} ago`;
  }
  return "just now";
}

export const plain = (code) => String(code).replaceAll("_", " ");

// Asking back

/**
 * A dialog that asks for a reason before something is done, and does it.
 *
 * It stays until that is done, so that what was typed is still there when the server refuses; until then it asks for nothing
 * a second time.
 * @param send does it with the fields' values
 * @returns what `send` gave, or null when the person thinks better of it
 */
export function ask({ title, text, fields = [], confirm, isDanger = false, send }) {
  const inputs = fields.map((field) => {
    const attributes = { id: `ask-${field.name}`, name: field.name, required: field.isRequired !== false, autocomplete: "off", ...field.attributes };
    const input = field.kind === "check" ? make("input", { ...attributes, type: "checkbox", required: false })
      : field.kind === "text" ? make("input", { ...attributes, type: "text" }) : make("textarea", { ...attributes, rows: 3 });
    return { field, input };
  });
  const alarm = make("p", { class: "alert", role: "alert", hidden: true });
  const form = make("form", { method: "dialog" },
    make("h2", { id: "askTitle", tabindex: "-1" }, title), text && make("p", {}, text),
    inputs.map(({ field, input }) => field.kind === "check"
      ? make("label", { class: "check" }, input, field.label)
      : make("label", { class: "field" }, make("span", {}, field.label), input)),
    alarm,
    make("div", { class: "row" },
      make("button", { type: "submit", class: isDanger ? "danger solid" : "primary", id: "askYes" }, confirm),
      make("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel")));
  const dialog = make("dialog", { "aria-labelledby": "askTitle", class: "ask" }, form);
  document.body.append(dialog);
  const complain = (fault) => {
    alarm.textContent = fault;
    alarm.hidden = false;
  };
  const buttons = form.querySelectorAll("button");
  return new Promise((resolve) => {
    let done = null;
    let isBusy = false;
    const setBusy = (busy) => {
      isBusy = busy;
      for (const button of buttons) button.disabled = busy;
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy) return;
      const answer = Object.fromEntries(inputs.map(({ field, input }) => [field.name, field.kind === "check" ? input.checked : input.value.trim()]));
      const fault = inputs.map(({ field }) => field.check?.(answer[field.name])).find(Boolean);
      if (fault) return complain(fault);
      alarm.hidden = true;
      setBusy(true);
      try {
        done = await send(answer);
        dialog.close();
      } catch (error) {
        // Signed out: the dialog would only stand before the form that asks for the password.
        if (error.status === 401) return dialog.close();
        setBusy(false);
        complain(error.message);
        (inputs[0]?.input ?? form.querySelector("#askYes")).focus();
      }
    });
    // Escape takes back nothing that is on its way.
    dialog.addEventListener("cancel", (event) => { if (isBusy) event.preventDefault(); });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    dialog.showModal();
    (inputs[0]?.input ?? form.querySelector("#askYes")).focus();
  });
}

export const reasonField = {
  name: "reason", label: "Why? It goes into the audit log.", attributes: { maxlength: 500 },
  check: (text) => (text.length < 5 ? "Say why, in at least five characters." : null),
};

// Charts: plain drawings with a text that says the same, and the numbers in a table below.

/** A table that a person can open below a chart. */
export function numbersTable(head, rows) {
  return make("details", { class: "numbers" }, make("summary", {}, "The numbers"), table(head, rows));
}

export function table(head, rows, attributes = {}) {
  const cell = (value) => (value instanceof Node ? value : String(value ?? "–"));
  // Roles are said, since on a small screen rows are shown as blocks, which else are no table any more.
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": attributes.label ?? "Table" },
    make("table", { role: "table" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head.map((text) => make("th", { scope: "col", role: "columnheader" }, text)))),
      make("tbody", { role: "rowgroup" }, rows.map((row) => make("tr", { role: "row" }, row.map((value, place) => make(place === 0 ? "th" : "td",
        place === 0 ? { scope: "row", role: "rowheader", "data-label": head[0] } : { role: "cell", "data-label": head[place] || null }, cell(value))))))));
}

/**
 * Bars over time: each series upwards, or downwards from the line.
 * @param columns [{label, values: {series: number}}]
 * @param series [{name, title, isDown}]
 */
export function timeChart(columns, series, { label, height = 190 }) {
  const figure = make("figure", { class: "figure" }, legend(series));
  let chart = null;
  const paint = (width) => {
    const fresh = bars(columns, series, { label, width, height });
    if (chart) chart.replaceWith(fresh); else figure.append(fresh);
    chart = fresh;
  };
  paint(480);
  // Drawn at the width that it has, so that its words are as large as all others.
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width > 0 && Number(chart.getAttribute("width")) !== width) paint(width);
  }).observe(figure);
  return figure;
}

function bars(columns, series, { label, width, height }) {
  const sum = (column, isDown) => series.filter((one) => Boolean(one.isDown) === isDown).reduce((all, one) => all + (column.values[one.name] ?? 0), 0);
  const up = Math.max(0, ...columns.map((column) => sum(column, false)));
  const down = Math.max(0, ...columns.map((column) => sum(column, true)));
  const scale = up + down > 0 ? (height - 28) / (up + down) : 0;
  const line = 8 + up * scale;
  const step = columns.length ? (width - 44) / columns.length : 0;
  const bar = Math.max(1, Math.min(26, step * 0.72));
  const parts = [];
  for (const [place, column] of columns.entries()) {
    const x = 40 + place * step + (step - bar) / 2;
    let [top, bottom] = [line, line];
    for (const one of series) {
      const size = (column.values[one.name] ?? 0) * scale;
      if (size <= 0) continue;
      if (!one.isDown) top -= size;
      parts.push(draw("rect", { x: x.toFixed(1), y: (one.isDown ? bottom : top).toFixed(1), width: bar.toFixed(1), height: Math.max(size, 0.6).toFixed(1), rx: Math.min(2, bar / 3).toFixed(1), class: "block " + one.tone },
        draw("title", {}, `${column.label}: ${one.title} ${count(column.values[one.name])}`)));
      if (one.isDown) bottom += size;
    }
  }
  const scaleText = [];
  if (up > 0) scaleText.push(draw("text", { x: 34, y: 14, class: "tick", "text-anchor": "end" }, count(up)));
  if (down > 0) scaleText.push(draw("text", { x: 34, y: (line + down * scale).toFixed(1), class: "tick", "text-anchor": "end" }, count(down)));
  const names = columns.length ? [draw("text", { x: 40, y: height - 2, class: "tick" }, columns[0].label)] : [];
  if (columns.length > 1) names.push(draw("text", { x: width - 4, y: height - 2, class: "tick", "text-anchor": "end" }, columns.at(-1).label));
  return draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart", preserveAspectRatio: "xMidYMid meet" },
    draw("line", { x1: 40, x2: width - 4, y1: line.toFixed(1), y2: line.toFixed(1), class: "axis" }), ...parts, ...scaleText, ...names);
}

export function legend(series) {
  return make("ul", { class: "legend", "aria-hidden": "true" }, series.map((one) => make("li", {}, make("i", { class: one.tone }), one.title)));
}

/** Horizontal bars with their names and numbers as text. */
export function barList(rows, { label, tone = "t0" }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return make("ul", { class: "bars", "aria-label": label }, rows.map((row) => make("li", {},
    make("span", { class: "barName" }, row.name),
    draw("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true", class: "barLine" },
      draw("rect", { x: 0, y: 0, width: 100, height: 6, rx: 0, class: "track" }),
      draw("rect", { x: 0, y: 0, width: Math.max(0, (100 * row.value) / most).toFixed(2), height: 6, class: "block " + (row.tone ?? tone) })),
    make("span", { class: "barValue" }, row.text ?? count(row.value)))));
}

/** Days between the first and the last, none left out, gathered into weeks or months where there are many. */
export function timeColumns(days, names) {
  if (!days.length) return [];
  // `unsafe.words` is the field `words` of the field `unsafe`; whatever follows the first full stop is one name.
  const valueOf = (day, name) => {
    const place = name.indexOf(".");
    return (place < 0 ? day[name] : day[name.slice(0, place)]?.[name.slice(place + 1)]) ?? 0;
  };
  const add = (into, day) => { for (const name of names) into[name] = (into[name] ?? 0) + valueOf(day, name); };
  const first = Date.parse(days[0].date + "T00:00:00Z");
  const last = Date.parse(days.at(-1).date + "T00:00:00Z");
  const length = Math.round((last - first) / 864e5) + 1;
  const size = length > 420 ? "month" : length > 92 ? "week" : "day";
  const bucket = (time) => {
    const date = new Date(time);
    if (size === "month") return date.toISOString().slice(0, 7);
    if (size === "week") return new Date(time - ((date.getUTCDay() + 6) % 7) * 864e5).toISOString().slice(0, 10);
    return date.toISOString().slice(0, 10);
  };
  const columns = new Map();
  for (let time = first; time <= last; time += 864e5) {
    const name = bucket(time);
    if (!columns.has(name)) columns.set(name, { label: size === "week" ? "week of " + name : name, values: {} });
  }
  for (const day of days) add(columns.get(bucket(Date.parse(day.date + "T00:00:00Z"))).values, day);
  return [...columns.values()];
}
