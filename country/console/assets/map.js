// The live map: each message that an actor has logged makes one dot travel along its arrow and one line
// appear in the list. Nothing moves by itself. With reduced motion the list alone changes and the arrow
// is shown darker for a moment. Without this script the list stands as the server wrote it.
"use strict";
(() => {
  const root = document.querySelector("[data-live]");
  if (!root || !window.EventSource) return;
  const list = root.querySelector("[data-list]"), none = root.querySelector("[data-none]"), pause = root.querySelector("[data-pause]"),
    live = root.querySelector(".live"), state = root.querySelector("[data-live-state]"), announce = root.querySelector("[data-announce]");
  const say = root.dataset, still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const mostLines = 12, mostDots = 60, travel = 1100, gap = 60;
  let held = null; // messages that came while paused; null when not paused
  let source = null, last = "", unspoken = 0, spoken = 0, latest = null;
  const dots = new Set();

  const element = (name, text, className) => {
    const e = document.createElement(name);
    if (text) e.textContent = text;
    if (className) e.className = className;
    return e;
  };
  const svg = (name, attributes) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    return e;
  };

  function row(m) {
    const li = element("li", "", "fresh accent-" + m.accent), a = element("a"), time = element("time", m.time), way = element("span", "", "way");
    li.dataset.id = m.id;
    a.href = m.href;
    time.dateTime = m.iso;
    const arrow = element("span", "→", "to");
    arrow.setAttribute("aria-hidden", "true");
    way.append(element("b", m.from), arrow, element("span", say.sayTo, "visually-hidden"), element("b", m.to));
    a.append(time, " ", way, " ", element("span", m.say, "say"), " ", element("span", m.word, "badge " + (m.ok ? "badge-good" : "badge-bad")));
    li.append(a);
    return li;
  }

  // map gives the picture that is to be seen now.
  const map = () => [...root.querySelectorAll("[data-map]")].find((s) => s.getBoundingClientRect().width > 0);

  // wayOf gives the path of a message; where the map draws no arrow, a straight line that lasts as long as the dot.
  function wayOf(picture, m) {
    const arrow = picture.querySelector(`[data-key="${CSS.escape(m.path)}"]`);
    if (arrow) return {arrow, path: arrow.querySelector(".line"), reverse: m.reverse, remove: () => {}};
    const from = picture.querySelector(`[data-node="${CSS.escape(m.fromNode)}"]`), to = picture.querySelector(`[data-node="${CSS.escape(m.toNode)}"]`);
    if (!from || !to || from === to) return null;
    const path = svg("path", {class: "detour", d: `M${from.dataset.x} ${from.dataset.y}L${to.dataset.x} ${to.dataset.y}`});
    picture.querySelector("[data-dots]").append(path);
    return {arrow: null, path, reverse: false, remove: () => path.remove()};
  }

  function move(m, wait) {
    const picture = map();
    if (!picture || document.hidden || dots.size >= mostDots) return;
    const way = wayOf(picture, m);
    if (!way) return;
    if (way.arrow) {
      way.arrow.classList.add("busy");
      clearTimeout(way.arrow.calm);
      way.arrow.calm = setTimeout(() => way.arrow.classList.remove("busy"), travel + wait);
    }
    if (still.matches) { setTimeout(way.remove, travel); return; }
    const dot = svg("circle", {r: 6, class: `dot accent-${m.accent}${m.ok ? "" : " bad"}`, visibility: "hidden"}), long = way.path.getTotalLength();
    picture.querySelector("[data-dots]").append(dot);
    const d = {dot, way, long, begin: performance.now() + wait};
    dots.add(d);
    if (dots.size === 1) requestAnimationFrame(frame);
  }

  function frame(now) {
    for (const d of dots) {
      const part = (now - d.begin) / travel;
      if (part >= 1) {
        d.dot.remove();
        d.way.remove();
        dots.delete(d);
        continue;
      }
      if (part < 0) continue;
      const eased = part * part * (3 - 2 * part), at = d.way.path.getPointAtLength(d.long * (d.way.reverse ? 1 - eased : eased));
      d.dot.setAttribute("cx", at.x.toFixed(1));
      d.dot.setAttribute("cy", at.y.toFixed(1));
      d.dot.setAttribute("visibility", "visible");
    }
    if (dots.size) requestAnimationFrame(frame);
  }

  let queue = [], drawing = 0;
  function show(m) {
    queue.push(m);
    drawing ||= setTimeout(draw, 50);
  }
  function draw() {
    drawing = 0;
    const fresh = queue.splice(0);
    list.prepend(...fresh.toReversed().map(row)); // all of them, however many: the list then keeps the latest
    while (list.children.length > mostLines) list.lastElementChild.remove();
    none.hidden = true;
    fresh.slice(-mostDots).forEach((m, i) => move(m, i * gap));
    unspoken += fresh.length;
    latest = fresh[fresh.length - 1];
    speak();
  }

  // speak tells a screen reader about new messages at most every four seconds.
  function speak() {
    const wait = spoken + 4000 - Date.now();
    if (wait > 0) { clearTimeout(speak.later); speak.later = setTimeout(speak, wait); return; }
    if (!unspoken) return;
    announce.textContent = say.sayNew.replace("{n}", unspoken).replace("{last}", `${latest.from} → ${latest.to}: ${latest.say}`);
    spoken = Date.now();
    unspoken = 0;
  }

  const tell = (text, on) => { state.textContent = text; live.classList.toggle("on", on); };
  function connect() {
    if (source || document.hidden) return;
    const url = new URL(say.live, location.href);
    if (last) url.searchParams.set("after", last);
    source = new EventSource(url);
    source.onopen = () => tell(held ? say.sayPaused.replace("{n}", held.length) : say.sayOn, !held);
    source.onerror = () => tell(say.sayLost, false);
    source.onmessage = (e) => {
      last = e.lastEventId;
      const m = JSON.parse(e.data);
      if (!held) { show(m); return; }
      held.push(m);
      if (held.length > 1000) held.shift();
      tell(say.sayPaused.replace("{n}", held.length), false);
    };
  }
  function disconnect() {
    if (source) source.close();
    source = null;
  }
  // Who does not look asks nobody.
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", connect);

  pause.hidden = false;
  pause.addEventListener("click", () => {
    const stop = !held, came = held || [];
    held = stop ? [] : null;
    pause.setAttribute("aria-pressed", String(stop));
    pause.textContent = stop ? pause.dataset.goText : pause.dataset.pauseText;
    tell(stop ? say.sayPaused.replace("{n}", 0) : say.sayOn, !stop);
    came.forEach(show);
  });
  connect();
})();
