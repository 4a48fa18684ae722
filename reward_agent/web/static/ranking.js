// Each click is sent at once, and kept here until the server has saved it: a lost connection or a reload loses nothing.
"use strict";
(() => {
  const ranking = document.getElementById("ranking"), unsent = document.getElementById("unsent");
  const { address, rater } = ranking.dataset;
  const store = `unsent ${address} ${rater}`;
  const AGAIN = 2000, PAUSE = 500; // milliseconds: until a lost connection is tried again; after the last letter typed
  let later = 0, keyboard = localStorage.getItem("keys") !== "off";

  // ---- what is not saved yet, shared by all tabs of this page
  const queue = () => { try { return JSON.parse(localStorage.getItem(store)) || []; } catch { return []; } };
  const keep = (entries) => entries.length ? localStorage.setItem(store, JSON.stringify(entries)) : localStorage.removeItem(store);
  const tell = (text) => { unsent.hidden = !text; if (unsent.textContent !== text) unsent.textContent = text; };
  const version = () => document.querySelector("input[name=version]").value;
  // only one tab at a time takes from the queue
  const alone = (work) => navigator.locks ? navigator.locks.request(store, work) : work();

  const add = (entry) => {
    const entries = queue();
    const last = entries.at(-1);
    if (last && last.text !== undefined && last.do === entry.do) entries.pop(); // the same text, typed on
    keep([...entries, { ...entry, id: `${Date.now()} ${Math.random()}` }]);
  };

  const send = () => alone(async () => {
    clearTimeout(later);
    for (let entry = queue()[0]; entry; entry = queue()[0]) {
      const body = new URLSearchParams({ rater, version: version(), do: entry.do, text: entry.text ?? "", force: entry.force ?? "", click: entry.id });
      let answer, page;
      try {
        answer = await fetch(address, { method: "POST", body, headers: { "X-Page": "1" }, signal: AbortSignal.timeout(10000) });
        page = await answer.text();
      } catch {
        return wait("The connection is lost. What you enter is kept here and sent as soon as it is back.");
      }
      if (answer.status === 403) return wait("The server was started anew: open the link that it printed. What you entered is kept here.");
      if (answer.status >= 500) return wait("The server could not save it. What you entered is kept here and sent again.");
      keep(queue().filter((each) => each.id !== entry.id));
      const found = new DOMParser().parseFromString(page, "text/html");
      if (found.getElementById("ranking")) take(found, answer.status === 409);
      else return tell(found.getElementById("told")?.textContent ?? "That was not taken. Load the page again.");
    }
    tell("");
  });

  const wait = (text) => { tell(text); later = setTimeout(send, AGAIN); };

  // ---- what changed, taken into the page that is there: films go on, and what is being typed stays
  const take = (found, refused) => {
    const focus = document.activeElement?.id;
    const shown = () => [...document.querySelectorAll(".clip:not([hidden])")].map((clip) => clip.id).join();
    const before = shown();
    for (const part of found.querySelectorAll("[data-part]")) {
      const here = document.querySelector(`[data-part="${part.dataset.part}"]`);
      if (here && here.innerHTML !== part.innerHTML) here.replaceChildren(...part.childNodes);
    }
    for (const clip of found.querySelectorAll(".clip")) {
      const here = document.getElementById(clip.id);
      if (here) [here.className, here.hidden] = [clip.className, clip.hidden];
    }
    for (const input of document.querySelectorAll("input[name=version]")) input.value = found.querySelector("input[name=version]").value;
    const waiting = queue().map((entry) => entry.do);
    for (const box of found.querySelectorAll("textarea")) {
      const here = document.getElementById(box.id), about = here?.form.elements.do.value;
      if (here && here !== document.activeElement && !waiting.includes(about)) here.value = box.defaultValue;
    }
    ranking.dataset.mode = found.getElementById("ranking").dataset.mode;
    if (focus && document.activeElement === document.body) document.getElementById(focus)?.focus();
    if (refused) document.getElementById("force")?.focus();
    if (shown() !== before) document.dispatchEvent(new Event("clips-changed"));
  };

  ranking.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target, fields = new FormData(form, event.submitter);
    clearTimeout(typed);
    if (fields.get("do")) add({ do: fields.get("do"), text: fields.get("text") ?? undefined, force: fields.get("force") ?? undefined });
    send();
  });
  let typed = 0;
  ranking.addEventListener("input", (event) => {
    if (event.target.tagName !== "TEXTAREA") return;
    add({ do: event.target.form.elements.do.value, text: event.target.value });
    clearTimeout(typed);
    typed = setTimeout(send, PAUSE);
  });

  // ---- keys
  const keys = document.getElementById("keys");
  keys.checked = keyboard;
  keys.addEventListener("change", () => { keyboard = keys.checked; localStorage.setItem("keys", keyboard ? "on" : "off"); });
  document.addEventListener("keydown", (event) => {
    const focus = document.activeElement, typing = focus?.matches("textarea, select, input:not([type=checkbox])");
    if (!keyboard || typing || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const press = (where) => where?.querySelector(`[data-key="${event.key.toLowerCase()}"]:not(:disabled)`);
    const button = press(focus?.closest(".clip")) ?? press(document.querySelector(".pair")) ?? press(document.querySelector(".bar")) ?? press(document.querySelector("[data-part=none]"));
    const clips = [...document.querySelectorAll(".clip:not([hidden])")];
    if (event.key === " " && !focus?.matches("button, a, summary, input")) window.films.toggle();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") window.films.step(event.key === "ArrowLeft" ? -0.1 : 0.1);
    else if (button) button.click();
    else if (clips[event.key - 1]) clips[event.key - 1].focus();
    else if (/^[bwtsnupkjx]$/i.test(event.key) && document.getElementById("reopen")) {
      tell("It is handed in: press “Change it” first.");
      document.getElementById("reopen").focus();
    }
    else return;
    event.preventDefault();
  });

  document.documentElement.classList.add("script");
  window.addEventListener("online", send);
  if (queue().length) { // typed or clicked before a reload
    for (const { do: about, text } of queue()) for (const box of document.querySelectorAll("textarea"))
      if (text !== undefined && box.form.elements.do.value === about) box.value = text;
    send();
  }
})();
