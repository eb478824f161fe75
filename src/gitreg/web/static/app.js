// What pages do beyond HTML: nothing here is needed to read them.
"use strict";

(() => {
  const root = document.documentElement;
  try {
    const kept = localStorage.getItem("gitreg-theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch { /* a page opened from disk may not keep anything */ }
  root.classList.add("js");

  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

  function ago(seconds) {
    for (const [unit, length] of units) {
      if (Math.abs(seconds) >= length) return words.format(-Math.trunc(seconds / length), unit);
    }
    return "just now";
  }

  function enhance(part) {
    for (const time of part.querySelectorAll("time[datetime]")) {
      if (time.title) continue;
      const then = Date.parse(time.dateTime);
      if (Number.isNaN(then)) continue;
      const seconds = (Date.now() - then) / 1000;
      time.title = time.textContent;
      // What lies further back is easier to place by its day.
      time.textContent = seconds > 30 * 86400 ? time.title.split(",")[0] : ago(seconds);
    }
    for (const button of part.querySelectorAll("button.copy[hidden]")) button.hidden = false;
  }

  function chosenTheme() {
    if (root.dataset.theme) return root.dataset.theme;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  document.addEventListener("DOMContentLoaded", () => {
    enhance(document);
    const theme = document.getElementById("theme");
    if (theme) {
      theme.hidden = false;
      theme.addEventListener("click", () => {
        root.dataset.theme = chosenTheme() === "dark" ? "light" : "dark";
        try { localStorage.setItem("gitreg-theme", root.dataset.theme); } catch { /* as above */ }
      });
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => enhance(event.target.parentElement || document));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
      return;
    }
    const said = document.getElementById(button.dataset.copy).textContent;
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(said);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });

  // A button of a form that takes several choices waits for so many of them.
  function choose(form) {
    const chosen = form.querySelectorAll('input[type="checkbox"]:checked').length;
    const most = Number(form.dataset.most || Infinity);
    for (const button of form.querySelectorAll('button[type="submit"]')) {
      button.disabled = chosen < Number(form.dataset.least) || chosen > most;
    }
    const why = form.querySelector(".why");
    if (why) why.textContent = chosen > most ? `${chosen} are chosen: no more than ${most} fit beside each other` : "";
  }
  for (const when of ["DOMContentLoaded", "pageshow"]) {
    addEventListener(when, () => document.querySelectorAll("form[data-least]").forEach(choose));
  }

  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-least]");
    if (form) choose(form);
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // What scrolls sideways and has more on the right fades there (on a phone: see the style).
  const wide = ".sections, .picture, .scroll";
  function fade(part) { part.classList.toggle("onward", part.scrollWidth - part.clientWidth - part.scrollLeft > 4); }
  const fadeAll = () => document.querySelectorAll(wide).forEach(fade);
  for (const when of ["DOMContentLoaded", "load", "resize", "htmx:afterSwap"]) addEventListener(when, fadeAll);
  document.addEventListener("scroll", (event) => {
    if (event.target instanceof Element && event.target.matches(wide)) fade(event.target);
  }, { capture: true, passive: true });

  // A menu that the focus has left is closed.
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });

  // "/" goes to the field that finds things, Escape closes a menu.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
      return;
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    const field = document.querySelector('[data-key="/"]');
    if (field) { event.preventDefault(); field.focus(); field.select(); }
  });
})();
