// A listening test that runs from a folder: test.js says what is heard, this asks, keeps and exports.
"use strict";

(function () {
  const test = window.LISTENING_TEST;
  const stage = document.getElementById("step");
  const status = document.getElementById("status");
  const bar = document.getElementById("progress");
  if (!test) {
    stage.textContent = "test.js is missing: unpack the whole folder, and open its index.html.";
    return;
  }
  document.title = test.title;

  // MARK: State, kept in the browser after every answer

  const fresh = (rater) => ({
    test: test.id, rater, order: orderOf(rater), step: 0, answers: [], headphones: [],
    started: new Date().toISOString(), finished: null,
  });
  const key = (rater) => "listening-test/" + test.id + "/" + rater;
  const lastKey = "listening-test/" + test.id;
  let state = null;
  let keeps = true;

  /** Whoever has a number takes the order of that number; another code takes one by its letters. */
  function orderOf(rater) {
    const count = test.orders.length;
    if (/^\d{1,9}$/.test(rater)) return (Number(rater) + count - 1) % count;
    let hash = 2166136261;
    for (const character of rater) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
    return hash % count;
  }

  function load(rater) {
    try {
      const kept = JSON.parse(localStorage.getItem(key(rater)));
      if (kept && kept.test === test.id && kept.rater === rater && Array.isArray(kept.answers)) return kept;
    } catch (error) { keeps = false; }
    return null;
  }

  function save() {
    try {
      localStorage.setItem(key(state.rater), JSON.stringify(state));
      localStorage.setItem(lastKey, state.rater);
    } catch (error) { keeps = false; }
  }

  // MARK: Building blocks

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes || {})) {
      if (attribute === "onclick") element.addEventListener("click", value);
      else if (typeof value === "boolean") element[attribute] = value;
      else element.setAttribute(attribute, value);
    }
    element.append(...children);
    return element;
  }

  function show(title, ...children) {
    keyHandler = null;
    status.textContent = "";
    const heading = make("h1", { tabindex: "-1" }, title);
    stage.replaceChildren(heading, ...children);
    window.scrollTo(0, 0);
    heading.focus();
  }

  const paragraphs = (texts) => texts.map((text) => make("p", {}, text));

  // MARK: Sounds

  const sounds = new Map();
  let keyHandler = null;

  function sound(name) {
    if (!sounds.has(name)) {
      const audio = new Audio("clips/" + name + ".wav");
      audio.preload = "auto";
      sounds.set(name, audio);
    }
    return sounds.get(name);
  }

  function stopAll() {
    for (const audio of sounds.values()) {
      audio.pause();
      audio.onended = audio.ontimeupdate = audio.onerror = null;
    }
    sounds.clear();
  }

  /** A button that plays a sound from its beginning to its end, and how far it is. */
  function player(name, ended) {
    const audio = sound(name);
    const gauge = make("progress", { max: "1", value: "0", "aria-label": "How far the sound is" });
    const button = make("button", { type: "button", id: "play" }, "Play");
    let plays = 0;
    async function play() {
      if (!audio.paused && !audio.ended) return;
      button.disabled = true;
      status.textContent = "Playing";
      try {
        audio.currentTime = 0;
        await audio.play();
      } catch (error) { failed(); }
    }
    function failed() {
      button.disabled = false;
      button.textContent = "Try again";
      status.textContent = "The sound cannot be played. Is the folder complete, and is sound allowed for this page?";
      audio.load();
    }
    audio.onerror = failed;
    audio.ontimeupdate = () => { if (audio.duration) gauge.value = audio.currentTime / audio.duration; };
    audio.onended = () => {
      plays += 1;
      gauge.value = 1;
      button.disabled = false;
      button.textContent = "Play again";
      status.textContent = "The sound has ended.";
      ended(plays);
    };
    button.addEventListener("click", play);
    return { element: make("div", { class: "player" }, button, gauge), play, plays: () => plays };
  }

  // MARK: Steps

  function steps() {
    const list = [{ show: instructions }];
    if (test.headphones.length) {
      list.push({ show: headphoneIntroduction });
      for (const trial of test.headphones) list.push({ show: () => headphoneTrial(trial) });
    }
    const order = test.orders[state.order];
    for (const block of order) {
      const question = test.questions[block.question];
      list.push({ show: () => blockIntroduction(question) });
      for (const trial of block.trials) {
        list.push({ counts: true, show: () => (question.mushra ? mushraTrial : ratingTrial)(question, trial) });
      }
    }
    list.push({ show: finish });
    return list;
  }

  let list = [];

  function advance() {
    state.step += 1;
    save();
    current();
  }

  function current() {
    stopAll();
    const place = Math.min(state.step, list.length - 1);
    const share = Math.round((100 * place) / (list.length - 1));
    bar.setAttribute("aria-valuenow", share);
    bar.firstElementChild.style.width = share + "%";
    list[place].show();
  }

  function next(label, action, enabled) {
    return make("button", { type: "button", id: "next", onclick: action, disabled: !enabled }, label);
  }

  function welcome() {
    let kept = "";
    try { kept = localStorage.getItem(lastKey) || ""; } catch (error) { keeps = false; }
    const given = new URLSearchParams(location.search).get("rater") || kept;
    const field = make("input", { type: "text", id: "rater", autocomplete: "off", maxlength: "40", value: given });
    const start = () => {
      const rater = field.value.trim();
      if (!/^[\w.-]{1,40}$/.test(rater)) {
        status.textContent = "Please enter the number or code that you were given: letters, digits, dots and dashes.";
        field.focus();
        return;
      }
      state = load(rater) || fresh(rater);
      list = steps();
      save();
      current();
      if (!keeps) status.textContent = "This browser keeps nothing: please finish without closing or reloading the page.";
    };
    show(test.title, ...paragraphs(test.welcome),
      make("p", {}, make("label", { for: "rater" }, "Your number or code"), make("br"), field),
      make("div", { class: "row" }, next("Start", start, true)));
    keyHandler = (event) => { if (event.key === "Enter") start(); };
  }

  function instructions() {
    show("How it works", make("ul", {}, ...test.instructions.map((text) => make("li", {}, text))),
      make("div", { class: "row" }, next("Go on", advance, true)));
    keyHandler = (event) => { if (event.key === "Enter" && event.target.tagName !== "BUTTON") advance(); };
  }

  function headphoneIntroduction() {
    show("Headphones", ...paragraphs(test.headphoneTexts),
      make("div", { class: "row" }, next("Go on", advance, true)));
    keyHandler = (event) => { if (event.key === "Enter" && event.target.tagName !== "BUTTON") advance(); };
  }

  function choices(name, labels, chosen) {
    return labels.map(([value, label]) => {
      const input = make("input", { type: "radio", name, value: String(value), id: name + value });
      input.addEventListener("change", () => chosen(value));
      return make("label", { class: "choice", for: name + value }, input, label);
    });
  }

  /** Digits choose, Enter goes on, P and the space bar play. */
  function ratingKeys(field, play, forward) {
    return (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^[1-9]$/.test(event.key) && !field.disabled) {
        const input = field.querySelector('input[value="' + event.key + '"]');
        if (input) input.click();
      } else if (event.key === "p" || event.key === "P" || (event.key === " " && event.target === document.body)) {
        event.preventDefault();
        play();
      } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
        event.preventDefault();
        forward();
      }
    };
  }

  /** One clip, and one choice that opens when it has ended. */
  function choosing({ title, prompt, legend, labels, clip, hint, done }) {
    const field = make("fieldset", { disabled: true }, make("legend", {}, legend));
    let rating = null;
    let opened = 0;
    const forward = () => {
      if (rating === null) {
        status.textContent = field.disabled ? "Please hear the sound to its end first." : "Please choose an answer.";
        return;
      }
      done({ rating, plays: sounding.plays(), seconds: Math.round((Date.now() - opened) / 10) / 100 });
    };
    const button = next("Next", forward, false);
    field.append(...choices("rating", labels, (value) => {
      rating = value;
      button.disabled = false;
    }));
    const sounding = player(clip, () => {
      if (!field.disabled) return;
      field.disabled = false;
      opened = Date.now();
      status.textContent = "The sound has ended: please choose.";
      const first = field.querySelector("input");
      if (first) first.focus();
    });
    const parts = [sounding.element, field];
    if (prompt) parts.unshift(make("blockquote", { class: "prompt" }, prompt));
    show(title, ...parts, make("div", { class: "row" }, button), make("p", { class: "hint" }, hint));
    keyHandler = ratingKeys(field, sounding.play, forward);
  }

  const keyHint = "Keys: P plays, digits choose, Enter goes on.";

  function headphoneTrial(trial) {
    choosing({
      title: "Headphones: " + (state.headphones.length + 1) + " of " + test.headphones.length,
      legend: "Which of the three tones is the quietest?", labels: [[1, "The first"], [2, "The second"], [3, "The third"]],
      clip: trial, hint: keyHint,
      done: (answer) => {
        record(state.headphones, { question: "HEADPHONES", clip: trial, training: false }, answer);
        advance();
      },
    });
  }

  function blockIntroduction(question) {
    show(question.heading, ...paragraphs(question.introduction),
      make("div", { class: "row" }, next("Go on", advance, true)));
    keyHandler = (event) => { if (event.key === "Enter" && event.target.tagName !== "BUTTON") advance(); };
  }

  function record(answers, trial, answer) {
    answers.push(Object.assign({ at: new Date().toISOString() }, trial, answer));
    save();
  }

  function titleOf(question, trial) {
    if (trial.training) return "For practice";
    const counted = test.orders[state.order].flatMap((block) => block.trials.filter((t) => !t.training));
    return "Sound " + (counted.indexOf(trial) + 1) + " of " + counted.length;
  }

  function ratingTrial(question, trial) {
    choosing({
      title: titleOf(question, trial), prompt: trial.prompt, legend: question.text, labels: question.labels, clip: trial.clip,
      hint: keyHint,
      done: (answer) => {
        record(state.answers, { question: question.name, clip: trial.clip, training: Boolean(trial.training) }, answer);
        advance();
      },
    });
  }

  // MARK: MUSHRA

  function mushraTrial(question, trial) {
    let playing = null;
    const started = Date.now();
    const rows = [];
    const goOn = next("Next", forward, false);
    const named = [["Reference", trial.reference], ...trial.clips.map((clip, place) => ["Sound " + (place + 1), clip])];

    /** Goes on from the same place in another version. */
    async function play(row) {
      const place = playing && !playing.audio.ended && !playing.audio.paused ? playing.audio.currentTime : 0;
      if (playing) {
        playing.audio.pause();
        playing.button.setAttribute("aria-pressed", "false");
      }
      playing = row;
      row.button.setAttribute("aria-pressed", "true");
      try {
        row.audio.currentTime = place;
        await row.audio.play();
        status.textContent = row.label + " is playing";
      } catch (error) {
        status.textContent = row.label + " cannot be played. Is the folder complete?";
      }
    }

    function forward() {
      if (goOn.disabled) {
        status.textContent = "Please hear every sound to its end, and rate each.";
        return;
      }
      const seconds = Math.round((Date.now() - started) / 10) / 100;
      for (const row of rows.filter((row) => row.slider)) {
        record(state.answers, { question: question.name, clip: row.clip, training: Boolean(trial.training) },
          { rating: Number(row.slider.value), plays: row.plays, seconds });
      }
      advance();
    }

    const check = () => { goOn.disabled = !rows.every((row) => row.heard && (!row.slider || row.moved)); };
    for (const [label, clip] of named) {
      const row = { label, clip, audio: sound(clip), heard: false, moved: false, plays: 0, slider: null };
      row.button = make("button", { type: "button", class: "plain", "aria-pressed": "false", onclick: () => play(row) }, label);
      row.audio.onended = () => {
        row.heard = true;
        row.plays += 1;
        row.button.setAttribute("aria-pressed", "false");
        status.textContent = row.label + " has ended.";
        if (row.slider) row.slider.disabled = false;
        check();
      };
      row.element = make("div", {}, row.button);
      if (clip !== trial.reference || label !== "Reference") {
        row.slider = make("input", { type: "range", min: "0", max: "100", step: "1", value: "50", disabled: true, "aria-label": label + ", 0 bad to 100 excellent" });
        const output = make("output", {}, "–");
        row.slider.addEventListener("input", () => {
          row.moved = true;
          output.textContent = row.slider.value;
          check();
        });
        row.element.append(row.slider, output);
      }
      rows.push(row);
    }
    show(titleOf(question, trial), make("p", {}, question.text),
      make("div", { class: "scale", "aria-hidden": "true" }, ...["Bad", "Poor", "Fair", "Good", "Excellent"].map((word) => make("span", {}, word))),
      make("div", { class: "mushra" }, ...rows.map((row) => row.element)),
      make("div", { class: "row" }, goOn),
      make("p", { class: "hint" }, "Keys: 0 plays the reference, digits the sounds, arrows move a slider, Enter goes on."));
    keyHandler = (event) => {
      if (/^[0-9]$/.test(event.key) && rows[Number(event.key)]) play(rows[Number(event.key)]);
      else if (event.key === "Enter" && event.target.tagName !== "BUTTON") forward();
    };
  }

  // MARK: Export

  const columns = ["test", "rater", "order", "question", "clip", "rating", "plays", "seconds", "training", "at"];

  function answers() {
    return [...state.headphones, ...state.answers].map((answer) => ({
      test: test.id, rater: state.rater, order: state.order + 1, ...answer, training: answer.training ? 1 : 0,
    }));
  }

  function csv() {
    const cell = (value) => (/[",\n\r]/.test(String(value)) ? '"' + String(value).replace(/"/g, '""') + '"' : String(value));
    const rows = answers().map((answer) => columns.map((column) => cell(answer[column])).join(","));
    return [columns.join(","), ...rows].join("\n") + "\n";
  }

  function json() {
    return JSON.stringify({
      test: test.id, rater: state.rater, order: state.order + 1, started: state.started, finished: state.finished,
      answers: answers(),
    }, null, 1) + "\n";
  }

  function download(text, type, extension) {
    const link = make("a", {
      href: URL.createObjectURL(new Blob([text], { type })), download: "results-" + test.id + "-" + state.rater + "." + extension,
    });
    document.body.append(link);
    link.click();
    link.remove();
    status.textContent = "Saved with your browser's downloads.";
  }

  function finish() {
    state.finished = state.finished || new Date().toISOString();
    save();
    const text = make("textarea", { readonly: "", id: "csv", "aria-label": "The answers as text" });
    text.value = csv();
    show("Thank you", ...paragraphs(test.thanks),
      make("div", { class: "row" },
        make("button", { type: "button", id: "save-csv", onclick: () => download(csv(), "text/csv", "csv") }, "Save as CSV"),
        make("button", { type: "button", id: "save-json", class: "plain", onclick: () => download(json(), "application/json", "json") }, "Save as JSON")),
      make("p", { class: "hint" }, "If saving does not work here, copy this text:"), text);
  }

  document.addEventListener("keydown", (event) => {
    if (keyHandler) keyHandler(event);
  });
  window.addEventListener("beforeunload", (event) => {
    if (!keeps && state && !state.finished) event.preventDefault();
  });
  welcome();
})();
