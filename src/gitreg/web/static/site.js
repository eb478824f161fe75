// What a site without a server does in the browser: it finds models as one types, compares versions and tells
// the commit that it shows. Data come in scripts, because a page that was opened from disk can load nothing else.
"use strict";

(() => {
  const root = new URL("..", document.currentScript.src);
  const loading = new Map();

  function load(path) {
    const address = new URL(path, root).href;
    if (!loading.has(address)) {
      loading.set(address, new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = address;
        script.onload = done;
        script.onerror = () => failed(new Error(`${path} can’t be loaded`));
        document.head.append(script);
      }));
    }
    return loading.get(address);
  }

  const site = window.gitregSite = {
    found: [], colours: {}, versions: new Map(),
    models(head, rows) { site.colours = head.colours; site.found = rows; },
    model(told) { site.versions.set(told.name, told); },
    stands(told) { stands(told); },
  };

  // Building blocks: text is always text, never HTML.
  function el(name, given = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(given)) {
      if (value === false || value === undefined) continue;
      made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...inside.flat());
    return made;
  }
  const link = (path, ...inside) => el("a", { href: new URL(path, root).href }, ...inside);
  const pageOf = (model, version) => `${model.at}/${version === undefined ? "" : `${version}/`}index.html`;
  const stageOf = (name) => el("span", { class: `stage c${site.colours[name] ?? 7}` }, name);
  const numbers = new Intl.NumberFormat("en");

  function number(value) {
    return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
  }

  function time(text) {
    const when = new Date(text);
    const shown = when.toLocaleString("en-GB", {
      timeZone: "UTC", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false,
    });
    return el("time", { datetime: text, title: `${shown} UTC` }, shown);
  }

  function table(label, kind, heads, rows) {
    return el("div", { class: `scroll ${kind}`.trim(), tabindex: "0", role: "group", "aria-label": label },
      el("table", {}, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
        el("tbody", {}, rows)));
  }

  // The commit that the site shows
  function stands(told) {
    const place = document.getElementById("stands");
    if (!place) return;
    place.replaceChildren("Commit ", link(told.at, el("code", {}, told.commit.slice(0, 10))), ", ", time(told.time));
  }

  // Finding models
  const MOST = 100;

  function fold(text) { return text.normalize("NFKC").toLowerCase(); }

  function matching(text) {
    const words = fold(text).split(/\s+/).filter(Boolean);
    const hits = [];
    for (const model of site.found) {
      model.text ??= fold(`${model.name} ${model.words} ${model.owners.join(" ")}`);
      if (!words.every((word) => model.text.includes(word))) continue;
      const name = model.folded ??= fold(model.name);
      const near = name === words[0] ? 0 : name.startsWith(words[0]) ? 1 : name.includes(words[0]) ? 2 : 3;
      hits.push([near, model]);
    }
    // The list is by name already, and sorting keeps that order among equals.
    return hits.sort((one, other) => one[0] - other[0]).map((hit) => hit[1]);
  }

  function row(model) {
    const stages = Object.entries(model.stages).filter(([name]) => name !== "Archived").map(([name, version]) =>
      el("a", { class: "held", href: new URL(pageOf(model, version), root).href }, stageOf(name), " ", el("span", {}, `v${version}`)));
    const latest = model.latest === null ? "0" : link(pageOf(model, model.latest), numbers.format(model.count));
    const metric = model.metric ? [el("b", {}, number(model.metric[1])), " ", el("span", { class: "soft" }, model.metric[0])] : [];
    const who = model.author ? [el("span", { class: "under" }, model.author)] : [];
    return el("tr", {},
      el("th", { scope: "row" }, link(pageOf(model), model.name), model.about ? el("span", { class: "under" }, model.about) : ""),
      el("td", { class: "right", "data-label": "Versions" }, latest),
      el("td", { "data-label": "Stages" }, stages),
      el("td", { "data-label": "Main metric" }, metric),
      el("td", { "data-label": "Owner" }, model.owners.slice(0, 2).join(", ")),
      el("td", { "data-label": "Last change" }, time(model.updated), who));
  }

  function finder(field, place) {
    const before = [...place.childNodes];
    const heading = document.querySelector(".heading p");
    const told = heading?.textContent;

    async function find() {
      const text = field.value.trim();
      const address = new URL(location.href);
      if (text) address.searchParams.set("q", text); else address.searchParams.delete("q");
      try { history.replaceState(null, "", address); } catch { /* from disk, some browsers refuse */ }
      if (!text) {
        place.replaceChildren(...before);
        if (heading) heading.textContent = told;
        return;
      }
      try { await load("data/models.js"); } catch (error) {
        place.replaceChildren(el("p", { class: "problem" }, error.message));
        return;
      }
      if (field.value.trim() !== text) return; // more was typed meanwhile
      const hits = matching(text);
      if (heading) heading.textContent = `${numbers.format(hits.length)} ${hits.length === 1 ? "model" : "models"} found`;
      if (!hits.length) {
        place.replaceChildren(el("p", { class: "nothing" }, "No model matches."));
        return;
      }
      const heads = ["Model", "Versions", "Stages", "Main metric", "Owner", "Last change"];
      const more = hits.length > MOST ? [el("p", { class: "soft" }, `The first ${MOST} are shown: type more to see the others.`)] : [];
      place.replaceChildren(table("Models", "cards", heads, hits.slice(0, MOST).map(row)), ...more);
    }

    field.addEventListener("focus", () => load("data/models.js").catch(() => {}), { once: true });
    field.addEventListener("input", find);
    field.form?.addEventListener("submit", (event) => { event.preventDefault(); find(); });
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) { field.value = asked; find(); }
  }

  // Comparing versions
  const PARTS = [["Metrics", "metrics"], ["Parameters", "params"], ["Tags", "tags"]];
  const FACTS = [
    ["Stages", (one) => Object.keys(one.stages).join(", ")], ["Aliases", (one) => one.aliases.join(", ")],
    ["Description", (one) => one.description], ["Source", (one) => one.source], ["Created", (one) => one.created],
    ["Registered by", (one) => one.registered?.author.name], ["Run", (one) => one.run_id],
    ["Experiment", (one) => one.experiment], ["Code", (one) => one.code?.commit], ["Status", (one) => one.status],
    ["Data sets", (one) => one.datasets?.map((each) => each.name).join(", ")],
    ["Parents", (one) => one.parents?.join(", ")],
    ["Artifact", (one) => one.artifact?.digest], ["Size", (one) => one.artifact?.size],
    ["Flavors", (one) => one.artifact?.flavors && Object.keys(one.artifact.flavors).join(", ")],
    ["Deprecated", (one) => one.deprecated && (one.deprecated.reason || "yes")],
  ];

  async function meant(text) {
    const [, name, which] = /^(?:models:\/)?(.+?)(?:\/([^/@]+)|(@[^/@]+))?$/.exec(text) || [];
    const model = site.found.find((one) => one.name === text || one.name === name);
    if (!model) throw new Error(`There is no model ${name ?? text}.`);
    await load(`data/${model.at}.js`);
    const told = site.versions.get(model.name);
    const chosen = told.versions.find((one) => !which ? one.version === told.latest_version
      : which.startsWith("@") ? one.aliases.includes(which.slice(1))
      : which === "latest" ? one.version === told.latest_version
      : String(one.version) === which || told.stages[which]?.[0] === one.version);
    if (!chosen) throw new Error(`${model.name} has no version ${which ?? ""}.`);
    return { model, told: chosen };
  }

  function same(values) { return values.every((value) => value === values[0]); }

  function cell(values, at) {
    const value = values[at];
    const inside = [value === undefined || value === "" || value === null ? "–" : number(value)];
    const first = values[0];
    if (at > 0 && typeof value === "number" && typeof first === "number" && value !== first) {
      inside.push(el("span", { class: "under" }, `${value > first ? "+" : "−"}${number(Math.abs(value - first))}`));
    }
    return el("td", { class: "value" }, inside);
  }

  function section(title, rows, sides, everything) {
    const shown = rows.filter(([, values]) => values.some((value) => value !== undefined && value !== "") && (everything || !same(values)));
    if (!shown.length) return [];
    const heads = [title, ...sides.map(({ model, told }) => link(pageOf(model, told.version), `${told.name}/${told.version}`))];
    const body = shown.map(([name, values]) => el("tr", {}, el("th", { scope: "row" }, name), values.map((_, at) => cell(values, at))));
    return [table(title, "", heads, body)];
  }

  async function compare(form, place) {
    const asked = [...new Set(new FormData(form).getAll("version").map((text) => text.trim()).filter(Boolean))];
    if (!asked.length) return;
    try {
      await load("data/models.js");
      const sides = await Promise.all(asked.map(meant));
      const everything = form.elements.all.checked;
      const tables = [];
      for (const [title, key] of PARTS) {
        const keys = [...new Set(sides.flatMap((side) => Object.keys(side.told[key] ?? {})))].sort();
        tables.push(...section(title, keys.map((name) => [name, sides.map((side) => side.told[key]?.[name])]), sides, everything));
      }
      tables.push(...section("Facts", FACTS.map(([name, fact]) => [name, sides.map((side) => fact(side.told) || undefined)]), sides, everything));
      if (!tables.length) tables.push(el("p", { class: "nothing" }, sides.length < 2 ? "Name another version." : "They are the same."));
      place.replaceChildren(...tables);
    } catch (error) {
      place.replaceChildren(el("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  function comparing(form, place) {
    const fields = [...form.querySelectorAll('[name="version"]')];
    const asked = new URLSearchParams(location.search).getAll("version");
    while (fields.length < asked.length && fields.length < 8) {
      const another = fields[0].cloneNode();
      another.removeAttribute("id");
      another.setAttribute("aria-label", `Version ${fields.length + 1}`);
      fields.at(-1).after(another);
      fields.push(another);
    }
    fields.forEach((field, at) => { field.value = asked[at] ?? field.value; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const address = new URL(location.href);
      address.searchParams.delete("version");
      for (const field of fields) if (field.value.trim()) address.searchParams.append("version", field.value.trim());
      try { history.replaceState(null, "", address); } catch { /* as above */ }
      compare(form, place);
    });
    form.elements.all.addEventListener("change", () => compare(form, place));
    compare(form, place);
  }

  const field = document.querySelector('input[type="search"][data-key="/"]');
  const place = document.getElementById("found");
  const form = document.getElementById("comparing");
  if (field && place) finder(field, place);
  if (form) comparing(form, document.getElementById("compared"));
  load("data/site.js").catch(() => {});
})();
