// SPDX-License-Identifier: EUPL-1.2
// Comfort for the field pages, which work without it: what is typed survives a lost connection and a locked screen, the
// phone's position fills the form, and the installation check renews itself. No secret is ever kept in the browser.
"use strict";

const form = document.querySelector("form[data-draft]");
const offline = document.getElementById("offline");
const key = "cityhub:" + location.pathname;
const fields = () => [...form.elements].filter((e) => e.name && e.type !== "hidden" && e.tagName !== "BUTTON");
let sending = false;

function keep() {
  const typed = fields().filter((e) => e.type !== "radio" || e.checked).map((e) => [e.name, e.value]);
  try { localStorage.setItem(key, JSON.stringify({ base: form.dataset.draft, typed })); } catch { /* storage is full or off */ }
}

function restore() {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(key)); } catch { /* damaged: as if nothing were there */ }
  if (!kept || kept.base !== form.dataset.draft) return;
  for (const [name, value] of kept.typed) {
    for (const e of fields().filter((f) => f.name === name)) {
      if (e.type === "radio") e.checked = e.value === value; else e.value = value;
    }
  }
}

async function reachable() {
  try { return (await fetch("/api/v1/health/live", { cache: "no-store" })).ok; } catch { return false; }
}

// The form goes out only when the hub answers: a page of the browser's own would take the place of what was typed.
async function send(button) {
  if (sending) return;
  sending = true;
  while (!(await reachable())) {
    offline.hidden = false;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  offline.hidden = true;
  sending = false;
  form.dataset.ready = "1";
  form.requestSubmit(button ?? undefined);
}

if (form) {
  restore();
  form.addEventListener("input", keep);
  document.addEventListener("visibilitychange", keep);
  form.addEventListener("submit", (event) => {
    keep();
    if (form.dataset.ready) { delete form.dataset.ready; return; }
    event.preventDefault();
    send(event.submitter);
  });
}

const locate = document.getElementById("locate");
if (locate && navigator.geolocation) {
  locate.hidden = false;
  locate.addEventListener("click", () => navigator.geolocation.getCurrentPosition((found) => {
    form.elements.latitude.value = found.coords.latitude.toFixed(6);
    form.elements.longitude.value = found.coords.longitude.toFixed(6);
    keep();
    form.requestSubmit(form.querySelector("button[value=locate]"));
  }, () => { locate.textContent = locate.dataset.denied; }, { enableHighAccuracy: true, timeout: 15000 }));
}

const live = document.getElementById("live");
async function renew() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (answer.ok && page) {
        if (page.innerHTML !== live.innerHTML) live.replaceChildren(...page.childNodes);
        offline.hidden = true;
      }
    } catch { offline.hidden = false; }
  }
  setTimeout(renew, 3000);
}
if (live) setTimeout(renew, 3000);

const print = document.getElementById("print");
if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }

// A photo that the hub would not take is told before it is sent.
for (const upload of document.querySelectorAll("form[data-most]")) {
  upload.addEventListener("submit", (event) => {
    const file = upload.querySelector("input[type=file]");
    const most = Number(upload.dataset.most);
    file.setCustomValidity(file.files[0]?.size >= most ? upload.dataset.large : "");
    if (!file.reportValidity()) event.preventDefault();
  });
  upload.addEventListener("change", () => upload.querySelector("input[type=file]").setCustomValidity(""));
}

// Where the phone's browser reads QR codes itself, a picture of the label fills the field of the label.
const scan = document.getElementById("scan");
if (scan && "BarcodeDetector" in window) {
  const camera = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", capture: "environment" });
  scan.hidden = false;
  scan.addEventListener("click", () => camera.click());
  camera.addEventListener("change", async () => {
    try {
      const picture = await createImageBitmap(camera.files[0]);
      const [code] = await new BarcodeDetector({ formats: ["qr_code", "data_matrix"] }).detect(picture);
      form.elements.sticker.value = code.rawValue;
      keep();
      form.requestSubmit(form.querySelector("button[value=label]"));
    } catch { scan.textContent = scan.dataset.denied; }
  });
}
