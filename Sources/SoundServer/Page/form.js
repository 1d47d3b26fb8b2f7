// The form: which of its fields count, and the request that they make.

import { $, clearMessages, say } from "./notices.js";
import { chosenPart, source } from "./source.js";

const greatestSeed = 2n ** 64n - 1n;
const radios = [...document.querySelectorAll("input[name=operation]")];
const shownIdeas = 8;
let models = [];

// What a field is called in a request; those that are not there mean what their placeholders say.
const names = {
  seconds: "seconds", added: "seconds", seed: "seed", strength: "strength", above: "above", negative: "negative_prompt",
  quality: "quality", steps: "steps", guidance: "guidance_scale", candidates: "candidates", format: "format", loop: "loop",
};

export function operation() { return source.blob ? radios.find((radio) => radio.checked).value : "generate"; }

// An operation as its button calls it; nothing for a sound of a prompt alone.
export function operationName(name) {
  const radio = radios.find((other) => other.value === name);
  return radio ? radio.parentElement.textContent.trim() : "";
}

export function chooseOperation(name) {
  radios.find((radio) => radio.value === name).checked = true;
  showFields();
}

// MARK: The model

export function model() { return models.find((m) => m.id === $("model").value) || models[0]; }

export function showModels(list) {
  models = list;
  $("model").replaceChildren(...list.map((m) => new Option(m.id, m.id)));
  showModel();
}

function showModel() {
  const m = model();
  $("seconds").placeholder = m?.default_seconds ? String(Number(m.default_seconds.toFixed(2))) : "";
  const some = (m?.classes || []).slice().sort(() => Math.random() - 0.5).slice(0, shownIdeas);
  $("ideas").replaceChildren(...some.map(ideaButton));
  showFields();
}

// A button that takes a sound's name for the prompt. What was typed before can be had back.
function ideaButton(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => {
    const before = $("prompt").value;
    if (before.trim() && before !== name) {
      // The first text counts, where one name after the other is tried.
      if ($("undo").hidden) $("undo").dataset.text = before;
      $("undo").hidden = false;
    }
    $("prompt").value = name;
    $("prompt").focus();
  });
  return button;
}

function undoIdea() {
  $("prompt").value = $("undo").dataset.text;
  $("undo").hidden = true;
  $("prompt").focus();
}

// MARK: Fields

// Shows what counts for the operation; the rest is hidden, and disabled so that it can stop nothing.
export function showFields() {
  const abilities = model()?.abilities || ["edit", "score"];
  $("source").hidden = !source.blob;
  for (const radio of radios) {
    const isPossible = abilities.includes(radio.value === "score" ? "score" : "edit");
    // Sounds made here have all the frequencies that their model makes.
    radio.parentElement.hidden = !isPossible || (radio.value === "upsample" && source.isMade);
  }
  const first = radios.find((radio) => !radio.parentElement.hidden);
  if (first && radios.some((radio) => radio.checked && radio.parentElement.hidden)) first.checked = true;
  const now = operation();
  for (const part of $("form").querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(now);
  $("candidates").parentElement.hidden = !abilities.includes("score");
  for (const field of $("form").elements) {
    if (field.matches("input, select")) field.disabled = field.closest("[hidden]") !== null;
  }
  $("make-name").textContent = now === "score" ? "Score it" : "Make it";
}

function nameOf(field) {
  return field.getAttribute("aria-label") || field.labels[0].textContent.trim();
}

// Whether all fields that count hold what can be used; shows and names the first that does not.
function isComplete() {
  const seed = $("seed").value.trim();
  $("seed").setCustomValidity(
    /^\d*$/.test(seed) && BigInt(seed || 0) <= greatestSeed ? "" : "Give a whole number from 0 to " + greatestSeed + ".");
  $("prompt").setCustomValidity($("prompt").value.trim() ? "" : "Say what it should sound like.");
  const fields = [...$("form").elements].filter((field) => field.matches("input, select, textarea") && !field.disabled);
  const wrong = fields.find((field) => !field.validity.valid);
  if (wrong) show(wrong, nameOf(wrong) + ": " + wrong.validationMessage);
  return !wrong;
}

function show(field, text) {
  const closed = field.closest("details:not([open])");
  if (closed) closed.open = true;
  field.focus();
  say(text);
}

// What the form asks for; null if something in it has to be mended, which it says.
export function request() {
  clearMessages();
  if (!isComplete()) return null;
  const now = operation();
  const body = { prompt: $("prompt").value.trim() };
  if ($("model").value) body.model = $("model").value;
  if (now !== "generate") body.operation = now;
  for (const [id, name] of Object.entries(names)) {
    const field = $(id);
    if (field.disabled) continue;
    if (field.type === "checkbox") {
      if (field.checked) body[name] = true;
    } else if (field.value.trim() !== "") {
      body[name] = field.type === "number" || field.type === "range" ? Number(field.value) : field.value.trim();
    }
  }
  // The server asks for it; the placeholder says how much.
  if (now === "extend") body.seconds ??= Number($("added").placeholder);
  try {
    if (now === "inpaint") Object.assign(body, chosenPart());
  } catch (error) {
    show(error.field, error.message);
    return null;
  }
  return body;
}

export function startForm({ onSubmit, onModel }) {
  for (const radio of radios) radio.addEventListener("change", showFields);
  $("strength").addEventListener("input", () => { $("strength-value").textContent = $("strength").value; });
  $("undo").addEventListener("click", undoIdea);
  $("prompt").addEventListener("input", () => { $("undo").hidden = true; });
  $("model").addEventListener("change", () => {
    showModel();
    onModel();
  });
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit();
  });
  showFields();
}
