// Shows the state of the store: polls operator/status every two seconds. All content is inserted as text.
(() => {
"use strict";

const EVERY_MS = 2000, PATIENCE_MS = 6000, SHOWN_MS = 120000, RATE_MS = 10000;
// From these values on, a number is a warning.
const LONG_BACKLOG = 1000, OLD_S = 10;

const find = id => document.getElementById(id);
const digits = new Intl.NumberFormat("en");
const count = n => n === null || n === undefined ? "–" : digits.format(n);
const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;
const today = time => new Date(time).toDateString() === new Date().toDateString();
/** In the browser's time zone, with the date unless it is today. */
const clock = time => new Date(time).toLocaleString("en-GB", { timeStyle: "medium", ...(today(time) ? {} : { dateStyle: "medium" }) });
/** The name of the time zone at that time. */
const zone = time => new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(new Date(time))
  .find(part => part.type === "timeZoneName").value;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

/** Sets the text and renders `…` as code. */
function say(node, text) {
  if (node.dataset.said === text) return;
  node.dataset.said = text;
  node.replaceChildren(...text.split("`").map((part, at) => at % 2
    ? make("code", {}, ...part.split(" ").flatMap((word, n) => [n ? " " : "", make("span", {}, word)])) : part));
}

function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at++; }
  return `${bytes < 10 && at ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
}

function age(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 120) return many(Math.round(seconds), "second");
  return seconds < 7200 ? many(Math.round(seconds / 60), "minute") : many(Math.round(seconds / 3600), "hour");
}

/** "199,000 usd in minor units, 1 of unknown amount". */
function owed({ currencies, unknown_amounts }) {
  const sums = currencies.filter(sum => sum.amount > 0).map(sum => `${count(sum.amount)} ${sum.currency ?? "of other or no currency"}`);
  return [sums.length ? `${sums.join(", ")} in minor units` : "", unknown_amounts ? `${count(unknown_amounts)} of unknown amount` : ""]
    .filter(Boolean).join(", ");
}

// ---- Content of each tile: [value, level, note]
// Levels: ok, warn, bad, unknown; due: work that the sale leaves behind, not a fault.

const unread = ["–", "unknown", "Unknown while the ledger cannot be read."];
const tiles = {
  consumer: ["Consumer", s => s.consumer.active
    ? ["Active", "ok", s.consumer.process ? `Process ${s.consumer.process} decides and records.` : "Decides and records."]
    : ["None", "bad", "Orders wait for a consumer. Start one: `stocktake run` or `stocktake consume`."]],
  redis: ["Redis", s => s.redis.ok
    ? ["Healthy", "ok", `${s.redis.version ?? "unknown version"}, ${size(s.redis.used_memory_bytes)} in use, ${s.redis.url}`]
    : ["Not healthy", "bad", s.redis.detail || "It cannot be reached: `stocktake doctor` shows why."]],
  ledger: ["Ledger", s => s.ledger.ok
    ? ["Healthy", s.ledger.detail ? "warn" : "ok", s.ledger.detail
      || `${size(s.ledger.bytes)}, ${s.ledger.path}${s.ledger.checked_at ? `; read for damage at ${clock(s.ledger.checked_at)}` : ""}`]
    : ["Not healthy", "bad", s.ledger.detail || "It cannot be read: `stocktake ledger check` shows why."]],
  backlog: ["Backlog", s => s.backlog === null ? ["–", "unknown", "Unknown while Redis cannot be read."]
    : [count(s.backlog), s.backlog >= LONG_BACKLOG ? "warn" : "ok", s.backlog === 0 ? "Every message has been read."
      : `${many(s.backlog, "message")} not yet read.${s.backlog < LONG_BACKLOG ? "" : s.consumer.active
        ? " If it does not shrink, check disk and load." : " No consumer reads them: start one."}`]],
  pending: ["Pending", s => {
    if (s.pending === null) return ["–", "unknown", "Unknown while Redis cannot be read."];
    const waits = s.oldest_pending_s, isOld = waits !== null && waits >= OLD_S;
    return [count(s.pending), isOld ? "warn" : "ok", waits === null || (s.pending === 0 && s.backlog === 0)
      ? "Every message read is acknowledged." : `The oldest has waited for ${age(waits)}.${isOld ? " `stocktake doctor` shows the cause." : ""}`];
  }],
  unannounced: ["Unannounced", s => s.unannounced === null ? ["–", "unknown", "Unknown while Redis or the ledger cannot be read."]
    : s.unannounced === 0 ? ["0", "ok", "Every outcome is on its stream."]
      : [count(s.unannounced), s.unannounced >= LONG_BACKLOG ? "warn" : "ok", `${many(s.unannounced, "outcome waits", "outcomes wait")} in the ledger.${
        s.unannounced < LONG_BACKLOG ? "" : s.consumer.active ? " If it does not shrink, `stocktake doctor` shows why." : " A consumer announces them when it starts."}`]],
  dead_letters: ["Dead letters", s => s.dead_letters === null ? unread : s.dead_letters === 0 ? ["0", "ok", "None are open."]
    : [count(s.dead_letters), "bad", `${many(s.dead_letters, "message")} could not be processed: \`stocktake dead-letters list --status open\``]],
  replays: ["Replays", s => s.replays_wanted === null ? unread : [count(s.replays_wanted), "ok", s.replays_wanted === 0 ? "No replays are waiting."
    : `${many(s.replays_wanted, "dead letter is", "dead letters are")} published again as soon as a consumer can.`]],
  refunds_due: ["Refunds due", s => s.refunds_due === null ? unread : s.refunds_due.count === 0 ? ["0", "ok", "No refunds are due."]
    : [count(s.refunds_due.count), "due", `${owed(s.refunds_due)}. Refund them: \`stocktake refunds list\``]],
  drift: ["Drift", s => {
    if (!s.drift) return ["–", "unknown", "Counters and ledger have not been compared yet."];
    if (s.drift.detail !== undefined) return ["–", "unknown", `Not compared: ${s.drift.detail}`];
    return s.drift.counters === 0 ? ["0", "ok", `Counters and ledger agreed at ${clock(s.drift.compared_at)}.`]
      : [count(s.drift.counters), "bad", `${many(s.drift.counters, "counter differs", "counters differ")} from the ledger: \`stocktake reconcile\`, then \`stocktake reconcile --repair\`.`];
  }],
  epoch: ["Epoch", s => {
    return [count(s.epoch), "ok", `Seq ${count(s.seq)} is recorded, ${count(s.settled)} acknowledged.`];
  }],
  orders: ["Orders", s => [count(s.orders), "ok", "All orders in the ledger."]],
  subscribers: ["Watching", s => [count(s.subscribers), "ok", "Open event streams of this process."]],
};

const marks = { ok: "OK", due: "Due", warn: "Check", bad: "Act", unknown: "Unknown" };
/** Tiles without a verdict. */
const plain = ["epoch", "orders", "subscribers", "replays"];
const views = {};
for (const [key, [name]] of Object.entries(tiles)) {
  const mark = make("span", { class: "mark" }), value = make("p", { class: "value" }), note = make("p", { class: "note" });
  const node = make("div", { class: "tile", id: key, "data-level": "unknown" },
    make("div", { class: "head" }, make("h3", {}, name), mark), value, note);
  find("tiles").append(node);
  views[key] = { node, mark, value, note };
}

function showTiles(status) {
  const problems = [];
  for (const [key, [name, tell]] of Object.entries(tiles)) {
    const [value, level, note] = tell(status), view = views[key];
    view.node.dataset.level = level;
    put(view.mark, plain.includes(key) ? "" : marks[level]);
    put(view.value, value);
    say(view.note, note);
    if (level === "bad" || level === "warn" || level === "due") problems.push({ name, level, note });
  }
  const isBad = problems.some(p => p.level === "bad"), wrong = problems.filter(p => p.level !== "due").length;
  find("verdict").dataset.level = isBad ? "bad" : wrong ? "warn" : "ok";
  put(find("summary"), wrong ? `${many(problems.length, "thing needs", "things need")} attention`
    : problems.length ? "All is running; refunds are due" : "All is well");
  const list = find("problems");
  while (list.children.length > problems.length) list.lastChild.remove();
  while (list.children.length < problems.length) list.append(make("li"));
  problems.forEach(({ name, note }, at) => say(list.children[at], `${name}: ${note}`));
}

// ---- Orders per second

// Refused orders count, too: the rate is of rows in the ledger, not of changes of the counters.
let samples = [];

function showRate(status) {
  if (status.orders === null) return;
  const at = Date.parse(status.as_of), last = samples.at(-1);
  // Another ledger, or a clock that was set back: start again.
  if (last && (at <= last.at || status.orders < last.orders)) samples = [];
  samples.push({ at, orders: status.orders });
  samples = samples.filter(sample => at - sample.at <= SHOWN_MS + RATE_MS);
  const rates = [];
  for (let i = 1; i < samples.length; i++) {
    const [from, to] = [samples[i - 1], samples[i]];
    rates.push({ at: to.at, rate: (to.orders - from.orders) / ((to.at - from.at) / 1000) });
  }
  if (!rates.length) return;
  const first = samples.find(sample => at - sample.at <= RATE_MS) ?? samples[0];
  const from = first.at === at ? samples.at(-2) : first;
  const rate = (status.orders - from.orders) / ((at - from.at) / 1000);
  const show = r => r >= 100 || r === 0 ? count(Math.round(r)) : r.toFixed(1);
  put(find("rate"), show(rate));
  const seen = rates.filter(each => at - each.at <= SHOWN_MS);
  // There are no samples from before the page was opened.
  const covered = age(Math.max(1, Math.min(SHOWN_MS, at - samples[0].at) / 1000));
  const most = Math.max(...seen.map(each => each.rate));
  put(find("rate-note"), `Over the last ${Math.max(1, Math.round((at - from.at) / 1000))} s; maximum in the last ${covered}: ${show(most)}`);
  const high = Math.max(most, 1);
  const points = seen.map(each => `${(120 - (at - each.at) / 1000).toFixed(1)},${(39 - 37 * each.rate / high).toFixed(1)}`);
  find("spark-line").setAttribute("points", points.join(" "));
  const [left, right] = [points[0].split(",")[0], points.at(-1).split(",")[0]];
  find("spark-area").setAttribute("points", `${left},40 ${points.join(" ")} ${right},40`);
  find("spark").setAttribute("aria-label", `Orders per second, last ${covered}: now ${show(rate)}, at most ${show(most)}`);
}

// ---- Outcomes

const outcomeWords = { dead_letter: "dead letter" };
let shownOutcomes = "";

function showOutcomes(outcomes) {
  const text = JSON.stringify(outcomes);
  if (text === shownOutcomes) return;
  shownOutcomes = text;
  find("no-outcomes").hidden = outcomes.length > 0;
  if (outcomes.length) put(find("zone"), zone(outcomes[0].decided_at ?? Date.now()));
  find("outcomes").replaceChildren(...outcomes.map(o => make("tr", {},
    make("td", {}, o.decided_at ? clock(o.decided_at) : ""),
    make("td", { class: `outcome ${/^[a-z_]+$/.test(o.outcome) ? o.outcome : ""}` }, outcomeWords[o.outcome] ?? o.outcome),
    make("td", {}, Object.keys(o).filter(k => k.endsWith("_id")).map(k => o[k]).filter(Boolean).join(" / ")),
    make("td", {}, (o.reason ?? "").replaceAll("_", " ")),
    make("td", { class: "number" }, o.units === null || o.units === "" ? "" : `${o.units ?? ""}`),
    make("td", { class: "number" }, `${o.seq ?? ""}`))));
}

// ---- Polling

let knownAt = null, isAsking = false, timer = 0;

/** The tiles are out of date: they get no verdict. */
function greyTiles() {
  for (const { node, mark } of Object.values(views)) {
    node.dataset.level = "unknown";
    put(mark, marks.unknown);
  }
  find("verdict").dataset.level = "unknown";
}

function lost(why) {
  greyTiles();
  document.body.dataset.live = "lost";
  put(find("notice"), knownAt ? `${why} Showing the state at ${clock(knownAt)} ${zone(knownAt)}. Trying again…` : `${why} Trying again…`);
  find("notice").hidden = false;
  put(find("summary"), "The server cannot be reached");
}

async function ask() {
  if (isAsking) return;
  clearTimeout(timer);
  isAsking = true;
  try {
    const answer = await fetch("operator/status", { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status === 401 ? "The token is no longer valid: reload the page."
      : `The server responded with an error (${answer.status}).`);
    const status = await answer.json();
    knownAt = status.as_of;
    document.body.dataset.live = "live";
    find("notice").hidden = true;
    find("main").removeAttribute("aria-busy");
    put(find("store"), status.store);
    put(find("as-of"), `Stocktake ${status.version}, as of ${clock(status.as_of)} ${zone(status.as_of)}`);
    document.title = `${status.store} – Stocktake`;
    showTiles(status);
    showRate(status);
    showOutcomes(status.outcomes);
  } catch (error) {
    lost(error instanceof TypeError || error.name === "TimeoutError" ? "The connection to the server is lost." : error.message);
  }
  isAsking = false;
  timer = setTimeout(ask, EVERY_MS);
}

addEventListener("online", ask);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
ask();
})();
