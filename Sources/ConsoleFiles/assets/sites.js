// Domains and devices are dragged onto domains, or moved by M on the focused one: both lead to the page that asks
// with the move's effect. Everything is a link as well.
const announce = (text) => { document.getElementById("announce").textContent = text; };
const move = (what, to) => {
  const address = new URL(`${location.pathname}/move`, location.href);
  const [kind, value] = what.split(/=(.*)/s);
  address.searchParams.set(kind, value);
  address.searchParams.set("to", to);
  location.assign(address);
};
const type = "application/x-tidegate";
let dragged = null;
let opening;
const target = (event) => {
  const place = event.target.closest?.("[data-drop]");
  // Nothing is moved onto itself; the server refuses the rest with its reason.
  return place && dragged && `domain=${place.dataset.drop}` !== dragged.dataset.drag ? place : null;
};
const clear = () => {
  clearTimeout(opening);
  for (const place of document.querySelectorAll(".over")) place.classList.remove("over");
};
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-drag]");
  if (!dragged) return;
  event.dataTransfer.setData(type, dragged.dataset.drag);
  event.dataTransfer.effectAllowed = "move";
  dragged.classList.add("dragged");
  announce(`${dragged.dataset.name} is being moved. Drop it on a domain.`);
});
document.addEventListener("dragover", (event) => {
  const place = target(event);
  if (!place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  if (place.classList.contains("over")) return;
  clear();
  place.classList.add("over");
  announce(`Onto ${place.dataset.name}`);
  const closed = place.querySelector(".toggle[aria-expanded=false]");
  // A swap would take away what is being dragged from the tree, so a closed branch opens only for what comes from
  // beside it.
  if (closed && !dragged.closest(".tree")) opening = setTimeout(() => closed.click(), 900);
});
document.addEventListener("drop", (event) => {
  const place = target(event);
  if (!place) return;
  event.preventDefault();
  move(event.dataTransfer.getData(type) || dragged.dataset.drag, place.dataset.drop);
});
document.addEventListener("dragend", () => {
  clear();
  dragged?.classList.remove("dragged");
  dragged = null;
});

// Keys in the tree: M moves; the arrows go to the neighbours, open and close.
document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const focused = event.target.closest?.("[data-move], .node a");
  if (!focused) return;
  if (event.key === "m" || event.key === "M") {
    const address = focused.dataset.move;
    if (address) { event.preventDefault(); location.assign(address); } else announce("This can not be moved.");
    return;
  }
  const node = focused.closest(".node");
  if (!node) return;
  const nodes = [...document.querySelectorAll(".tree .node > a[id^=node]")];
  const at = nodes.indexOf(node.querySelector("a[id^=node]"));
  const toggle = node.querySelector("a.toggle");
  const step = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
  if (step !== undefined) { event.preventDefault(); nodes[step]?.focus(); return; }
  if (toggle && toggle.ariaExpanded === { ArrowRight: "false", ArrowLeft: "true" }[event.key]) {
    event.preventDefault();
    toggle.click();
  }
});
