// The sound to change: which one it is, and the part of it that is chosen, by numbers or on its picture.

import { $, announce, say } from "./notices.js";
import { Picture } from "./picture.js";

// `blob` is null while a sound is made of the prompt alone; `isMade` tells sounds of this page from files.
export const source = { blob: null, name: "", isMade: false };

const numbers = ["from", "to", "low", "high"];
let picture = null;
let changed = () => {};
let modelRate = () => undefined;

// Wires the numbers, the picture and files that are dropped. `onChange` hears when there is another sound, or none; `onDraw`
// when a part is drawn; `rate` gives the model's rate.
export function startSource({ onChange, onDraw, rate }) {
  changed = onChange;
  modelRate = rate;
  picture = new Picture($("source-picture"), {
    onSelect: (selection) => {
      write(selection);
      if (selection) onDraw();
    },
  });
  for (const id of numbers) $(id).addEventListener("input", () => picture.show(selectionOfNumbers()));
  $("source-clear").addEventListener("click", () => {
    leaveSource();
    $("prompt").focus();
  });
  $("file").addEventListener("change", () => {
    takeFile($("file").files[0]);
    // The same file can be chosen again.
    $("file").value = "";
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    takeFile(event.dataTransfer.files[0]);
  });
}

// Takes a sound to change, and forgets the part that was chosen of another.
export function useSource(blob, name, isMade) {
  Object.assign(source, { blob, name, isMade });
  write(null);
  // The frequency above which another sound lacked highs.
  $("above").value = "";
  $("source-name").textContent = name;
  picture.label(name);
  changed();
  showPicture();
  $("form").scrollIntoView();
  $("prompt").focus({ preventScroll: true });
  announce(name + " is the sound to change");
}

export function leaveSource() {
  Object.assign(source, { blob: null, name: "", isMade: false });
  write(null);
  changed();
}

// Draws the sound, again where another model has another rate.
export function showPicture() {
  if (source.blob) picture.load(source.blob, modelRate()).then(() => picture.show(selectionOfNumbers()));
}

// MARK: Files

async function takeFile(file) {
  if (!file) return;
  if (await isSound(file)) useSource(file, file.name, false);
  else say("“" + file.name + "” is no sound that can be read here: take WAV, FLAC, OGG, Opus, MP3 or AIFF.");
}

// Whether a file begins as those do that the server reads.
async function isSound(file) {
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer().catch(() => new ArrayBuffer(0)));
  const head = String.fromCharCode(...bytes);
  if (/^(RIFF|RF64|RIFX)....WAVE|^FORM....AIF[FC]|^(fLaC|OggS|ID3|\.snd|caff|riff)/s.test(head)) return true;
  // MPEG's frames begin with eleven ones; those whose layer is 0 are AAC.
  return bytes[0] === 0xff && (bytes[1] & 0xe0) === 0xe0 && (bytes[1] & 0x06) !== 0;
}

// MARK: The part

const number = (id) => ($(id).value === "" ? undefined : Number($(id).value));

// The part that the numbers mean, as a request has it.
// Throws a `RangeError` whose `field` is the one to mend.
export function chosenPart() {
  const [from, to, low, high] = numbers.map(number);
  const [start, lowest] = [from || 0, low || 0];
  const fail = (text, field) => { throw Object.assign(new RangeError(text), { field: $(field) }); };
  const end = to ?? (from === undefined ? undefined : Math.ceil(picture.seconds * 100) / 100 || undefined);
  if (from !== undefined && end === undefined) fail("To: say where the part ends, in seconds.", "to");
  if (end <= start) fail("From " + start + " to " + end + " s: the end comes after the beginning.", "to");
  if (high <= lowest) fail("From " + lowest + " to " + high + " Hz: the higher one comes second.", "high");
  const part = {};
  if (end !== undefined) part.times = [[start, end]];
  if (high !== undefined) part.frequencies = [lowest, high];
  else if (low) part.frequencies = [low];
  if (!part.times && !part.frequencies) fail("Choose a part first: draw it on the picture, or give its times.", "from");
  return part;
}

// The same for the picture; null as long as the numbers mean no part.
function selectionOfNumbers() {
  try {
    const { times, frequencies } = chosenPart();
    const band = frequencies && [frequencies[0], frequencies[1] ?? picture.highest];
    return { times: times?.[0] ?? [0, picture.seconds], frequencies: band };
  } catch { return null; }
}

function write(selection) {
  const values = selection ? [...selection.times, ...(selection.frequencies || ["", ""])] : ["", "", "", ""];
  numbers.forEach((id, index) => { $(id).value = values[index]; });
}
