// Asking the server.

/** What the server, or the way to it, said no with. */
export class Refusal extends Error {
  constructor(message, { code = null, status = 0, retryAfter = 0 } = {}) {
    super(message);
    Object.assign(this, { code, status, retryAfter });
  }

  /** True where nobody answered at all, or a proxy in the server's place. */
  get isAway() { return [0, 502, 503, 504].includes(this.status); }
}

const unreachable = "Loam cannot be reached just now.";
/** Said where it is so; elsewhere the person has to try again. */
export const away = `${unreachable} This page tries again by itself.`;

export async function call(method, path, body, signal) {
  const options = { method, signal, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(`${unreachable} Please try again.`);
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new Refusal(answer?.error?.message ?? `The server answered ${response.status}.`, {
      code: answer?.error?.code, status: response.status, retryAfter: Number(response.headers.get("Retry-After")) || 0,
    });
  }
  return response;
}

export const json = async (method, path, body) => (await call(method, path, body)).json();

/** The events of a server-sent event stream, one after the other. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    let part;
    try { part = await reader.read(); } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(`${unreachable} Please try again.`);
    }
    if (part.done) return;
    held += part.value;
    for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
      const lines = held.slice(0, end).split("\n");
      held = held.slice(end + 2);
      const field = (name) => lines.filter((line) => line.startsWith(name + ": ")).map((line) => line.slice(name.length + 2)).join("\n");
      if (field("data")) yield { name: field("event"), data: JSON.parse(field("data")) };
    }
  }
}
