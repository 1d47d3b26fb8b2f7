"use strict";
// The page of audioldm2-server: nothing from elsewhere, sounds made are kept in this browser.

const $ = (id) => document.getElementById(id);
const state = { models: [], job: null, source: null, key: sessionStorage.getItem("key") || "" };

// Asking the server.

async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (state.key) headers.set("Authorization", "Bearer " + state.key);
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401 && (await askForKey())) return ask(path, options);
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new Error((body && body.error && body.error.message) || "The server answered " + response.status + ".");
  }
  return response;
}

function askForKey() {
  return new Promise((resolve) => {
    const dialog = $("keys");
    if (dialog.open) return resolve(false);
    dialog.addEventListener("close", () => {
      state.key = $("key").value.trim();
      sessionStorage.setItem("key", state.key);
      resolve(state.key !== "");
    }, { once: true });
    dialog.showModal();
  });
}

function say(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

// Settings.

function model() { return state.models.find((m) => m.id === $("model").value) || state.models[0]; }

function showModel() {
  const m = model();
  if (!m) return;
  $("seconds").placeholder = m.default_seconds ? m.default_seconds.toFixed(1) : "";
  $("ideas").replaceChildren();
  const names = m.classes.slice().sort(() => Math.random() - 0.5).slice(0, 8);
  for (const name of names) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => { $("prompt").value = name; $("prompt").focus(); });
    $("ideas").append(button);
  }
  const can = (ability) => m.abilities.includes(ability);
  for (const input of document.querySelectorAll("input[name=operation]")) {
    input.disabled = !can(input.value === "score" ? "score" : "edit");
  }
  $("candidates").disabled = !can("score");
}

const number = (id) => ($(id).value === "" ? undefined : Number($(id).value));

function request() {
  const r = { prompt: $("prompt").value.trim(), model: $("model").value || undefined, format: $("format").value };
  r.seconds = number("seconds");
  r.seed = number("seed");
  r.steps = number("steps");
  r.guidance_scale = number("guidance");
  if ($("negative").value) r.negative_prompt = $("negative").value;
  if ($("quality").value) r.quality = $("quality").value;
  if (number("candidates") > 1) r.candidates = number("candidates");
  if (!state.source) {
    if ($("loop").checked) r.loop = true;
    return r;
  }
  r.operation = document.querySelector("input[name=operation]:checked").value;
  if (r.operation !== "extend") delete r.seconds;
  if (r.operation === "extend" && r.seconds === undefined) r.seconds = 5;
  if (r.operation === "transform") r.strength = number("strength");
  if (r.operation === "inpaint") {
    if (number("to") > (number("from") || 0)) r.times = [[number("from") || 0, number("to")]];
    const low = number("low"), high = number("high");
    if (high !== undefined) r.frequencies = [low || 0, high];
    else if (low) r.frequencies = [low];
    if (!r.times && !r.frequencies) throw new Error("Choose a part first: draw it on the picture, or give its times.");
  }
  if (r.operation === "score") for (const name of ["seed", "steps", "quality", "guidance_scale", "candidates"]) delete r[name];
  return r;
}

// Work.

async function submit(body, source) {
  if (state.job) return;
  say("");
  $("make").disabled = true;
  $("work").hidden = false;
  progress({ status: "queued" });
  try {
    let options;
    if (source) {
      const form = new FormData();
      form.append("request", JSON.stringify(body));
      form.append("sound", source, "sound");
      options = { method: "POST", body: form };
    } else {
      options = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    }
    state.job = await (await ask("/v1/jobs", options)).json();
    const end = await follow(state.job.id);
    if (end.status === "completed") await completed(end, body);
    else if (end.status === "failed") throw new Error(end.error.message);
  } catch (error) {
    say(error.message);
  } finally {
    state.job = null;
    $("make").disabled = false;
    $("work").hidden = true;
  }
}

// Reads server-sent events by fetch, which sends the key; goes back to asking if the connection breaks.
async function follow(id) {
  let last = null;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      const response = await ask("/v1/jobs/" + id + "/events");
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const events = text.split("\n\n");
        text = events.pop();
        for (const event of events) {
          if (!event.startsWith("data: ")) continue;
          last = JSON.parse(event.slice(6));
          progress(last);
        }
      }
      if (last && ["completed", "failed", "cancelled"].includes(last.status)) return last;
    } catch (error) {
      if (attempt > 2) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error("The server cannot be reached.");
}

function progress(job) {
  const p = job.progress;
  const bar = $("progress");
  if (p) bar.value = p.share; else bar.removeAttribute("value");
  let text = "Waiting";
  if (job.status === "queued" && job.position) text = "Waiting behind " + job.position + (job.position === 1 ? " other" : " others");
  if (p) {
    const names = { encoding: "Reading the prompt", denoising: "Denoising", decoding: "Decoding", vocoding: "Making the waveform" };
    text = names[p.stage] || p.stage;
    if (p.stage === "denoising") text += " " + p.completed + "/" + p.total;
    if (p.seconds_left >= 1) text += ", about " + Math.round(p.seconds_left) + " s left";
  }
  if ($("stage").textContent !== text) $("stage").textContent = text;
}

async function completed(job, body) {
  if (job.operation === "score") {
    say("Score of the sound for this prompt: " + job.result.score.toFixed(3) + " (−1 to 1; compare sounds of one prompt).");
    return;
  }
  const blob = await (await ask("/v1/jobs/" + job.id + "/result")).blob();
  const item = { time: Date.now(), body, blob, seed: job.result.seed, seconds: job.result.seconds, operation: job.operation, score: job.result.score, warnings: job.warnings, modelName: job.model };
  item.key = await keep(item);
  const card = show(item, true);
  card.querySelector("audio").play().catch(() => {});
  if (job.warnings.length) say(job.warnings.join(" "));
}

// What was made, in this browser.

const mostKept = 60;
let database = null;

function open() {
  return new Promise((resolve) => {
    let asked;
    try { asked = indexedDB.open("audioldm2", 1); } catch { return resolve(null); }
    asked.onupgradeneeded = () => asked.result.createObjectStore("sounds", { autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => resolve(null);
  });
}

function store(mode, work) {
  return new Promise((resolve) => {
    if (!database) return resolve(undefined);
    const transaction = database.transaction("sounds", mode);
    const asked = work(transaction.objectStore("sounds"));
    transaction.oncomplete = () => resolve(asked && asked.result);
    transaction.onerror = transaction.onabort = () => resolve(undefined);
  });
}

async function keep(item) {
  const key = await store("readwrite", (s) => s.add(item));
  const keys = (await store("readonly", (s) => s.getAllKeys())) || [];
  for (const old of keys.slice(0, Math.max(0, keys.length - mostKept))) await store("readwrite", (s) => s.delete(old));
  return key;
}

async function loadHistory() {
  database = await open();
  const items = (await store("readonly", (s) => s.getAll())) || [];
  const keys = (await store("readonly", (s) => s.getAllKeys())) || [];
  items.forEach((item, index) => show({ ...item, key: keys[index] }, true));
}

// A sound's card.

function show(item, first) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  const find = (name) => card.querySelector("." + name);
  card.querySelector("h2").textContent = item.body.prompt;
  const facts = [item.operation, (item.seconds || 0).toFixed(2) + " s", "seed " + item.seed, item.modelName];
  if (item.score !== undefined && item.score !== null) facts.push("score " + item.score.toFixed(3));
  find("facts").textContent = facts.filter(Boolean).join(" · ");
  const url = URL.createObjectURL(item.blob);
  const audio = card.querySelector("audio");
  audio.src = url;
  audio.setAttribute("aria-label", item.body.prompt);
  const link = find("download");
  link.href = url;
  link.download = item.body.prompt.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60) + "-" + item.seed + "." + item.body.format;
  find("again").addEventListener("click", () => submit({ ...item.body, seed: Math.floor(Math.random() * 2 ** 32) }, item.source));
  find("again").hidden = Boolean(item.body.operation);
  find("vary").addEventListener("click", () => submit({ ...settings(item.body), operation: "transform", strength: 0.4 }, item.blob));
  find("change").addEventListener("click", () => useSource(item.blob, item.body.prompt));
  find("remove").addEventListener("click", () => {
    store("readwrite", (s) => s.delete(item.key));
    URL.revokeObjectURL(url);
    card.remove();
  });
  const canvas = card.querySelector("canvas");
  canvas.setAttribute("aria-label", "Spectrogram of " + item.body.prompt + "; click to play from there, drag to choose a part");
  const picture = new Picture(canvas, (range) => {
    find("anew").hidden = !range;
  }, (time) => { audio.currentTime = time; audio.play().catch(() => {}); });
  find("anew").addEventListener("click", () => {
    const { times, frequencies } = picture.selection;
    submit({ ...settings(item.body), operation: "inpaint", times: [times], frequencies }, item.blob);
  });
  audio.addEventListener("timeupdate", () => picture.mark(audio.currentTime));
  picture.load(item.blob);
  if (first) $("history").prepend(card); else $("history").append(card);
  return card;
}

// What of a request is taken over when its sound is changed.
function settings(body) {
  const kept = {};
  for (const name of ["prompt", "model", "format", "negative_prompt", "quality", "steps", "guidance_scale"]) {
    if (body[name] !== undefined) kept[name] = body[name];
  }
  return kept;
}

// Pictures: spectrogram above, waveform below.

class Picture {
  constructor(canvas, onSelect, onClick) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.onClick = onClick;
    this.selection = null;
    this.duration = 0;
    this.top = Math.round(canvas.height * 0.78);
    let start = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const clamp = (x) => Math.min(Math.max(x, 0), 1);
      return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
    };
    canvas.addEventListener("pointerdown", (event) => { start = place(event); canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointermove", (event) => { if (start && this.duration) this.select(start, place(event)); });
    canvas.addEventListener("pointerup", (event) => {
      const end = place(event);
      if (start && Math.abs(end[0] - start[0]) < 0.01) {
        this.clear();
        if (this.onClick) this.onClick(end[0] * this.duration);
      }
      start = null;
    });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.clear();
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step || !this.duration) return;
      event.preventDefault();
      const [from, to] = this.selection ? this.selection.times.map((t) => t / this.duration) : [0.4, 0.6];
      const move = event.shiftKey ? [from, Math.min(Math.max(to + step, from + 0.02), 1)] : [from + step, to + step];
      if (move[0] >= 0 && move[1] <= 1) this.select([move[0], 1], [move[1], 1]);
    });
  }

  async load(blob) {
    try {
      const context = new OfflineAudioContext(1, 1, 44100);
      const sound = await context.decodeAudioData(await blob.arrayBuffer());
      this.duration = sound.duration;
      this.rate = sound.sampleRate;
      this.image = draw(this.canvas, sound.getChannelData(0), this.top);
      this.paint();
    } catch {
      this.canvas.hidden = true;
    }
  }

  // A drag that stays in the spectrogram and spans less than most of its height chooses a band too.
  select(a, b) {
    const times = [Math.min(a[0], b[0]), Math.max(a[0], b[0])].map((x) => x * this.duration);
    const share = this.top / this.canvas.height;
    const heights = [a[1], b[1]].map((y) => 1 - Math.min(y / share, 1)).sort((x, y) => x - y);
    const nyquist = 8000;
    const isBand = a[1] < share && b[1] < share && heights[1] - heights[0] > 0.1 && heights[1] - heights[0] < 0.8;
    this.selection = { times: times.map((t) => Math.round(t * 1000) / 1000), frequencies: isBand ? heights.map((h) => Math.round(h * nyquist)) : undefined };
    this.paint();
    this.onSelect(this.selection);
  }

  clear() {
    this.selection = null;
    this.paint();
    this.onSelect(null);
  }

  mark(time) {
    this.time = time;
    this.paint();
  }

  paint() {
    if (!this.image) return;
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.putImageData(this.image, 0, 0);
    if (this.selection) {
      const [from, to] = this.selection.times.map((t) => (t / this.duration) * width);
      const band = this.selection.frequencies;
      const [y, h] = band ? [this.top * (1 - band[1] / 8000), (this.top * (band[1] - band[0])) / 8000] : [0, height];
      context.fillStyle = "rgba(255,255,255,0.3)";
      context.fillRect(from, y, to - from, h);
      context.strokeStyle = "#fff";
      context.strokeRect(from + 0.5, y + 0.5, to - from - 1, h - 1);
    }
    if (this.time) {
      context.fillStyle = "#fff";
      context.fillRect((this.time / this.duration) * width, 0, 1.5, height);
    }
  }
}

// Of the samples' first 8 kHz: power in dB by colour.
function draw(canvas, all, top) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const size = 1024, rate = 44100, bins = Math.round((8000 / rate) * size);
  const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const re = new Float32Array(size), im = new Float32Array(size);
  const columns = [];
  let most = -200;
  for (let x = 0; x < width; x += 1) {
    const centre = Math.round((x / width) * all.length);
    for (let i = 0; i < size; i += 1) {
      re[i] = (all[centre + i - size / 2] || 0) * window[i];
      im[i] = 0;
    }
    transform(re, im);
    const column = new Float32Array(bins);
    for (let k = 0; k < bins; k += 1) {
      column[k] = 10 * Math.log10(re[k] * re[k] + im[k] * im[k] + 1e-12);
      if (column[k] > most) most = column[k];
    }
    columns.push(column);
  }
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < top; y += 1) {
      const level = columns[x][Math.min(bins - 1, Math.floor((1 - (y + 1) / top) * bins))];
      colour(image.data, 4 * (y * width + x), Math.min(Math.max((level - most + 70) / 70, 0), 1));
    }
    let low = 0, high = 0;
    const step = all.length / width;
    for (let i = Math.floor(x * step); i < (x + 1) * step; i += 1) {
      low = Math.min(low, all[i] || 0);
      high = Math.max(high, all[i] || 0);
    }
    const middle = (top + height) / 2, half = (height - top) / 2;
    for (let y = top; y < height; y += 1) {
      const on = y >= middle - high * half - 0.5 && y <= middle - low * half + 0.5;
      const at = 4 * (y * width + x);
      image.data.set(on ? [229, 138, 75, 255] : [24, 21, 16, 255], at);
    }
  }
  return image;
}

function colour(data, at, v) {
  data[at] = 255 * Math.min(1, Math.max(0, 3 * v - 0.7));
  data[at + 1] = 255 * Math.min(1, Math.max(0, 2.2 * v - 1));
  data[at + 2] = 255 * Math.min(1, Math.max(0, v < 0.45 ? 1.6 * v : 1.15 - v));
  data[at + 3] = 255;
}

// Cooley and Tukey's, in place.
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i += 1) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let length = 2; length <= n; length <<= 1) {
    const angle = (-2 * Math.PI) / length, wr = Math.cos(angle), wi = Math.sin(angle);
    for (let i = 0; i < n; i += length) {
      let cr = 1, ci = 0;
      for (let k = 0; k < length / 2; k += 1) {
        const a = i + k, b = a + length / 2;
        const xr = re[b] * cr - im[b] * ci, xi = re[b] * ci + im[b] * cr;
        re[b] = re[a] - xr; im[b] = im[a] - xi;
        re[a] += xr; im[a] += xi;
        [cr, ci] = [cr * wr - ci * wi, cr * wi + ci * wr];
      }
    }
  }
}

// A sound to change.

let sourcePicture = null;

function useSource(blob, name) {
  state.source = blob;
  $("source").hidden = false;
  $("source-name").textContent = name || "a sound";
  sourcePicture.canvas.hidden = false;
  sourcePicture.selection = null;
  sourcePicture.load(blob);
  showOperation();
  $("form").scrollIntoView({ behavior: "smooth" });
  $("prompt").focus();
}

function showOperation() {
  const operation = document.querySelector("input[name=operation]:checked").value;
  $("strength-row").hidden = operation !== "transform";
  $("range-row").hidden = operation !== "inpaint";
}

function start() {
  sourcePicture = new Picture($("source-picture"), (range) => {
    if (!range) return;
    document.querySelector("input[value=inpaint]").checked = true;
    showOperation();
    [$("from").value, $("to").value] = range.times;
    [$("low").value, $("high").value] = range.frequencies || ["", ""];
  });
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    try { submit(request(), state.source); } catch (error) { say(error.message); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
    if (event.key === "Escape" && state.job) $("cancel").click();
  });
  $("cancel").addEventListener("click", () => {
    if (state.job) ask("/v1/jobs/" + state.job.id, { method: "DELETE" }).catch((error) => say(error.message));
  });
  $("source-clear").addEventListener("click", () => { state.source = null; $("source").hidden = true; });
  for (const input of document.querySelectorAll("input[name=operation]")) input.addEventListener("change", showOperation);
  $("strength").addEventListener("input", () => { $("strength-row").querySelector("output").textContent = $("strength").value; });
  $("file").addEventListener("change", () => { if ($("file").files[0]) useSource($("file").files[0], $("file").files[0].name); });
  $("model").addEventListener("change", showModel);
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const file = event.dataTransfer.files[0];
    if (file) useSource(file, file.name);
  });
  loadHistory();
  ask("/v1/models").then((response) => response.json()).then((list) => {
    state.models = list.data;
    for (const m of list.data) $("model").append(new Option(m.id, m.id));
    showModel();
  }).catch((error) => say(error.message));
}

start();
