// The drop, live: the list from v1/products, then changes of availability from v1/events.
// All catalogue content is inserted as text, never as markup.
(() => {
"use strict";

// The server accepts 200 ids per stream; a browser opens six connections per server, shared by all its tabs.
const IDS_PER_STREAM = 200, URL_LENGTH = 7500, STREAMS = 4, PAGE = 200;
// The server sends a heartbeat every 10 s. A short interruption ends before the page reports it: a browser reconnects
// after 1.5 to 5 s, as the server requests.
const SILENCE_MS = 25000, GRACE_MS = 6000, LONGEST_WAIT_MS = 15000;
const ANNOUNCE_MS = 5000;
// With more units than this, one light for each is no longer a readable picture.
const MOST_LIGHTS = 3000;
// Maximum distance between lights, in pixels.
const WIDEST = 60;

const find = id => document.getElementById(id);
const main = find("main"), heroPlace = find("hero"), others = find("others"), list = find("products");
const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const digits = new Intl.NumberFormat("en");
const count = n => digits.format(n);

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

// ---- Availability as text

/** Units that can still be bought; null if unlimited. */
const leftOf = f => f.is_active && f.is_available ? f.available_quantity : f.max_quantity === null ? null : 0;

function stateOf(f) {
  if (!f.is_active) return "closed";
  if (!f.is_available) return "sold-out";
  const left = f.available_quantity, cap = f.max_quantity;
  if (left === null) return "available";
  // With half of an edition of ten left, "only" would be wrong.
  const isLow = cap === null ? left <= 10 : left <= cap / 20 || (left <= 10 && left < cap / 2);
  return isLow ? "low" : "available";
}

const stateWords = { closed: "Closed", "sold-out": "Sold out" };

function words(f) {
  const state = stateOf(f), left = leftOf(f);
  if (stateWords[state]) return stateWords[state];
  if (state === "low") return `Only ${count(left)} left`;
  return f.max_quantity === null ? "Available" : `${count(left)} of ${count(f.max_quantity)} left`;
}

// ---- Bars and lights

function meter(name, node) {
  node.setAttribute("role", "meter");
  node.setAttribute("aria-label", `Units left of ${name}`);
  node.setAttribute("aria-valuemin", "0");
  return f => {
    node.setAttribute("aria-valuemax", f.max_quantity);
    node.setAttribute("aria-valuenow", Math.min(leftOf(f), f.max_quantity));
    node.setAttribute("aria-valuetext", `${count(leftOf(f))} of ${count(f.max_quantity)} left`);
  };
}

function bar(name) {
  const fill = make("span", { class: "fill" }), node = make("div", { class: "bar" }, fill), tell = meter(name, node);
  return { node, show(f) { tell(f); fill.style.setProperty("--share", leftOf(f) / f.max_quantity); } };
}

/** One light per unit; units that are left are lit. */
function lights(name) {
  const canvas = make("canvas", { "aria-hidden": "true" }), node = make("div", { class: "field" }, canvas);
  const tell = meter(name, node);
  let cap = 0, left = 0, shown = 0, glow = 0, frame = 0;

  function columns(width) {
    const pitch = Math.min(WIDEST, Math.max(6, Math.sqrt(width * 150 / cap)));
    const ideal = Math.min(cap, Math.max(1, Math.floor(width / pitch)));
    for (let by = 0; by <= ideal * .2; by++) {
      if (cap % (ideal + by) === 0) return ideal + by;
      if (ideal > by && cap % (ideal - by) === 0) return ideal - by;
    }
    return ideal;
  }

  function draw() {
    frame = 0;
    const width = node.clientWidth;
    if (!width || !cap) return;
    const across = columns(width), pitch = Math.min(WIDEST, width / across), high = Math.ceil(cap / across);
    const scale = devicePixelRatio || 1, height = high * pitch, style = getComputedStyle(node);
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const to = canvas.getContext("2d");
    to.scale(scale, scale);
    const lit = style.getPropertyValue("--lit"), out = style.getPropertyValue("--out");
    for (let unit = 0; unit < cap; unit++) {
      const x = (unit % across + .5) * pitch, y = (Math.floor(unit / across) + .5) * pitch;
      const isFading = unit >= left && unit < shown;
      const dot = (share, colour) => {
        to.fillStyle = colour;
        to.beginPath();
        to.arc(x, y, pitch * share, 0, 7);
        to.fill();
      };
      if (unit < left) dot(.36, lit);
      else dot(.2, out);
      if (isFading) { to.globalAlpha = glow; dot(.2 + .28 * glow, lit); to.globalAlpha = 1; }
    }
    if (shown > left) {
      glow -= .035;
      if (glow <= 0) shown = left;
      again();
    }
  }
  function again() { frame ||= requestAnimationFrame(draw); }

  new ResizeObserver(again).observe(node);
  return { node, redraw: again, show(f) {
    tell(f);
    const now = leftOf(f), was = cap === f.max_quantity ? left : 0;
    cap = f.max_quantity;
    left = now;
    if (was > now && !reduced.matches && !document.hidden) { shown = Math.max(shown, was); glow = 1; } else shown = now;
    again();
  } };
}

// ---- Products

function badges() {
  const limited = make("span", { class: "badge limited" }, "Limited edition"), state = make("span", { class: "badge" });
  return { node: make("p", { class: "badges" }, limited, state), show(f) {
    const is = stateOf(f), isLimited = f.max_quantity !== null;
    limited.hidden = !isLimited;
    state.hidden = isLimited && is === "available";
    state.className = `badge ${is}`;
    put(state, is === "available" ? "Available" : words(f));
  } };
}

function specs(all) {
  if (!all.length) return null;
  return make("dl", { class: "specs" },
    ...all.flatMap(({ label, value }) => [make("dt", {}, `${label}`), make("dd", {}, `${value}`)]));
}

/** An image that fails to load is removed, so that it leaves no gap. */
function picture(url, name) {
  const image = make("img", { src: url, alt: name, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.remove());
  return image;
}

/** A variant's line. It has a bar only if the variant has its own cap. */
function variantLine(variant, product) {
  const told = make("span", { class: "words" }), level = bar(`${product.name}, ${variant.name}`);
  const node = make("li", { class: "variant", "data-variant": variant.id },
    make("span", { class: "name" }, variant.name), told, level.node,
    variant.description ? make("span", { class: "note" }, variant.description) : null);
  return { node, show(f) {
    node.dataset.state = stateOf(f);
    put(told, words(f));
    level.node.hidden = f.max_quantity === null;
    if (f.max_quantity !== null) level.show(f);
  } };
}

/** Everything about a product except its availability: while this is unchanged, its element is reused. */
function signature(p, isHero) {
  return JSON.stringify([isHero, p.name, p.description, p.long_description, p.images, p.specs,
    isHero && p.max_quantity, p.variants.map(v => [v.id, v.name, v.description])]);
}

let names = 0;

function productView(p, isHero) {
  const heading = make(isHero ? "h1" : "h3", { id: `name-${++names}` }, p.name);
  const marks = badges(), left = make("span", { class: "left" }), of = make("span", { class: "of" });
  const total = isHero && p.max_quantity <= MOST_LIGHTS ? lights(p.name) : bar(p.name);
  if (isHero) total.node.classList.add("field");
  const sold = make("span", { class: "sold" }), legend = make("p", { class: "legend" }, sold);
  const meaning = make("span", {}, `Each light is one of the ${count(p.max_quantity ?? 0)}`);
  if (total.redraw) legend.append(meaning);
  const lines = new Map(p.variants.map(v => [v.id, variantLine(v, p)]));
  const variants = lines.size
    ? make("ul", { class: "variants", role: "list", "aria-label": `Variants of ${p.name}` }, ...[...lines.values()].map(l => l.node)) : null;
  const lead = p.description ? make("p", { class: "lead" }, p.description) : null;
  const number = make("p", { class: "count" }, left, of), figures = make("div", { class: "figures" });
  const images = (p.images || []).map(url => picture(url, p.name));

  let node;
  if (isHero) {
    const details = specs(p.specs || []);
    node = make("section", { class: "hero", "aria-labelledby": heading.id },
      make("div", { class: "hero-head" }, make("div", {}, marks.node, heading, lead), number),
      total.node, legend, variants,
      images.length ? make("div", { class: "pictures" }, ...images.slice(0, 4)) : null,
      p.long_description || details ? make("div", { class: "story" },
        p.long_description ? make("p", {}, p.long_description) : make("span"), details) : null);
  } else {
    node = make("li", { class: "card", "aria-labelledby": heading.id }, images[0], marks.node,
      make("div", {}, heading, lead),
      figures, variants, specs(p.specs || []));
    figures.append(number, total.node, legend);
  }
  node.dataset.product = p.id;

  const view = { id: p.id, node, signature: signature(p, isHero), at: null, states: null, redraw: total.redraw };
  view.show = f => {
    const state = stateOf(f), isLimited = f.max_quantity !== null, text = stateWords[state];
    node.dataset.state = state;
    marks.show(f);
    figures.hidden = !isLimited;
    const shown = text || count(leftOf(f));
    if (left.textContent && left.textContent !== shown && !reduced.matches && isHero) {
      left.animate([{ color: getComputedStyle(left).getPropertyValue("--lit") }, {}], 700);
    }
    put(left, shown);
    left.className = text ? "left text" : shown.length > 4 ? "left wide" : "left";
    if (isLimited) {
      put(of, text ? "" : `of ${count(f.max_quantity)} left`);
      put(sold, f.sold_quantity >= f.max_quantity ? `All ${count(f.max_quantity)} sold` : `${count(f.sold_quantity)} sold`);
      meaning.hidden = text !== undefined;
      total.show(f);
    }
    for (const v of f.variants) lines.get(v.id)?.show(v);
    // Announced to screen readers: stock that ran low, ran out or returned since the last update.
    const states = new Map([[p.name, f], ...f.variants.map(v =>
      [`${p.name}, ${p.variants.find(known => known.id === v.id)?.name ?? v.id}`, v])].map(([n, x]) => [n, stateOf(x)]));
    if (view.states) {
      for (const [name, is] of states) {
        const was = view.states.get(name);
        if (was && was !== is && is !== "available") announce(`${name}: ${is === "low" ? "only a few left" : stateWords[is]}.`);
        if (was && was !== is && is === "available") announce(`${name}: available again.`);
      }
    }
    view.states = states;
    if (isHero) document.title = `${words(f)} – ${p.name}`;
  };
  return view;
}

// ---- The page

let views = new Map(), shownLimit = PAGE, known = null, knownAt = null, isDelayed = false;

function layOut(products, mark) {
  const hero = products.find(p => p.is_active && p.max_quantity !== null);
  const next = new Map();
  for (const p of products) {
    const old = views.get(p.id), isHero = p === hero;
    const view = old && old.signature === signature(p, isHero) ? old : productView(p, isHero);
    if (view !== old && old) [view.at, view.states] = [old.at, old.states];
    next.set(p.id, view);
    show(view, p, mark, view !== old);
  }
  views = next;
  const heroNode = hero ? next.get(hero.id).node
    : make("section", { class: "hero" }, make("h1", {}, products.length ? "What is left, live" : "Nothing is on sale"));
  if (!hero || heroPlace.firstElementChild !== heroNode) heroPlace.replaceChildren(heroNode);
  if (!hero) document.title = "Availability";
  // Limited editions first, otherwise in catalogue order.
  const rest = products.filter(p => p !== hero), isLimited = p => p.max_quantity !== null;
  const cards = [...rest.filter(isLimited), ...rest.filter(p => !isLimited(p))].map(p => next.get(p.id).node);
  for (const node of [...list.children]) if (!cards.includes(node)) node.remove();
  cards.forEach((node, at) => { if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null); });
  others.hidden = !cards.length;
  put(find("others-name"), hero ? "Also in the shop" : "In the shop");
  main.removeAttribute("aria-busy");
}

const isBefore = (a, b) => a.epoch < b.epoch || (a.epoch === b.epoch && a.seq < b.seq);

/** Shows availability unless newer values are shown already; a new view shows any. */
function show(view, figures, { epoch, seq }, isNew) {
  const at = { epoch, seq };
  if (!isNew && view.at && isBefore(at, view.at)) return;
  view.at = at;
  view.show(figures);
}

// The clocks of two processes may differ by this much; a larger difference means that a clock was set.
const CLOCK_MS = 60000;

/** Records the time of a state. Ignores an earlier time, as in a cached response, unless the clock was set back. */
function know(state) {
  const at = new Date(state.as_of);
  const isSetBack = known && isBefore(known, state) && knownAt - at > CLOCK_MS;
  if (knownAt === null || at > knownAt || isSetBack) knownAt = at;
  if (known && isBefore(state, known)) return;
  known = state;
  isDelayed = state.source === "ledger";
}

/** The store was created again, with epochs from 1: the values shown belong to the old one. */
function forget() {
  [known, knownAt] = [null, null];
  for (const view of views.values()) view.at = null;
}

// ---- Screen reader announcements: rare, never every number

let toSay = [], saidAt = 0, sayTimer = 0;

function announce(text) {
  toSay.push(text);
  sayTimer ||= setTimeout(() => {
    sayTimer = 0;
    saidAt = Date.now();
    find("announcer").textContent = toSay.slice(-3).join(" ");
    toSay = [];
  }, Math.max(150, saidAt + ANNOUNCE_MS - Date.now()));
}

// ---- Live or not

const clock = date => date.toLocaleTimeString("en-GB");

let isLoaded = false, wasLive = false, trouble = null;

/** Updates the live indicator and the notice. */
function tell() {
  const isLive = isLoaded && trouble === null && streams.length > 0 && streams.every(s => s.isLive);
  const isStarting = !trouble && !wasLive && !isLive;
  document.body.dataset.live = isLive ? "live" : isStarting ? "starting" : "paused";
  put(find("live"), isLive ? isDelayed ? "Live, a few seconds behind" : "Live" : isStarting ? "Connecting…" : "Paused");
  put(find("clock"), knownAt ? `as of ${clock(knownAt)}` : "");
  const notice = find("notice"), isPaused = !isLive && !isStarting;
  if (isPaused) {
    put(notice, isLoaded && knownAt
      ? `Live figures are paused. Last known at ${clock(knownAt)}; trying again…`
      : "Live figures are unavailable right now. Trying again…");
    if (notice.hidden) announce(notice.textContent);
  } else if (isLive && !notice.hidden) announce("Live figures are back.");
  const changed = notice.hidden === isPaused;
  notice.hidden = !isPaused;
  if (changed) for (const view of views.values()) view.redraw?.();
  wasLive ||= isLive;
}

// ---- The connection

let streams = [], failures = 0, retryTimer = 0, loading = null, wantsReload = false, reloadTimer = 0;

async function get(address) {
  // After a 304 the browser would return its cached response, with an outdated `as_of`.
  const answer = await fetch(address,
    { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000), cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

const parameter = id => `product=${encodeURIComponent(id)}`;

/** Divides ids into streams, up to the maximum number; ids that do not fit are left out. */
function divide(ids) {
  const parts = [[]];
  let length = 0;
  for (const id of ids) {
    const more = parameter(id).length + 1;
    if (parts.at(-1).length === IDS_PER_STREAM || length + more > URL_LENGTH) {
      if (parts.length === STREAMS) break;
      parts.push([]);
      length = 0;
    }
    parts.at(-1).push(id);
    length += more;
  }
  return parts.filter(part => part.length);
}

/** Loads the shown part of the list, with its availability. */
async function load() {
  const products = [];
  let after = null, mark = null;
  do {
    const limit = Math.min(200, shownLimit - products.length);
    const page = await get(`v1/products?limit=${limit}${after === null ? "" : `&after=${encodeURIComponent(after)}`}`);
    products.push(...page.products);
    mark ??= page;
    after = page.next;
  } while (after !== null && products.length < shownLimit);
  const room = divide(products.map(p => p.id)).flat().length;
  find("more").hidden = after === null || room < products.length || shownLimit >= STREAMS * IDS_PER_STREAM;
  know(mark);
  layOut(products.slice(0, room), mark);
  isLoaded = true;
}

/** Loads the list and opens streams for its products; open streams are kept if they cover the same products. */
async function connect() {
  clearTimeout(retryTimer);
  retryTimer = 0;
  if (loading) { wantsReload = true; return; }
  loading = load();
  try {
    await loading;
    trouble = null;
    const parts = divide([...views.keys()]);
    const isSame = parts.length === streams.length
      && parts.every((ids, at) => ids.join("\n") === streams[at].ids.join("\n") && streams[at].source.readyState !== 2);
    if (!isSame) { disconnect(); streams = parts.map(open); }
    // Nothing is on sale, so there is nothing to subscribe to: load again later.
    if (!parts.length) { trouble = null; retryTimer = setTimeout(connect, LONGEST_WAIT_MS); }
  } catch {
    trouble = "load";
    later();
  } finally {
    loading = null;
  }
  tell();
  if (wantsReload) { wantsReload = false; connect(); }
}

function disconnect() {
  for (const stream of streams) stream.source.close();
  streams = [];
}

/** Reconnects after an increasing, randomised delay. */
function later() {
  if (retryTimer) return;
  const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures++);
  retryTimer = setTimeout(connect, wait * (.5 + Math.random() / 2));
}

function startOver() {
  disconnect();
  trouble ??= "lost";
  later();
  tell();
}

function open(ids) {
  const source = new EventSource(`v1/events?${ids.map(parameter).join("&")}`);
  const stream = { ids, source, isLive: false, isCut: false, isNew: true, isFirst: true, heardAt: Date.now(), lostAt: null };
  const on = (name, act) => source.addEventListener(name, event => {
    stream.heardAt = Date.now();
    stream.lostAt = null;
    act(event.data ? JSON.parse(event.data) : {});
  });
  on("open", () => { stream.isFirst = true; if (!stream.isNew && !stream.isCut) stream.isLive = true; tell(); });
  on("availability", data => {
    if (stream.isFirst && known && data.epoch < known.epoch) forget();
    [stream.isLive, stream.isCut, stream.isNew, stream.isFirst, failures] = [true, false, false, false, 0];
    know(data);
    for (const p of data.products) {
      const view = views.get(p.id);
      if (view) show(view, p, data);
    }
    tell();
  });
  on("heartbeat", data => {
    if (stream.isLive && data.as_of) { knownAt = new Date(Math.max(knownAt, new Date(data.as_of))); tell(); }
  });
  on("unavailable", () => { [stream.isLive, stream.isCut] = [false, true]; tell(); });
  on("missed", () => {});
  on("catalogue", () => {
    // Thousands of browsers receive this at once: they must not all reload in the same second.
    reloadTimer ||= setTimeout(() => { reloadTimer = 0; connect(); }, Math.random() * 2000);
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED || stream.isCut) startOver();
    else stream.lostAt ??= Date.now();
  };
  return stream;
}

function look() {
  const now = Date.now();
  if (streams.some(s => now - s.heardAt > SILENCE_MS)) return startOver();
  for (const s of streams) {
    if (s.lostAt !== null && now - s.lostAt > GRACE_MS && s.isLive) { s.isLive = false; tell(); }
  }
}

function hurry() {
  failures = 0;
  if (retryTimer) connect();
  else look();
}

setInterval(look, 1000);
addEventListener("online", hurry);
addEventListener("pageshow", event => { if (event.persisted) hurry(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of views.values()) view.redraw?.();
});
find("more").addEventListener("click", () => { shownLimit += PAGE; connect(); });
connect();
})();
