// Jobs on their way: what is put into the server's queue, how far it is, and what came of it.

import { bodyText, cancelJob, createJob, followJob, jobResult, ServerError } from "./api.js";
import { $, announce, hush, remember, remembered, say } from "./notices.js";

// Jobs in the order in which they are made. Only the first is followed, as browsers open few connections to a server.
const jobs = [];
// Jobs that the server may still be making, though it could not be reached: for when the page is loaded anew.
const unreachable = [];
let isFollowing = false;
let onSound = () => {};

const stages = { encoding: "Reading the prompt", denoising: "Denoising", decoding: "Decoding", vocoding: "Making the waveform" };
// Time in which an answer may still come to a request that is given up, in milliseconds.
const patience = 2000;

// Takes a job in. `kind` is what the button that ordered it calls it; `sound` the file to change, if there is one.
export function submit(body, { kind, sound } = {}) {
  const stop = new AbortController();
  const job = addJob({ body, kind, sound, stop });
  job.posted = createJob(body, sound, stop.signal).then((state) => {
    job.id = state.id;
    rememberJobs();
  });
  // Whether it failed is found out where it is waited for.
  job.posted.catch(() => {});
  announce("Making " + body.prompt);
  followFirst();
}

// Takes in what the form asks for, unless just that is on its way: who presses twice wants one.
export function submitOnce(body, order) {
  const text = bodyText(body);
  if (jobs.some((job) => job.text === text && job.sound === order.sound && !job.isCancelled)) {
    say("This is being made already. For more of it, take “Another seed” below it.", { about: text });
    return;
  }
  submit(body, order);
  jobs.at(-1).text = text;
}

// `hear` takes the sounds that are made.
export function startJobs(hear) { onSound = hear; }

// Follows what was on its way when the page was left; what `isKept` knows by its number has its sound already.
export function resumeJobs(isKept) {
  let left = [];
  try { left = JSON.parse(remembered("jobs")) || []; } catch { /* Nothing that can be used. */ }
  for (const { id, body, kind } of left) {
    if (!isKept(id)) addJob({ id, body, kind, posted: Promise.resolve() });
  }
  rememberJobs();
  followFirst();
}

export function cancelNewest() {
  const job = jobs.findLast((other) => !other.isCancelled);
  if (job) cancel(job);
  return Boolean(job);
}

function addJob(job) {
  job.row = $("job").content.firstElementChild.cloneNode(true);
  job.row.querySelector(".what").textContent = job.body.prompt;
  job.row.querySelector("progress").setAttribute("aria-label", "How far: " + job.body.prompt);
  const button = job.row.querySelector(".cancel");
  button.setAttribute("aria-label", "Cancel " + job.body.prompt);
  button.addEventListener("click", () => cancel(job));
  $("work").append(job.row);
  $("work").hidden = false;
  jobs.push(job);
  return job;
}

// Ends a job: at once on this page, on the server as soon as its number is known.
async function cancel(job) {
  job.isCancelled = true;
  takeAway(job);
  announce("Cancelled");
  const timer = setTimeout(() => job.stop?.abort(), patience);
  try {
    await job.posted;
    await cancelJob(job.id);
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof ServerError)) say(error.message);
  } finally {
    clearTimeout(timer);
  }
}

function takeAway(job) {
  if (job.row.contains(document.activeElement)) $("make").focus();
  job.row.remove();
  const place = jobs.indexOf(job);
  if (place >= 0) jobs.splice(place, 1);
  $("work").hidden = jobs.length === 0;
  hush(job.text);
  rememberJobs();
}

// The numbers of jobs, for when the page is loaded anew.
function rememberJobs() {
  const known = [...unreachable, ...jobs].filter((job) => job.id).map(({ id, body, kind }) => ({ id, body, kind }));
  remember("jobs", known.length ? JSON.stringify(known) : "");
}

async function followFirst() {
  if (isFollowing) return;
  isFollowing = true;
  while (jobs.length > 0) {
    const job = jobs[0];
    try {
      await job.posted;
      if (!job.isCancelled) await finish(job, await followJob(job.id, (state) => showProgress(job, state)));
    } catch (error) {
      if (!job.isCancelled) fail(job, error);
    }
  }
  isFollowing = false;
}

async function finish(job, state) {
  if (job.isCancelled) return;
  if (state.status === "failed") throw new ServerError(state.error.message, state.error.status);
  if (state.status === "cancelled") say("“" + job.body.prompt + "” was cancelled.");
  if (state.status === "completed") {
    if (state.warnings.length > 0) say(state.warnings);
    if (state.operation === "score") {
      const score = state.result.score.toFixed(3);
      say("Score for “" + job.body.prompt + "”: " + score + " (−1 to 1; compare sounds of one prompt).");
    } else {
      await onSound({
        job: job.id, time: Date.now(), body: job.body, kind: job.kind, blob: await jobResult(job.id),
        operation: state.operation, modelName: state.model, warnings: state.warnings,
        seed: state.result.seed, seconds: state.result.seconds, score: state.result.score,
      });
    }
  }
  takeAway(job);
}

// Shows why there is no sound.
function fail(job, error) {
  const isOver = error instanceof ServerError && error.status !== 401;
  if (!isOver) unreachable.push(job);
  takeAway(job);
  const isLost = isOver && error.status === 404 && job.id;
  say(isLost ? "“" + job.body.prompt + "”: the server no longer has it." : error.message);
}

function showProgress(job, { status, position, progress }) {
  const bar = job.row.querySelector("progress");
  let text = "Waiting";
  if (status === "queued" && position) text += " behind " + position + (position === 1 ? " other" : " others");
  if (progress) {
    bar.value = progress.share;
    text = stages[progress.stage] || progress.stage;
    if (progress.stage === "denoising") text += " " + progress.completed + "/" + progress.total;
    if (progress.seconds_left >= 1) text += ", about " + Math.round(progress.seconds_left) + " s left";
  }
  const line = job.row.querySelector(".stage");
  if (line.textContent !== text) line.textContent = text;
}
