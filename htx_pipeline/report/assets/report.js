"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const data = JSON.parse($("data").textContent);
  const say = (key, values = {}) => data.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const fold = (s) => s.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/\p{M}/gu, "").replace(/\s+/g, " ").trim();
  const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const order = new Intl.Collator("vi", { numeric: true });
  const PAGE = 50;

  // ---- light and dark
  const root = document.documentElement, theme = $("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = { get: () => { try { return localStorage.getItem("htx-theme"); } catch { return null; } }, set: (v) => { try { localStorage.setItem("htx-theme", v); } catch { /* a page from a disk may not keep anything */ } } };
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const told = () => theme.setAttribute("aria-pressed", String(isDark()));
  if (["light", "dark"].includes(kept.get())) root.dataset.theme = kept.get();
  theme.hidden = false; told(); dark.addEventListener("change", told);
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; kept.set(root.dataset.theme); told(); });

  // ---- tables: order, search, filters, long tables folded
  const tables = all("table[data-t]").map((element) => {
    const rows = [...element.tBodies[0].rows];
    const below = make("div", "", { className: "below" });
    element.parentElement.after(below);
    return { element, rows, below, words: rows.map((r) => fold(r.textContent)), open: rows.length <= PAGE * 1.2, seen: rows };
  });
  const chosen = { find: "", l: "", p: "", s: "" };
  const matches = (row, words) => (!chosen.find || chosen.find.split(" ").every((w) => words.includes(w)))
    && ["l", "p", "s"].every((key) => !chosen[key] || row.dataset[key] === undefined || row.dataset[key].split("|").includes(chosen[key]));
  function show() {
    const isOn = Object.values(chosen).some(Boolean);
    let n = 0, total = 0;
    for (const t of tables) {
      const hits = new Set(t.rows.filter((r, i) => matches(r, t.words[i])));
      const limit = t.open || isOn ? Infinity : PAGE;
      let place = 0;
      for (const r of t.element.tBodies[0].rows) {
        const isHit = hits.has(r);
        r.hidden = !isHit && isOn;
        r.classList.toggle("folded", isHit && place >= limit);
        if (isHit) place += 1;
      }
      for (const foot of all("tfoot", t.element)) foot.hidden = isOn && hits.size < t.rows.length;
      t.below.replaceChildren();
      if (isOn && hits.size < t.rows.length) t.below.append(make("span", hits.size ? say("shown", { n: hits.size, all: t.rows.length }) : say("nothing")));
      if (place > limit) {
        const more = make("button", say("more", { n: place - limit }), { type: "button" });
        more.addEventListener("click", () => { t.open = true; show(); t.element.parentElement.focus(); });
        t.below.append(more);
      }
      n += hits.size; total += t.rows.length;
    }
    $("status").textContent = isOn ? say("shown", { n, all: total }) : "";
    $("clear").disabled = !isOn;
    $("chips").textContent = chosen.s ? `${data.words.stage}: ${data.stages[chosen.s] ?? chosen.s}` : "";
  }
  function sort(t, column, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending" || (!heading.hasAttribute("aria-sort") && heading.classList.contains("n"));
    const isUp = heading.getAttribute("aria-sort") === "descending" || !down;
    all("thead th", t.element).forEach((h) => h.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const keys = new Map(t.rows.map((r) => {
      const cell = r.cells[column], v = cell.dataset.v;
      return [r, v === "" ? null : v === undefined ? cell.firstChild?.textContent.trim() ?? "" : Number.isNaN(Number(v)) ? v : Number(v)];
    }));
    // What is not there stands last in either order.
    const sorted = [...t.rows].sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (x === null || y === null) return (x === null) - (y === null);
      const by = typeof x === "number" && typeof y === "number" ? x - y : order.compare(String(x), String(y));
      return isUp ? by : -by;
    });
    t.element.tBodies[0].append(...sorted);
    show();
  }
  for (const t of tables) {
    all("thead th", t.element).forEach((heading, column) => {
      if (heading.dataset.k === "files") return;
      const button = make("button", heading.textContent, { type: "button", title: say("sort") });
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(t, column, heading));
    });
  }
  const form = $("filters");
  form.hidden = !tables.some((t) => t.rows.length > 1);
  form.addEventListener("submit", (e) => e.preventDefault());
  $("find").addEventListener("input", (e) => { chosen.find = fold(e.target.value); show(); });
  for (const s of all("select[data-key]", form)) s.addEventListener("change", () => { chosen[s.dataset.key] = s.value; show(); });
  function clear() {
    Object.keys(chosen).forEach((k) => { chosen[k] = ""; });
    $("find").value = "";
    for (const s of all("select[data-key], select[data-parts]")) s.value = "";
    all(".said").forEach((s) => s.replaceChildren());
    all(".chosen").forEach((e) => e.classList.remove("chosen"));
    show();
  }
  $("clear").addEventListener("click", () => { clear(); $("find").focus(); });

  // ---- pictures that answer
  function choose(select, id) {
    const mark = data.marks[id];
    clear();
    if (!mark) return;
    select.value = id;
    $(id)?.classList.add("chosen");
    select.closest(".parts").querySelector(".said").append(...[mark.title, ...mark.lines].map((line) => make("p", line)));
    Object.assign(chosen, mark.select);
    for (const s of all("select[data-key]", form)) { s.value = chosen[s.dataset.key]; }
    show();
  }
  for (const select of all("select[data-parts]")) {
    select.addEventListener("change", () => choose(select, select.value));
    for (const option of select.options) {
      const part = option.value && $(option.value);
      if (!part) continue;
      part.classList.add("part");
      part.addEventListener("click", () => choose(select, select.value === option.value ? "" : option.value));
    }
  }

  // ---- from a figure to its rows
  const panel = $("panel"), body = $("panel-body");
  function told_of(record) {
    const parts = [];
    if (record.files.length) {
      const table = make("table"), head = table.createTHead().insertRow(), rows = table.createTBody();
      for (const key of ["file", "sheet", "rows", "n_rows"]) head.append(make("th", say(key), { scope: "col" }));
      for (const f of record.files) {
        const row = rows.insertRow();
        for (const key of ["file", "sheet", "rows", "n"]) row.insertCell().textContent = f[key] ?? "";
      }
      parts.push(table);
    } else parts.push(make("p", say("no_rows")));
    if (record.n_rejected) parts.push(make("p", say("rejected", { n: record.n_rejected })));
    if (record.steps.length) {
      const list = make("ol");
      list.append(...record.steps.map((s) => make("li", s)));
      parts.push(make("p", say("steps")), list);
    }
    parts.push(make("p", record.line, { className: "source" }));
    return parts;
  }
  let behind = { ids: {} };
  async function unpacked(packed) {
    if (!packed || !("DecompressionStream" in window)) return behind;
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  }
  const index = (id) => { const cut = id.lastIndexOf("/"); return behind.ids[id.slice(0, cut)]?.[id.slice(cut + 1)]; };
  const record = (i) => {
    const [line, files, n_rejected, steps] = behind.records[i];
    return { line: behind.words[line], n_rejected, steps: steps.map((s) => behind.words[s]),
      files: files.map(([at, rows, n]) => ({ file: behind.files[at][0], sheet: behind.files[at][1], rows, n })) };
  };
  function open(title, asked) {
    const groups = new Map();
    for (const [label, id] of asked) if (index(id) !== undefined) groups.set(index(id), [...(groups.get(index(id)) ?? []), label]);
    $("panel-title").textContent = `${say("sources")}: ${title}`;
    body.replaceChildren(...[...groups].flatMap(([i, labels]) => [make("h3", labels.join("; ")), ...told_of(record(i))]));
    panel.showModal();
  }
  $("panel-close").addEventListener("click", () => panel.close());
  panel.addEventListener("click", (e) => { if (e.target === panel) panel.close(); });
  const why = (name, act) => {
    const button = make("button", "i", { type: "button", className: "why", title: say("sources") });
    button.setAttribute("aria-label", say("source_of", { name }));
    button.addEventListener("click", act);
    return button;
  };
  function offer() {
    for (const e of all(".facts [data-f], figure[data-f]")) {
      if (index(e.dataset.f) === undefined) continue;
      const place = e.querySelector("dt, figcaption"), name = place.textContent.trim();
      place.append(why(name, () => open(name, [[name, e.dataset.f]])));
    }
    for (const t of tables) {
      const columns = all("thead th", t.element).map((h) => [h.textContent, h.dataset.k]);
      for (const row of all("tr[data-r]", t.element)) {
        const ids = columns.map(([label, key]) => [label, `${t.element.dataset.t}/${row.dataset.r}/${key}`]);
        const own = ids.filter(([, id]) => index(id) !== undefined);
        if (!own.length) continue;
        const head = row.querySelector("th") ?? row.cells[0], name = head.textContent.trim();
        head.classList.add("told");
        head.append(why(name, () => open(name, own)));
        ids.forEach((one, i) => {
          if (index(one[1]) === undefined || row.cells[i] === head) return;
          row.cells[i].classList.add("asks");
          row.cells[i].addEventListener("click", () => open(name, [one]));
        });
      }
    }
  }

  // ---- print: what is closed is opened
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); closed.forEach((d) => { d.open = true; }); });
  addEventListener("afterprint", () => closed.forEach((d) => { d.open = false; }));
  show();
  unpacked(data.sources).then((found) => { behind = found; offer(); root.dataset.ready = "yes"; });
})();
