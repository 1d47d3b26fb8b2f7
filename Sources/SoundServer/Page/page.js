// The page of audioldm2-server: nothing from elsewhere, sounds made are kept in this browser.

import { models, newKey } from "./api.js";
import { showCard, startCards } from "./cards.js";
import { chooseOperation, model, operation, operationName, request, showFields, showModels, startForm } from "./form.js";
import { keepSound, keptSounds } from "./history.js";
import { cancelNewest, resumeJobs, startJobs, submitOnce } from "./jobs.js";
import { $, announce, say } from "./notices.js";
import { showPicture, source, startSource } from "./source.js";

let known = [];

// The rate of a model's sounds in Hz: that of the chosen one for a name that is not served any more.
const rate = (name) => (known.find((m) => m.id === name) || model())?.sample_rate;

async function loadModels() {
  try {
    known = await models();
    showModels(known);
    showPicture();
  } catch (error) {
    say(error.message);
  }
}

function make() {
  const body = request();
  if (body) submitOnce(body, { kind: operationName(body.operation), sound: source.blob || undefined });
}

// Keeps a sound and shows it; whoever is elsewhere on the page is told.
async function takeSound(item) {
  const key = await keepSound(item);
  if (key === undefined) say("This browser keeps no sounds: download those that you want to have later.");
  const card = showCard({ ...item, key });
  card.querySelector("audio").play().catch(() => {});
  announce(item.body.prompt + " is ready");
  const box = card.getBoundingClientRect();
  if (box.top < 0 || box.top > window.innerHeight - 100) {
    const show = () => {
      card.scrollIntoView();
      card.focus({ preventScroll: true });
    };
    say("“" + item.body.prompt + "” is ready.", { action: { name: "Show it", run: show }, about: "ready" });
  }
}

// Keys for all of the page; one thing for each press.
function press(event) {
  if (event.defaultPrevented || event.repeat || event.isComposing || $("keys").open) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("form").requestSubmit();
  }
  if (event.key === "Escape" && !event.target.matches?.("select") && cancelNewest()) event.preventDefault();
}

async function start() {
  startForm({ onSubmit: make, onModel: showPicture });
  startSource({
    onChange: showFields,
    onDraw: () => { if (operation() !== "inpaint") chooseOperation("inpaint"); },
    rate,
  });
  startCards(rate);
  startJobs(takeSound);
  document.addEventListener("keydown", press);
  $("key-change").addEventListener("click", async () => { if (await newKey()) loadModels(); });
  // Pictures reach as high as their models do.
  await loadModels();
  const kept = await keptSounds();
  kept.forEach(showCard);
  const numbers = new Set(kept.map((item) => item.job));
  resumeJobs((id) => numbers.has(id));
}

start();
