"use strict";
const get = id => document.getElementById(id);
const steps = [...document.querySelectorAll(".steps li")];
const slots = new Map([...document.querySelectorAll("[data-slot]:not(li)")].map(slot => [slot.dataset.slot, slot]));
const parts = new Map([...document.querySelectorAll("[data-part]")].map(part => [part.dataset.part, part]));
const kept = new Map([...slots].map(([name, slot]) => [name, {
  text: slot.querySelector("tspan").textContent, step: slot.dataset.step,
  said: slot.dataset.said || slot.getAttribute("aria-label")}]));
const shownExample = document.querySelector("[data-words]:not(#where)"), firstExample = shownExample?.textContent;
const slider = get("at"), picture = get("picture"), tip = get("tip");
const titles = new Map([...document.querySelectorAll("h3")].map(title => [title.nextElementSibling, title.textContent]));
let at = 0;

// What a slot shows, where it leads, and what is said of it where it leads nowhere.
function fill(slot, text, step, said) {
  slot.querySelector("tspan").textContent = text;
  if (!step) {
    slot.dataset.said = said;
    return;
  }
  slot.dataset.step = step;
  slot.setAttribute("href", "#step-" + step);
  slot.setAttribute("aria-label", said);
}

// Everything as it was drawn, and nothing at work.
function whole() {
  for (const [name, slot] of slots) {
    const was = kept.get(name);
    fill(slot, was.text, was.step, was.said);
    slot.removeAttribute("visibility");
    slot.classList.remove("lit-slot");
  }
  for (const part of parts.values()) part.classList.remove("lit");
  if (shownExample) shownExample.textContent = firstExample;
  for (const step of steps) step.classList.remove("now-at");
}

// What is known after so many steps: of the example at work alone, or of all of them together, who have no x and y.
function known(count) {
  const example = steps[count - 1].parentElement.dataset.example;
  for (const [name, slot] of slots)
    if (slot.dataset.step || (!example && /^(a-0|y)-/.test(name))) slot.setAttribute("visibility", "hidden");
  if (shownExample) shownExample.textContent = example ? shownExample.dataset.words.replace("{example}", example) : "";
  for (const pair of steps[count - 1].parentElement.dataset.given.split(" ")) {
    const [name, value] = pair.split("=");
    if (slots.has(name)) fill(slots.get(name), value, "", kept.get(name).said.split(" = ")[0] + " = " + value);
  }
  for (const step of steps.slice(0, count)) {
    const slot = slots.get(step.dataset.slot);
    if (!slot || step.parentElement.dataset.example !== example) continue;
    fill(slot, step.dataset.value, slot.dataset.step ? step.id.slice(5) : "", step.dataset.said);
    slot.removeAttribute("visibility");
  }
}

function go(to) {
  at = Math.min(Math.max(to, 0), steps.length);
  slider.value = at;
  whole();
  const where = get("where");
  where.textContent = at
    ? where.dataset.words.replace("{step}", at).replace("{count}", where.dataset.count) : where.dataset.start;
  slider.setAttribute("aria-valuetext", where.textContent);
  get("back").disabled = at === 0;
  get("on").disabled = at === steps.length;
  if (!at) {
    get("which").textContent = "";
    get("panel").replaceChildren();
    return;
  }
  const step = steps[at - 1];
  known(at);
  get("which").textContent = ": " + titles.get(step.parentElement);
  get("panel").replaceChildren(...[...step.children].map(child => child.cloneNode(true)));
  step.classList.add("now-at");
  light(step, "lit");
  const slot = slots.get(step.dataset.slot);
  if (slot) slot.classList.add("lit-slot");
  bringIntoView(slot || parts.get(step.dataset.lit.split(" ")[0]));
  reachable(get("panel"));
}

// A picture that is larger than its frame is moved in it; the page stays where it is.
function bringIntoView(part) {
  if (!part) return;
  const frame = picture.getBoundingClientRect(), box = part.getBoundingClientRect();
  if (box.left < frame.left || box.right > frame.right)
    picture.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
  if (box.top < frame.top || box.bottom > frame.bottom)
    picture.scrollTop += box.top + box.height / 2 - frame.top - frame.height / 2;
}

// A formula that is wider than the screen is scrolled by keyboard, too.
function reachable(inside) {
  for (const piece of inside.querySelectorAll(".piece"))
    if (piece.scrollWidth > piece.clientWidth + 1) piece.tabIndex = 0; else piece.removeAttribute("tabindex");
}

function light(step, look) {
  for (const name of step.dataset.lit.split(" ")) if (parts.has(name)) parts.get(name).classList.add(look);
}

function hide() {
  tip.hidden = true;
  for (const part of parts.values()) part.classList.remove("hint");
}

// Where a number comes from: beside it the formula, and in the picture the units and edges that made it.
function show(number) {
  hide();
  const step = number.dataset.step && get("step-" + number.dataset.step);
  tip.replaceChildren();
  if (step) {
    tip.append(...[...step.children].map(child => child.cloneNode(true)));
    light(step, "hint");
  } else tip.append(number.dataset.said);
  tip.hidden = false;
  const box = number.getBoundingClientRect();
  const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
  // Without a gap, so that the pointer reaches the tip and its links.
  const above = box.top - tip.offsetHeight;
  // Below the picture, if the number is in it: the units and edges are to be seen.
  const top = picture.contains(number) ? picture.getBoundingClientRect().bottom : above > 0 ? above : box.bottom;
  tip.style.left = Math.max(8, left) + scrollX + "px";
  tip.style.top = top + scrollY + "px";
}

const numberAt = event => event.target.closest && event.target.closest("[data-step], [data-said]:not(li)");
for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, event => {
  const number = numberAt(event);
  if (number) show(number); else if (!event.target.closest("#tip")) hide();
});
document.addEventListener("click", event => {
  const number = numberAt(event), link = event.target.closest("a");
  if (number && number.dataset.step) {
    // The walk goes where the number was computed; the page stays where it is.
    event.preventDefault();
    go(Number(number.dataset.step));
    show(number);
  } else if (number) show(number);
  else if (!event.target.closest("#tip")) hide();
  // In a notebook's frame an address of this page would open the notebook.
  if (link && !number && location.protocol === "about:") {
    event.preventDefault();
    get(link.getAttribute("href").slice(1)).scrollIntoView();
  }
});
document.addEventListener("keydown", event => {
  if (event.key === "Escape") hide();
  // The slider, and a formula that is scrolled, have arrows of their own.
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("#at, .piece[tabindex]")) return;
  const to = {ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  go(to);
});
slider.addEventListener("input", () => go(Number(slider.value)));
get("back").addEventListener("click", () => go(at - 1));
get("on").addEventListener("click", () => go(at + 1));
document.documentElement.classList.add("walked");
go(0);
reachable(document);
addEventListener("resize", () => reachable(document));
let printed = 0;
addEventListener("beforeprint", () => { printed = at; hide(); go(0); });
addEventListener("afterprint", () => go(printed));
