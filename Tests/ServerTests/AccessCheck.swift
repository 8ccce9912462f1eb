import Conversations

/// Looks at a page as the guidelines for accessibility do (WCAG 2.2, level AA, as far as a program can tell), in the page itself.
enum AccessCheck {
    /// A function body that gives a list of faults, each with what is wrong and where.
    static let script = """
        const faults = [];
        const where = (element) => element.tagName.toLowerCase() + (element.id ? "#" + element.id : "")
          + (typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\\s+/g, ".") : "")
          + " “" + (element.textContent ?? "").trim().slice(0, 30) + "”";
        const open = document.querySelector("dialog[open]");
        const root = open ?? document.body;
        const all = [...root.querySelectorAll("*")];
        const isHidden = (element) => {
          const box = element.getBoundingClientRect(), style = getComputedStyle(element);
          return box.width === 0 || box.height === 0 || style.visibility !== "visible" || element.closest("[hidden], [aria-hidden=true]")
            || (element.closest("dialog") && !element.closest("dialog[open]"));
        };
        const isForEarsOnly = (element) => element.closest(".visually-hidden, .word") && getComputedStyle(element.closest(".visually-hidden, .word")).clipPath !== "none";

        // Names
        const nameOf = (element) => {
          const by = element.getAttribute("aria-labelledby");
          if (by) return by.split(/\\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
          return (element.getAttribute("aria-label") ?? "").trim()
            || [...(element.labels ?? [])].map((label) => label.textContent).join(" ").trim()
            || (element.matches("button, a, summary") ? (element.textContent ?? "").trim() : "");
        };
        const controls = all.filter((element) => element.matches("button, input, textarea, select, a[href], summary") && !isHidden(element));
        for (const control of controls) if (!nameOf(control)) faults.push("no name: " + where(control));
        for (const element of all) {
          if (element.matches("[role=group], dialog, section, nav, form.panel") && !isHidden(element) && !nameOf(element)) faults.push("no name: " + where(element));
          if (element.matches("img:not([alt])")) faults.push("no alt: " + where(element));
          if (element.tabIndex > 0) faults.push("positive tabindex: " + where(element));
          for (const attribute of ["aria-controls", "aria-labelledby", "aria-describedby"]) {
            for (const id of (element.getAttribute(attribute) ?? "").split(/\\s+/).filter(Boolean)) {
              if (!document.getElementById(id)) faults.push(attribute + " leads nowhere: " + where(element));
            }
          }
        }
        const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
        for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) faults.push("id twice: " + id);
        if (!document.documentElement.lang) faults.push("no language");
        if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
        let level = open ? 1 : 0;
        for (const heading of root.querySelectorAll("h1, h2, h3, h4")) {
          if (isHidden(heading) && !isForEarsOnly(heading)) continue;
          const next = Number(heading.tagName[1]);
          if (next > level + 1 && !heading.closest(".inside")) faults.push("heading level left out: " + where(heading));
          level = next;
        }

        // Places to press
        for (const control of controls) {
          if (control.matches("input[type=radio], input[type=checkbox], .skip, a")) continue;
          const box = control.getBoundingClientRect();
          if (box.width < 24 || box.height < 24) faults.push(`small, ${box.width} by ${box.height}: ` + where(control));
        }

        // Contrast
        const parse = (text) => {
          const numbers = (text.match(/-?[\\d.]+(e-?\\d+)?%?/g) ?? []).map((part) => part.endsWith("%") ? parseFloat(part) / 100 : parseFloat(part));
          if (text.startsWith("color(srgb")) return [...numbers.slice(0, 3).map((part) => part * 255), numbers[3] ?? 1];
          if (text.startsWith("rgb")) return [...numbers.slice(0, 3), numbers[3] ?? 1];
          return null;
        };
        const over = (top, below) => [0, 1, 2].map((part) => top[part] * top[3] + below[part] * (1 - top[3])).concat(1);
        const background = (element) => {
          const layers = [];
          for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (!colour) { faults.push("unknown colour " + getComputedStyle(at).backgroundColor + ": " + where(at)); continue; }
            layers.push(colour);
            if (colour[3] === 1) break;
          }
          return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
        };
        const light = (colour) => {
          const [r, g, b] = colour.map((part) => { const share = part / 255; return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4; });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
        const opacity = (element) => { let product = 1; for (let at = element; at; at = at.parentElement) product *= Number(getComputedStyle(at).opacity); return product; };
        const check = (element, colour, least, what) => {
          const below = background(element);
          const ink = parse(colour);
          if (!ink) return faults.push("unknown colour " + colour + ": " + where(element));
          const seen = over([...ink.slice(0, 3), ink[3] * opacity(element)], below);
          const ratio = contrast(seen, below);
          if (ratio < least) faults.push(`${what} contrast ${ratio.toFixed(2)} < ${least}: ` + where(element));
        };
        let texts = 0;
        for (const element of all) {
          if (isHidden(element) || isForEarsOnly(element) || element.matches(":disabled, :disabled *")) continue;
          const style = getComputedStyle(element);
          if ([...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) {
            const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            check(element, style.color, isLarge ? 3 : 4.5, "text");
            texts += 1;
          }
          if (element.matches("textarea, input:not([type=radio]):not([type=checkbox])")) {
            check(element, style.color, 4.5, "text");
            if (element.placeholder) check(element, getComputedStyle(element, "::placeholder").color, 4.5, "placeholder");
          }
          if (element.matches("svg") && element.closest("button")) check(element, style.color, 3, "icon");
        }
        if (!texts) faults.push("nothing was looked at");

        // Words that come later are heard
        if (!document.querySelector("[role=alert]")) faults.push("no alert region");
        if (!document.querySelector("[aria-live=polite]")) faults.push("no polite region");
        if (!open && document.documentElement.scrollWidth > innerWidth) faults.push("wider than the window");
        return faults;
        """

    /// What has the focus now: its place in the document among all elements, and whether one can see that it has it.
    static let focus = """
        const element = document.activeElement;
        if (!element || element === document.body) return [-1, true, "body"];
        const shows = (part) => { const style = part && getComputedStyle(part); return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; };
        const visible = [element, element.parentElement, element.closest("label"), element.closest("form")].some(shows);
        return [[...document.querySelectorAll("*")].indexOf(element), visible, element.id || element.className || element.name || element.tagName];
        """
}
