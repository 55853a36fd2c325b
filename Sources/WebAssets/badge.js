// <stocktake-badge product="ID" variant="ID"> for any web page: "37 of 1,000 left", "Sold out".
//
// Attributes: product, variant, server (default: this script's server), and custom texts:
// text-left ("{left} of {cap} left"), text-uncapped ("{left} left"), text-available, text-sold-out, text-closed.
// It sets state="unknown|available|low|sold-out|closed|stale", fires "stocktake-change" (detail: state, available_quantity,
// max_quantity) and takes the custom properties --stocktake-badge-… below and ::part(label).
(() => {
"use strict";
if (customElements.get("stocktake-badge")) return;

const script = document.currentScript ?? document.querySelector('script[src*="badge.js"]');
const home = new URL(".", script?.src || document.baseURI).href;

// The server accepts this many ids per request; a browser opens six connections per server, including the page's own.
const IDS_PER_STREAM = 200, URL_LENGTH = 7500, STREAMS = 3;
const SILENCE_MS = 25000, GRACE_MS = 6000, LONGEST_WAIT_MS = 30000, AGAIN_MS = 30000;

const style = new CSSStyleSheet();
style.replaceSync(`
:host { display: inline-block; vertical-align: baseline; font-size: .875em; font-weight: 600; line-height: 1.3; }
:host([hidden]), :host([state="unknown"]) { display: none; }
span {
  display: inline-block; white-space: nowrap; font: var(--stocktake-badge-font, inherit); font-variant-numeric: tabular-nums;
  padding: var(--stocktake-badge-padding, .25em .7em); border-radius: var(--stocktake-badge-radius, 99px);
  border: var(--stocktake-badge-border, 1px solid transparent);
  color: var(--stocktake-badge-color, #1e1b16); background: var(--stocktake-badge-background, #ece7db);
}
.low { color: var(--stocktake-badge-low-color, #8f2f06); background: var(--stocktake-badge-low-background, #ffe3d1); }
.sold-out, .closed {
  color: var(--stocktake-badge-soldout-color, #fff); background: var(--stocktake-badge-soldout-background, #1e1b16);
}
.stale { border: var(--stocktake-badge-stale-border, 1px dashed currentColor); }`);

const texts = {
  left: "{left} of {cap} left", uncapped: "{left} left", available: "Available", "sold-out": "Sold out", closed: "Closed",
};

/** The badges of one server, and the streams that serve them. */
class Feed {
  badges = new Set();
  figures = new Map();
  /** For each product, the state that its availability shows. */
  states = new Map();
  epoch = 0;
  unknown = new Set();
  streams = [];
  asked = "";
  failures = 0;
  planned = 0;
  retry = 0;
  watch = 0;

  constructor(server) { this.server = server; }

  add(badge) { this.badges.add(badge); this.plan(); }
  remove(badge) { this.badges.delete(badge); this.plan(); }

  /** Badges are often added and removed together: one new connection serves all changes. */
  plan() { this.planned ||= setTimeout(() => { this.planned = 0; this.connect(); }, 50); }

  show() { for (const badge of this.badges) badge.show(this); }

  get isStale() { return !this.streams.length || this.streams.some(stream => !stream.isLive); }

  connect() {
    const ids = [...new Set([...this.badges].map(badge => badge.product))].filter(id => id && !this.unknown.has(id));
    const parts = divide(ids.sort());
    const asked = JSON.stringify(parts);
    if (asked === this.asked && this.streams.every(stream => stream.source.readyState !== EventSource.CLOSED)) return this.show();
    this.close();
    this.asked = asked;
    this.streams = parts.map(part => this.open(part));
    if (parts.length) this.watch ||= setInterval(() => this.look(), 2000);
    this.show();
  }

  close() {
    clearTimeout(this.retry);
    clearInterval(this.watch);
    [this.retry, this.watch, this.asked] = [0, 0, ""];
    for (const stream of this.streams) stream.source.close();
    this.streams = [];
  }

  open(ids) {
    const query = ids.map(id => `product=${encodeURIComponent(id)}`).join("&");
    const source = new EventSource(`${this.server}v1/events?${query}`);
    // Live until an error is known.
    const stream = { source, query, isLive: true, isCut: false, isFirst: true, heardAt: Date.now(), lostAt: null };
    const on = (name, act) => source.addEventListener(name, event => {
      [stream.heardAt, stream.lostAt] = [Date.now(), null];
      act(event);
      this.show();
    });
    on("open", () => { stream.isFirst = true; if (!stream.isCut) stream.isLive = true; });
    on("availability", event => {
      [stream.isLive, stream.isCut, this.failures] = [true, false, 0];
      const answer = JSON.parse(event.data);
      // The store was created again, with epochs from 1.
      if (stream.isFirst && answer.epoch < this.epoch) { this.states.clear(); this.epoch = 0; }
      stream.isFirst = false;
      this.take(answer);
    });
    on("heartbeat", () => {});
    on("unavailable", () => { [stream.isLive, stream.isCut] = [false, true]; });
    // A product that was unknown may exist now.
    on("catalogue", () => { if (this.unknown.size) { this.unknown.clear(); this.plan(); } });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED || stream.isCut) this.fail(stream);
      else stream.lostAt ??= Date.now();
    };
    return stream;
  }

  /** Takes availability unless newer values are known: streams and responses may arrive out of order. */
  take({ epoch, seq, products }) {
    this.epoch = Math.max(this.epoch, epoch);
    for (const product of products) {
      const known = this.states.get(product.id);
      if (known && (epoch < known.epoch || (epoch === known.epoch && seq < known.seq))) continue;
      this.states.set(product.id, { epoch, seq });
      this.figures.set(product.id, product);
    }
  }

  look() {
    const now = Date.now();
    for (const stream of this.streams) {
      if (now - stream.heardAt > SILENCE_MS) return this.fail(stream);
      if (stream.lostAt !== null && now - stream.lostAt > GRACE_MS && stream.isLive) { stream.isLive = false; this.show(); }
    }
  }

  /** Finds the cause, which an EventSource does not report. Unknown products are left out of the next streams. */
  async fail(stream) {
    stream.source.close();
    [stream.isLive, stream.isCut, stream.heardAt] = [false, true, Infinity];
    let isMended = false;
    try {
      // Bypasses the cache, which may hold an earlier state.
      const answer = await fetch(`${this.server}v1/availability?${stream.query}`,
        { signal: AbortSignal.timeout(10000), cache: "no-store" });
      if (answer.status === 404) {
        for (const id of (await answer.json()).unknown ?? []) { isMended ||= !this.unknown.has(id); this.unknown.add(id); }
        // The product may go on sale while the page is open.
        this.again ||= setTimeout(() => { this.again = 0; this.unknown.clear(); this.plan(); }, AGAIN_MS);
      } else if (answer.ok) this.take(await answer.json());
    } catch { /* Not reached: retried below. */ }
    if (!this.streams.includes(stream)) return;
    if (isMended) return this.connect();
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.failures++);
    this.retry ||= setTimeout(() => { this.retry = 0; this.connect(); }, wait * (.5 + Math.random() / 2));
    this.show();
  }
}

/** Divides ids into streams, up to the maximum number; ids that do not fit are left out. */
function divide(ids) {
  const parts = [];
  let length = Infinity;
  for (const id of ids) {
    const more = encodeURIComponent(id).length + 9;
    if (length + more > URL_LENGTH || parts.at(-1).length === IDS_PER_STREAM) {
      if (parts.length === STREAMS) break;
      parts.push([]);
      length = 0;
    }
    parts.at(-1).push(id);
    length += more;
  }
  return parts;
}

const feeds = new Map();

function feedOf(server) {
  if (!feeds.has(server)) feeds.set(server, new Feed(server));
  return feeds.get(server);
}

// The network is back, or the page is visible again.
const hurry = () => {
  for (const feed of feeds.values()) { feed.failures = 0; if (feed.retry) feed.connect(); else feed.look(); }
};
addEventListener("online", hurry);
document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });

function stateOf(figures) {
  if (!figures.is_active) return "closed";
  if (!figures.is_available) return "sold-out";
  const { available_quantity: left, max_quantity: cap } = figures;
  if (left === null) return "available";
  const isLow = cap === null ? left <= 10 : left <= cap / 20 || (left <= 10 && left < cap / 2);
  return isLow ? "low" : "available";
}

customElements.define("stocktake-badge", class extends HTMLElement {
  static observedAttributes = ["product", "variant", "server", "lang",
    "text-left", "text-uncapped", "text-available", "text-sold-out", "text-closed"];
  #label = document.createElement("span");
  #feed = null;
  #told = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    this.#label.setAttribute("part", "label");
    root.append(this.#label);
  }

  get product() { return this.getAttribute("product") ?? ""; }

  connectedCallback() {
    const server = this.getAttribute("server");
    let base = home;
    if (server) try { base = new URL(server.replace(/\/*$/, "/"), document.baseURI).href; } catch { /* Not a valid address. */ }
    this.#feed = feedOf(base);
    this.#feed.add(this);
    this.show(this.#feed);
  }

  disconnectedCallback() {
    this.#feed?.remove(this);
    this.#feed = null;
  }

  attributeChangedCallback(name, old, value) {
    if (!this.#feed || old === value) return;
    if (name === "server") { this.disconnectedCallback(); this.connectedCallback(); return; }
    if (name === "product") this.#feed.plan();
    this.show(this.#feed);
  }

  show(feed) {
    const known = feed.unknown.has(this.product) ? null : feed.figures.get(this.product);
    const variant = this.getAttribute("variant");
    const figures = known && variant ? known.variants.find(each => each.id === variant) : known;
    if (!figures) return this.#set("unknown", "unknown", "", null);
    const state = stateOf(figures), { available_quantity: left, max_quantity: cap } = figures;
    const kind = state !== "low" && state !== "available" ? state : left === null ? "available" : cap === null ? "uncapped" : "left";
    const text = (this.getAttribute(`text-${kind}`) ?? texts[kind])
      .replace("{left}", this.#count(left)).replace("{cap}", this.#count(cap));
    this.#set(feed.isStale ? "stale" : state, state, text, figures);
  }

  #count(number) {
    const language = this.closest("[lang]")?.lang || "en";
    try { return new Intl.NumberFormat(language).format(number ?? 0); } catch { return `${number}`; }
  }

  #set(state, look, text, figures) {
    if (this.getAttribute("state") !== state) this.setAttribute("state", state);
    if (this.#label.textContent !== text) this.#label.textContent = text;
    this.#label.className = state === "stale" ? `${look} stale` : look;
    this.#label.setAttribute("part", state === "stale" ? `label ${look} stale` : `label ${look}`);
    const told = `${state} ${text}`;
    if (told === this.#told) return;
    this.#told = told;
    this.dispatchEvent(new CustomEvent("stocktake-change", { bubbles: true, composed: true, detail: {
      state, available_quantity: figures?.available_quantity ?? null, max_quantity: figures?.max_quantity ?? null } }));
  }
});
})();
