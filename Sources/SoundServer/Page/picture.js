// A sound's picture on a canvas: axes, a mark where it plays, and a part that is chosen by pointer or keys.

import { announce } from "./notices.js";
import { decode, soundImage } from "./spectrum.js";

// Share of the height that the spectrogram takes; the waveform has the rest.
const spectrogramShare = 0.78;
const columns = 800, rows = 180;
// Step of the arrow keys, as a share of the sound and of the frequencies.
const keyStep = 0.02;
// Rate of sounds while no model is known that says its own.
const commonRate = 44100;

const round = (x, unit) => Math.round(Math.round(x / unit) * unit * 100) / 100;
const clamp = (x) => Math.min(Math.max(x, 0), 1);

// A selection in words.
export function selectionText({ times, frequencies }) {
  const part = times.map((time) => time.toFixed(2)).join("–") + " s";
  return frequencies ? part + ", " + frequencies.join("–") + " Hz" : part;
}

export class Picture {
  // `onSelect` hears what is chosen by hand (times in seconds, frequencies in Hz or none), and null where nothing is;
  // `onPlay` hears from where to play.
  constructor(canvas, { onSelect, onPlay }) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.onPlay = onPlay;
    this.selection = null;
    this.seconds = 0;
    this.listen();
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  // Shows a sound, up to half of a model's rate; nothing if this browser cannot read its file.
  async load(blob, rate = commonRate) {
    this.loading = blob;
    [this.image, this.seconds, this.selection, this.time] = [null, 0, null, 0];
    this.highest = rate / 2;
    this.canvas.hidden = false;
    this.paint();
    try {
      const { samples, seconds } = await decode(blob, rate);
      if (this.loading !== blob) return;
      this.seconds = seconds;
      this.image = soundImage(samples, rate, columns, rows, Math.round(rows * spectrogramShare));
      this.paint();
    } catch {
      if (this.loading === blob) this.canvas.hidden = true;
    }
  }

  // Says what the picture shows, and what the keys do.
  label(name) {
    this.canvas.setAttribute("aria-label", "Spectrogram of " + name + ". Arrows left and right choose a part and move it, "
      + "up and down a band of frequencies; with Shift they move its end or its top. "
      + (this.onPlay ? "Enter plays from there. " : "") + "Escape chooses nothing.");
  }

  // Shows a selection that comes from elsewhere.
  show(selection) {
    this.selection = selection;
    this.paint();
  }

  mark(time) {
    this.time = time;
    this.paint();
  }

  // MARK: Choosing

  // Chooses shares of the sound and of the frequencies; `band` is null for all of these.
  choose([from, to], band) {
    const start = round(from * this.seconds, 0.01);
    const end = to === 1 ? Math.ceil(this.seconds * 100) / 100 : round(to * this.seconds, 0.01);
    this.selection = {
      times: [start, Math.max(end, round(start + 0.01, 0.01))],
      frequencies: band ? band.map((share) => round(share * this.highest, 10)) : undefined,
    };
    this.paint();
    this.onSelect(this.selection);
  }

  clear() {
    if (!this.selection) return;
    this.selection = null;
    this.paint();
    this.onSelect(null);
    announce("Nothing chosen");
  }

  tell() {
    if (!this.selection) return;
    announce("Chosen: " + selectionText(this.selection) + (this.selection.frequencies ? "" : ", all frequencies"));
  }

  listen() {
    const { canvas } = this;
    let start = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
    };
    const isClick = (end) => Math.abs(end[0] - start[0]) < 0.01;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.seconds) return;
      start = place(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (start && !isClick(place(event))) this.drag(start, place(event));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!start) return;
      const end = place(event);
      if (isClick(end)) {
        this.clear();
        this.onPlay?.(end[0] * this.seconds);
      }
      start = null;
      this.tell();
    });
    canvas.addEventListener("pointercancel", () => { start = null; });
    canvas.addEventListener("keydown", (event) => this.press(event));
  }

  // A drag within the spectrogram that spans neither a line nor nearly all of its height chooses a band too.
  drag(a, b) {
    const ordered = (x, y) => [Math.min(x, y), Math.max(x, y)];
    const band = ordered(...[a[1], b[1]].map((y) => 1 - Math.min(y / spectrogramShare, 1)));
    const span = band[1] - band[0];
    const isBand = Math.max(a[1], b[1]) < spectrogramShare && span > 0.1 && span < 0.8;
    this.choose(ordered(a[0], b[0]), isBand ? band : null);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.seconds) return;
    if (event.key === "Escape" && this.selection) this.clear();
    else if (event.key === "Enter" && this.onPlay) this.onPlay(this.selection ? this.selection.times[0] : 0);
    else if (!this.move(event.key, event.shiftKey)) return;
    event.preventDefault();
  }

  // Moves the selection by an arrow key, or begins one. Returns false for other keys.
  move(key, isEnd) {
    const isInTime = key === "ArrowLeft" || key === "ArrowRight";
    if (!isInTime && key !== "ArrowUp" && key !== "ArrowDown") return false;
    // No less than what is shown: hundredths of a second.
    const least = isInTime ? Math.max(keyStep, 0.01 / this.seconds) : keyStep;
    const step = key === "ArrowLeft" || key === "ArrowDown" ? -least : least;
    const chosen = this.selection;
    let times = chosen ? chosen.times.map((time) => clamp(time / this.seconds)) : [0.4, 0.6];
    let band = chosen?.frequencies ? chosen.frequencies.map((hertz) => clamp(hertz / this.highest)) : null;
    const moved = ([low, high]) => {
      const by = isEnd ? Math.min(Math.max(step, low + least - high), 1 - high) : Math.min(Math.max(step, -low), 1 - high);
      return [isEnd ? low : clamp(low + by), clamp(high + by)];
    };
    if (isInTime && chosen) times = moved(times);
    if (!isInTime) band = band ? moved(band) : [0.25, 0.75];
    // A band of all frequencies is none.
    if (band && band[0] === 0 && band[1] === 1) band = null;
    this.choose(times, band);
    this.tell();
    return true;
  }

  // MARK: Painting

  paint() {
    const { canvas } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.image) return;
    context.drawImage(this.image, 0, 0, width, height);
    const top = Math.round(height * spectrogramShare);
    this.paintAxes(context, width, top);
    if (this.selection) {
      const [from, to] = this.selection.times.map((time) => clamp(time / this.seconds) * width);
      const [low, high] = (this.selection.frequencies || []).map((hertz) => top * (1 - clamp(hertz / this.highest)));
      const [y, h] = this.selection.frequencies ? [high, low - high] : [0, height];
      context.fillStyle = "rgba(255, 255, 255, 0.3)";
      context.fillRect(from, y, to - from, h);
      context.strokeStyle = "#fff";
      context.strokeRect(from + 0.5, y + 0.5, Math.max(to - from - 1, 0), Math.max(h - 1, 0));
    }
    if (this.time) {
      context.fillStyle = "#fff";
      context.fillRect((this.time / this.seconds) * width, 0, 1.5, height);
    }
  }

  // Ticks for kHz at the left, and for seconds at the top, where sounds are weakest.
  paintAxes(context, width, top) {
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    const tick = (text, x, y, dx, dy) => {
      context.strokeStyle = "rgba(255, 255, 255, 0.55)";
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
      context.stroke();
      // Letters have a dark rim, as the picture below them may be light.
      context.lineWidth = 3;
      context.strokeStyle = "rgba(0, 0, 0, 0.75)";
      context.strokeText(text, x + dx + 3, y + (dx ? 4 : 11));
      context.lineWidth = 1;
      context.fillStyle = "rgba(255, 255, 255, 0.9)";
      context.fillText(text, x + dx + 3, y + (dx ? 4 : 11));
    };
    const kilohertz = ticks(this.highest / 1000, 4);
    kilohertz.forEach((value, index) => {
      const isLast = index === kilohertz.length - 1;
      tick(isLast ? value + " kHz" : String(value), 0, Math.round(top * (1 - (value * 1000) / this.highest)) + 0.5, 6, 0);
    });
    for (const value of ticks(this.seconds, Math.max(2, Math.floor(width / 70)))) {
      const x = Math.round((value / this.seconds) * width) + 0.5;
      if (x < width - 28) tick(value + " s", x, 0, 0, 8);
    }
  }
}

// Round values above 0 and below `end`: about `count` of them, 1, 2 or 5 of a power of ten apart.
function ticks(end, count) {
  const power = 10 ** Math.floor(Math.log10(end / count));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => end / s <= count) || end;
  const values = [];
  for (let n = 1; n * step < end * 0.999; n += 1) values.push(Number((n * step).toPrecision(6)));
  return values;
}
