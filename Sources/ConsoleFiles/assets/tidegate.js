// The console's script. Every page works without it; it makes links and forms swap only what changed, keeps values
// live, and makes times local.

const announce = (text) => {
  const place = document.getElementById("announce");
  if (place) place.textContent = text;
};

// On a phone the menu is one line that is wider than the window: where one is stands in view.
document.querySelector(".side [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Appearance: kept in this browser only.
const root = document.documentElement;
const appearance = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
root.dataset.theme = appearance() || root.dataset.theme;
for (const input of document.querySelectorAll("input[name=theme]")) {
  input.checked = input.value === root.dataset.theme;
  input.addEventListener("change", () => {
    root.dataset.theme = input.value;
    try { localStorage.setItem("theme", input.value); } catch { /* private mode: for this page only */ }
  });
}

// Times: exact in the markup, relative or local to the eye.
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
// The organisation's time zone, unless the person wants this device's; a zone that the browser does not know counts not.
const known = (timeZone) => { try { new Intl.DateTimeFormat(undefined, { timeZone }); return timeZone; } catch { return undefined; } };
const timeZone = kept("zone") === "own" ? undefined : known(root.dataset.zone);
if (timeZone) root.dataset.shownZone = timeZone;
for (const input of document.querySelectorAll("input[name=zone]")) {
  input.closest("fieldset").hidden = false;
  input.checked = (input.value === "own") === (kept("zone") === "own");
  input.addEventListener("change", () => {
    try { localStorage.setItem("zone", input.value); } catch { /* private mode */ }
    location.reload();
  });
}
const ownZone = document.querySelector("[data-own-zone]");
if (ownZone && ownZone.value === "UTC") {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...ownZone.options].some(({ value }) => value === own)) ownZone.value = own;
}
const format = (options) => new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZone, ...options });
const local = format({});
const exact = format({ second: "2-digit" });
const full = format({ second: "2-digit", timeZoneName: "short" });
export const showTimes = (within = document) => {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    element.title = full.format(date);
    if (!("ago" in element.dataset)) { element.textContent = ("seconds" in element.dataset ? exact : local).format(date); continue; }
    const seconds = (date - Date.now()) / 1000;
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) || ["second", 1];
    const text = Math.abs(seconds) < 10 ? "just now" : relative.format(Math.round(seconds / length), unit);
    if (element.textContent !== text) element.textContent = text;
  }
};
showTimes();
setInterval(showTimes, 15000);

// Fragments: the element with this id is taken out of the answer and put in place of the old one.
const swap = (answer, id) => {
  const now = document.getElementById(id);
  const next = answer.getElementById(id);
  if (!now || !next) return false;
  const focused = document.activeElement && now.contains(document.activeElement) ? document.activeElement.id : "";
  now.replaceWith(document.adoptNode(next));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  showTimes(next);
  document.dispatchEvent(new CustomEvent("swapped", { detail: next }));
  return true;
};
const load = async (address, id, keep = true) => {
  const ids = [id].flat();
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  const answer = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!response.ok || !ids.map((id) => swap(answer, id)).every(Boolean)) { location.assign(address); return; }
  if (keep) { history.pushState({ id }, "", response.url); document.title = answer.title; }
};
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  load(link.href, link.dataset.swap).then(() => announce("Updated"));
});
// Another script of the page has done something that this part shows.
document.addEventListener("reload-part", ({ detail }) => load(location.href, detail, false).catch(() => {}));
let isLeaving = false;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "post") isLeaving = true;
  if (!form.matches("form[data-swap]") || form.method !== "get") return;
  event.preventDefault();
  const address = new URL(form.action);
  address.search = new URLSearchParams(new FormData(form, event.submitter));
  load(address.href, form.dataset.swap).then(() => announce("Updated"));
});
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-auto]")) event.target.form?.requestSubmit();
});
addEventListener("popstate", (event) => { if (event.state?.id) load(location.href, event.state.id, false); else location.reload(); });

// Small conveniences: close menus, copy, dialogs, shortcut keys, ticks.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  const copy = event.target.closest("button[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent).then(() => {
      const before = copy.textContent;
      copy.textContent = "Copied";
      announce("Copied");
      setTimeout(() => { copy.textContent = before; }, 2000);
    });
  }
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) { event.preventDefault(); dialog.showModal(); }
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) { event.preventDefault(); target.focus(); }
});
document.addEventListener("change", (event) => {
  const all = event.target.closest("input[data-all]");
  if (all) for (const box of document.querySelectorAll(`input[name="${CSS.escape(all.dataset.all)}"]`)) box.checked = all.checked;
  showTicked();
});
const showTicked = () => {
  const bar = document.querySelector(".bulk");
  if (!bar) return;
  const ticked = document.querySelectorAll("input[name=device]:checked").length;
  const count = document.getElementById("ticked");
  if (count) count.textContent = ticked ? `${ticked} ticked` : "";
  const waits = !ticked && !bar.querySelector("input[name=all]")?.checked;
  for (const button of bar.querySelectorAll("button")) button.disabled = waits;
};
showTicked();
document.addEventListener("swapped", showTicked);
addEventListener("pageshow", showTicked);
document.addEventListener("change", async (event) => {
  const file = event.target.closest("input[type=file][data-into]");
  if (file?.files[0]) document.getElementById(file.dataset.into).value = await file.files[0].text();
});

// Rules of a new password, while it is typed.
let typing;
document.addEventListener("input", (event) => {
  const form = event.target.matches("input[name=password]") && event.target.closest("form[data-rules]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    if (isLeaving) return;
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.dataset.rules, { method: "POST", body });
    if (response.ok) swap(new DOMParser().parseFromString(await response.text(), "text/html"), "rules");
  }, 250);
});

// Events: one stream for each page, closed while the page is hidden.
const state = document.getElementById("live");
const show = (text, kind) => {
  if (!state) return;
  state.hidden = false;
  state.className = `live ${kind}`;
  if (state.textContent !== text) state.textContent = text;
};
const due = new Map();
let late = 0;
const refresh = (topic, again = topic === "devices") => {
  const ids = [...document.querySelectorAll(`[data-refresh~="${topic}"]`)].map(({ id }) => id).filter((id) => !due.has(id));
  if (ids.length) {
    const timer = setTimeout(() => {
      for (const id of ids) due.delete(id);
      load(location.href, ids.filter((id) => document.getElementById(id)), false).catch(() => {});
    }, 1500 + Math.random() * 1500);
    for (const id of ids) due.set(id, timer);
  }
  // Presence is written every five seconds, and lists are counted by what is written: one more look behind the last event.
  if (again) { clearTimeout(late); late = setTimeout(() => refresh(topic, false), 6000); }
};
const number = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const handlers = {
  device: (data) => {
    for (const badge of document.querySelectorAll(`[data-presence="${data.id}"]`)) {
      if (badge.dataset.state === "fixed") continue;
      const [shape, word] = data.online ? ["ok", "Online"] : ["off", "Offline"];
      badge.className = `badge ${shape}`;
      const use = badge.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${shape}`));
      badge.lastElementChild.textContent = word;
    }
  },
  changed: (data) => refresh(data.topic),
  value: (data) => {
    for (const element of document.querySelectorAll("[data-series]")) {
      if (element.dataset.series !== data.series) continue;
      const text = element.querySelector("[data-value]");
      text.textContent = number.format(data.value);
      text.classList.remove("fresh");
      requestAnimationFrame(() => text.classList.add("fresh"));
      const time = element.querySelector("time");
      if (time) { time.dateTime = new Date(data.time).toISOString(); showTimes(element); }
    }
    document.dispatchEvent(new CustomEvent("value", { detail: data }));
    refresh("value");
  },
  arrived: (data) => {
    const place = document.getElementById("waiting");
    if (!place) return;
    place.querySelector("[data-step]").textContent = data.text;
    if (data.done) {
      place.classList.add("there");
      const next = document.getElementById("arrived-next");
      if (next) next.hidden = false;
      announce(data.text);
    }
  },
};
let stream = null, wasOpen = false;
const open = () => {
  const address = document.body.dataset.live;
  if (!address || stream || document.hidden) return;
  stream = new EventSource(address);
  show("Connecting", "waiting");
  stream.addEventListener("open", () => {
    show("Live", "on");
    // What was under way when the page was made may have ended before the stream was there; who was away missed more.
    const missed = [...document.querySelectorAll(wasOpen ? "[data-refresh]" : "[data-refresh][data-busy]")];
    for (const topic of new Set(missed.flatMap((element) => element.dataset.refresh.trim().split(/\s+/)))) refresh(topic);
    wasOpen = true;
  });
  stream.addEventListener("error", () => { if (stream) show("Reconnecting", "waiting"); });
  stream.addEventListener("end", () => { close("Signed out"); if (!isLeaving) location.reload(); });
  for (const [name, handle] of Object.entries(handlers)) {
    stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
};
const close = (text) => { stream?.close(); stream = null; show(text, ""); };
document.addEventListener("visibilitychange", () => { if (document.hidden) { if (stream) close("Paused"); } else open(); });
addEventListener("pagehide", () => { if (stream) close("Paused"); });
addEventListener("pageshow", open);
