// Sounds that were made: a card for each, with its picture and what can be done with it.

import { operationName } from "./form.js";
import { forgetSound } from "./history.js";
import { submit } from "./jobs.js";
import { $ } from "./notices.js";
import { Picture, selectionText } from "./picture.js";
import { useSource } from "./source.js";

// How freely "Vary" changes a sound.
const variation = 0.4;
let count = 0;
let rate = () => undefined;

// Cards draw themselves when they come near the window: many at once would hold up the page.
const nearby = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    nearby.unobserve(target);
    target.draw();
  }
}, { rootMargin: "300px" });

// `modelRate` gives the rate of a model by its name.
export function startCards(modelRate) {
  rate = modelRate;
  // One sound at a time.
  $("history").addEventListener("play", (event) => {
    for (const audio of $("history").querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  }, true);
}

// Puts a sound's card before the others, and returns it.
export function showCard(item) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  const find = (name) => card.querySelector("." + name);
  card.querySelector("h2").textContent = item.body.prompt;
  find("facts").textContent = facts(item);
  const url = URL.createObjectURL(item.blob);
  const audio = card.querySelector("audio");
  audio.src = url;
  audio.setAttribute("aria-label", item.body.prompt);
  const link = find("download");
  link.href = url;
  link.download = fileName(item);
  find("again").hidden = Boolean(item.body.operation);
  find("again").addEventListener("click", () => submit({ ...item.body, seed: randomSeed() }, { kind: item.kind }));
  find("vary").addEventListener("click", () => submit(
    { ...settings(item.body), operation: "transform", strength: variation }, { kind: "Vary", sound: item.blob }));
  find("change").addEventListener("click", () => useSource(item.blob, item.body.prompt, true));
  find("remove").addEventListener("click", () => {
    forgetSound(item.key);
    URL.revokeObjectURL(url);
    nearby.unobserve(card);
    remove(card);
  });
  const picture = addPicture(card, item, audio);
  card.draw = () => {
    audio.preload = "metadata";
    picture.load(item.blob, rate(item.modelName));
  };
  name(card);
  $("history").prepend(card);
  nearby.observe(card);
  return card;
}

function addPicture(card, item, audio) {
  const anew = card.querySelector(".anew");
  const picture = new Picture(card.querySelector("canvas"), {
    onSelect: (selection) => {
      // A button that goes takes the focus along: the picture has it then.
      if (!selection && anew === document.activeElement) picture.canvas.focus();
      anew.hidden = !selection;
      if (selection) anew.textContent = "Make " + selectionText(selection) + " anew";
    },
    onPlay: (time) => {
      audio.currentTime = time;
      audio.play().catch(() => {});
    },
  });
  picture.label(item.body.prompt);
  anew.addEventListener("click", () => {
    const { times, frequencies } = picture.selection;
    submit({ ...settings(item.body), operation: "inpaint", times: [times], frequencies },
      { kind: operationName("inpaint"), sound: item.blob });
  });
  audio.addEventListener("timeupdate", () => picture.mark(audio.currentTime));
  return picture;
}

// How a sound was made, in the words of the buttons.
function facts(item) {
  const kind = item.kind || operationName(item.body.operation);
  const list = [kind, (item.seconds || 0).toFixed(2) + " s", "seed " + item.seed, item.modelName];
  if (Number.isFinite(item.score)) list.push("score " + item.score.toFixed(3));
  return list.filter(Boolean).join(" · ");
}

// Gives the card, and buttons that are called the same on all cards, names of their own.
function name(card) {
  count += 1;
  const heading = card.querySelector("h2"), about = card.querySelector(".facts");
  heading.id = "sound-" + count;
  about.id = "facts-" + count;
  card.setAttribute("aria-labelledby", heading.id);
  card.setAttribute("aria-describedby", about.id);
  card.querySelectorAll("button, .button").forEach((button, index) => {
    button.id = "action-" + count + "-" + index;
    button.setAttribute("aria-labelledby", button.id + " " + heading.id);
    button.setAttribute("aria-describedby", about.id);
  });
}

// Takes a card away; the focus goes to the next one's button, or back to the prompt.
function remove(card) {
  const next = card.nextElementSibling || card.previousElementSibling;
  card.remove();
  (next ? next.querySelector(".remove") : $("prompt")).focus();
}

function fileName({ body, seed }) {
  const words = body.prompt.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60);
  return words + "-" + seed + "." + body.format;
}

function randomSeed() { return String(crypto.getRandomValues(new Uint32Array(1))[0]); }

// What of a request is taken over when its sound is changed.
function settings(body) {
  const kept = {};
  for (const name of ["prompt", "model", "format", "negative_prompt", "quality", "steps", "guidance_scale"]) {
    if (body[name] !== undefined) kept[name] = body[name];
  }
  return kept;
}
