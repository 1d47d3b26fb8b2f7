// Requests to the server that this page comes from.

import { $, remember, remembered } from "./notices.js";

// What the server answers in place of what was asked for.
export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const unreachable = "The server cannot be reached.";

// The response to a request. Asks for a key as long as the server refuses the one there is.
async function ask(path, options = {}) {
  for (;;) {
    const sent = key;
    const headers = new Headers(options.headers);
    if (sent) headers.set("Authorization", "Bearer " + sent);
    const response = await fetch(path, { ...options, headers }).catch((error) => {
      throw error.name === "AbortError" ? error : new Error(unreachable);
    });
    if (response.status !== 401) {
      remember("key", sent);
      if (response.ok) return response;
      const body = await response.json().catch(() => null);
      throw new ServerError(body?.error?.message || "The server answered " + response.status + ".", response.status);
    }
    // Another request may have got a new key meanwhile.
    if (key === sent && !(await newKey(sent !== ""))) throw new ServerError("This server answers only with a key.", 401);
  }
}

// MARK: The key

let key = remembered("key") || "";
let asking = null;

// Asks for a key, once for all requests that wait for it. Returns false if none was given.
export function newKey(isWrong = false) {
  asking ??= askForKey(isWrong).finally(() => { asking = null; });
  return asking;
}

function askForKey(isWrong) {
  const dialog = $("keys");
  $("key-change").hidden = false;
  $("key").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  // Shown after the dialog, so that it is heard.
  $("key-wrong").hidden = !isWrong;
  $("key").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const isGiven = dialog.returnValue === "use";
      if (isGiven) key = $("key").value.trim();
      $("key").value = "";
      $("key-wrong").hidden = true;
      resolve(isGiven);
    }, { once: true });
  });
}

$("key-change").hidden = !key;
$("key-cancel").addEventListener("click", () => $("keys").close(""));

// MARK: JSON

// A seed has up to 64 bits, more than JavaScript's numbers hold: on this side it is text.
function parse(text) { return JSON.parse(text.replace(/"seed":\s*(\d+)/g, '"seed":"$1"')); }

export function bodyText({ seed, ...others }) {
  const text = JSON.stringify(others);
  return seed === undefined ? text : text.slice(0, -1) + ',"seed":' + BigInt(seed) + "}";
}

const json = async (response) => parse(await response.text());

// MARK: Models and jobs

export async function models() { return (await json(await ask("/v1/models"))).data; }

// Puts a job into the server's queue. `sound` is the file to change, if there is one.
export async function createJob(body, sound, signal) {
  const options = { method: "POST", signal };
  if (sound) {
    options.body = new FormData();
    options.body.append("request", bodyText(body));
    options.body.append("sound", sound, "sound");
  } else {
    options.body = bodyText(body);
    options.headers = { "Content-Type": "application/json" };
  }
  return json(await ask("/v1/jobs", options));
}

export async function cancelJob(id) { return json(await ask("/v1/jobs/" + id, { method: "DELETE" })); }

export async function jobResult(id) { return (await ask("/v1/jobs/" + id + "/result")).blob(); }

const mostFailures = 20;

// Tells `heard` a job's states until it has ended, and returns the last one; connects again where the connection breaks.
export async function followJob(id, heard) {
  for (let failures = 0; failures < mostFailures; failures += 1) {
    try {
      const response = await ask("/v1/jobs/" + id + "/events");
      for await (const state of states(response.body)) {
        failures = 0;
        heard(state);
        if (["completed", "failed", "cancelled"].includes(state.status)) return state;
      }
    } catch (error) {
      if (error instanceof ServerError && error.status < 500) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(unreachable);
}

// The states in a stream of server-sent events. EventSource would not send the key.
async function* states(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) {
        if (event.startsWith("data: ")) yield parse(event.slice(6));
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
