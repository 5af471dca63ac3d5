"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const data = JSON.parse($("data").textContent);
  const say = (key, values = {}) => data.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const fold = (s) => s.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/\p{M}/gu, "").replace(/\s+/g, " ").trim();
  const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const PAGE = 50;

  // ---- light and dark
  const root = document.documentElement, theme = $("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = { get: () => { try { return localStorage.getItem("htx-theme"); } catch { return null; } }, set: (v) => { try { localStorage.setItem("htx-theme", v); } catch { /* a page from a disk may not keep anything */ } } };
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const told = () => theme.setAttribute("aria-pressed", String(isDark()));
  const chosenBefore = kept.get();
  if (["light", "dark"].includes(chosenBefore)) root.dataset.theme = chosenBefore;
  theme.hidden = false; told(); dark.addEventListener("change", told);
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; kept.set(root.dataset.theme); told(); });

  // ---- tables: order, search, filters, long tables folded
  const tables = all("table[data-t]").map((element) => ({ element, open: element.tBodies[0].rows.length <= PAGE * 1.2 }));
  const chosen = { find: "", l: "", p: "", s: "" };
  const isOn = () => Object.values(chosen).some(Boolean);
  let order;
  // A table is read when it is first shown in another way than it came.
  function read(t) {
    if (t.rows) return t;
    t.rows = [...t.element.tBodies[0].rows];
    t.words = new Map(t.rows.map((r) => [r, fold([...r.cells].map((c) => c.dataset.w ?? c.textContent).join(" "))]));
    return t;
  }
  const matches = (row, words) => (!chosen.find || chosen.find.split(" ").every((w) => words.includes(w)))
    && ["l", "p", "s"].every((key) => !chosen[key] || row.dataset[key] === undefined || row.dataset[key].split("|").includes(chosen[key]));
  function arrange(t) {
    const on = isOn(), limit = t.open || on ? Infinity : PAGE;
    if (!t.below) t.element.parentElement.after(t.below = make("div", "", { className: "below" }));
    let place = 0, n = 0;
    const rows = t.element.tBodies[0].rows;
    for (const r of rows) {
      const isHit = !on || matches(r, read(t).words.get(r));
      r.hidden = !isHit;
      r.classList.toggle("folded", isHit && place >= limit);
      if (isHit) { place += 1; n += 1; }
    }
    for (const foot of all("tfoot", t.element)) foot.hidden = on && n < rows.length;
    t.below.replaceChildren();
    if (on && n < rows.length) t.below.append(make("span", n ? say("shown", { n, all: rows.length }) : say("nothing")));
    if (place > limit) {
      const more = make("button", say("more", { n: place - limit }), { type: "button" });
      more.addEventListener("click", () => { t.open = true; arrange(t); t.element.parentElement.focus(); });
      t.below.append(more);
    }
    return [n, rows.length];
  }
  function show() {
    const counts = tables.map(arrange), sum = (i) => counts.reduce((whole, c) => whole + c[i], 0);
    $("status").textContent = isOn() ? say("shown", { n: sum(0), all: sum(1) }) : "";
    $("clear").disabled = !isOn();
    $("chips").textContent = chosen.s ? `${data.words.stage}: ${data.stages[chosen.s] ?? chosen.s}` : "";
  }
  function sort(t, column, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending" || (!heading.hasAttribute("aria-sort") && heading.classList.contains("n"));
    const isUp = heading.getAttribute("aria-sort") === "descending" || !down;
    order ??= new Intl.Collator("vi", { numeric: true });
    all("thead th", t.element).forEach((h) => h.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const keys = new Map(read(t).rows.map((r) => {
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
    arrange(t);
  }
  function headings(t) {
    all("thead th", t.element).forEach((heading, column) => {
      if (heading.dataset.k === "files") return;
      const button = make("button", heading.textContent, { type: "button", title: say("sort") });
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(t, column, heading));
    });
  }
  const form = $("filters");
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

  // ---- what is asked for by a click comes packed
  let behind = { ids: {} }, marks = {};
  async function unpack(packed) {
    if (!packed || !("DecompressionStream" in window)) return;
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const found = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
    behind = found.sources; marks = found.marks;
  }

  // ---- pictures that answer
  function choose(select, i) {
    clear();
    if (i === "") return;
    const [gid, title, lines, keys] = marks[select.dataset.parts][i];
    select.value = i;
    $(`${select.dataset.parts}-${gid}`)?.classList.add("chosen");
    select.closest(".parts").querySelector(".said").append(...[title, ...lines].map((line) => make("p", line)));
    Object.assign(chosen, keys);
    for (const s of all("select[data-key]", form)) { s.value = chosen[s.dataset.key]; }
    show();
  }
  function answers(figure) {
    const select = figure.querySelector("select[data-parts]"), parts = select && marks[select.dataset.parts];
    if (!parts) return;
    const places = new Map();
    parts.forEach(([gid, title], i) => {
      select.append(make("option", title, { value: String(i) }));
      const part = $(`${select.dataset.parts}-${gid}`);
      if (part) { part.classList.add("part"); places.set(part, String(i)); }
    });
    select.closest(".parts").hidden = false;
    select.addEventListener("change", () => choose(select, select.value));
    figure.querySelector(".picture").addEventListener("click", (e) => {
      const i = places.get(e.target.closest(".part"));
      if (i !== undefined) choose(select, select.value === i ? "" : i);
    });
  }

  // ---- from a figure to its rows
  const panel = $("panel"), body = $("panel-body");
  function told_of(record) {
    const parts = record.made ? [make("p", say("made", { sum: record.made }))] : [];
    if (record.files.length) {
      const columns = [...(record.files.some((f) => f.role) ? ["role"] : []), "file", "sheet", "rows"];
      const table = make("table"), head = table.createTHead().insertRow(), rows = table.createTBody();
      for (const key of [...columns, "n_rows"]) head.append(make("th", say(key), { scope: "col" }));
      for (const f of record.files) {
        const row = rows.insertRow();
        for (const key of [...columns, "n"]) row.insertCell().textContent = f[key] ?? "";
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
  const index = (id) => { const cut = id.lastIndexOf("/"); return behind.ids[id.slice(0, cut)]?.[id.slice(cut + 1)]; };
  const record = (i) => {
    const [line, files, n_rejected, steps, made] = behind.records[i];
    return { line: behind.words[line], n_rejected, made, steps: steps.map((s) => behind.words[s]),
      files: files.map(([at, rows, n, role]) => ({ file: behind.files[at][0], sheet: behind.files[at][1], rows, n, role: behind.words[role] })) };
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
  function offer(e) {
    if (index(e.dataset.f) === undefined) return;
    const place = e.querySelector("dt, figcaption"), name = place.textContent.trim();
    place.append(why(name, () => open(name, [[name, e.dataset.f]])));
  }
  function offerRows(t) {
    const columns = all("thead th", t.element).map((h) => [h.textContent, h.dataset.k]);
    for (const row of all("tr[data-r]", t.element)) {
      const ids = columns.map(([label, key]) => [label, `${t.element.dataset.t}/${row.dataset.r}/${key}`]);
      const own = ids.filter(([, id]) => index(id) !== undefined);
      if (!own.length) continue;
      const head = row.querySelector("th") ?? row.cells[0], name = head.textContent.trim();
      head.classList.add("told");
      head.dataset.w = name;
      head.append(why(name, () => open(name, own)));
      ids.forEach((one, i) => {
        if (index(one[1]) === undefined || row.cells[i] === head) return;
        row.cells[i].classList.add("asks");
        row.cells[i].addEventListener("click", () => open(name, [one]));
      });
    }
  }

  // ---- print: what is closed is opened
  let closed = [];
  addEventListener("beforeprint", () => { closed = all("details:not([open])"); closed.forEach((d) => { d.open = true; }); });
  addEventListener("afterprint", () => closed.forEach((d) => { d.open = false; }));

  // ---- what is not needed to read is made when the page is there, a piece whenever nothing else is to do
  const later = window.requestIdleCallback ? (act) => requestIdleCallback(act, { timeout: 200 }) : (act) => setTimeout(act, 1);
  function* pieces() {
    for (const e of all(".facts [data-f], figure[data-f]")) offer(e);
    for (const figure of all("figure")) { yield; answers(figure); }
    for (const t of tables) { yield; headings(t); arrange(t); offerRows(t); }
    // A section is laid out by itself: all of them at once would hold up a click.
    for (const e of all("section, .tablebox")) { e.classList.add("laid"); yield true; }
  }
  function work(todo) {
    const until = performance.now() + 8;
    let next;
    do { next = todo.next(); } while (!next.done && !next.value && performance.now() < until);
    if (next.done) root.dataset.ready = "yes"; else later(() => work(todo));
  }
  const start = () => later(() => unpack(data.asked).then(() => work(pieces())));
  if (document.readyState === "complete") start(); else addEventListener("load", start);
})();
