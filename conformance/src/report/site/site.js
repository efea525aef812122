// What a script may add to pages that are whole without it: search, filters, copying, keys.
"use strict";
(() => {
  const root = document.querySelector("header .home").getAttribute("href").replace("index.html", "");
  const make = (tag, fields, ...children) => {
    const made = Object.assign(document.createElement(tag), fields);
    made.append(...children);
    return made;
  };
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("theme", value);
      return localStorage.getItem("theme");
    } catch { return value; }
  };

  // Dark and light.
  const html = document.documentElement;
  if (remembered()) html.dataset.theme = remembered();
  const turn = () => {
    const dark = html.dataset.theme ? html.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    html.dataset.theme = remembered(dark ? "light" : "dark") || (dark ? "light" : "dark");
  };

  // Search: every rule by name and sentence. Its words come as a script when they are wanted.
  let rules = null, at = 0, dialog = null, list = null, input = null;
  window.found = (all) => { rules = all; show(); };
  const matches = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (rule) => words.every((word) => (rule[0] + " " + rule[2]).toLowerCase().includes(word));
    const named = (rule) => (words.length && rule[0].includes(words[0]) ? 0 : 1);
    return (rules || []).filter(fits).sort((one, other) => named(one) - named(other)).slice(0, 40);
  };
  const show = () => {
    if (!dialog) return;
    const entries = matches().map((rule) => make("li", {}, make("a", { href: root + "rules/" + rule[0] + ".html" },
      rule[0], make("small", {}, rule[1] + " · " + rule[2]))));
    list.replaceChildren(...entries);
    move(0);
  };
  const move = (to) => {
    const entries = [...list.children];
    at = Math.max(0, Math.min(to, entries.length - 1));
    entries.forEach((entry, place) => entry.classList.toggle("at", place === at));
    if (entries[at]) entries[at].scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    if (!dialog) {
      input = make("input", { type: "search", placeholder: "A rule, or words of its sentence", ariaLabel: "search" });
      list = make("ol", {});
      dialog = make("dialog", {}, input, list);
      document.body.append(dialog, make("script", { src: root + "search.js" }));
      input.addEventListener("input", show);
      input.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          move(at + (event.key === "ArrowDown" ? 1 : -1));
          event.preventDefault();
        } else if (event.key === "Enter" && list.children[at]) {
          location.href = list.children[at].firstChild.href;
        }
      });
    }
    dialog.showModal();
    input.select();
  };
  document.querySelector("header").append(
    make("button", { type: "button", id: "search", onclick: search }, "Search ", make("kbd", {}, "/")),
    make("button", { type: "button", title: "dark or light (t)", onclick: turn }, "◐"));

  // What is to be pasted somewhere can be copied.
  for (const block of document.querySelectorAll("pre.copy")) {
    const text = block.textContent;
    const button = make("button", { type: "button", className: "copied" }, "copy");
    button.onclick = async () => {
      try { await navigator.clipboard.writeText(text); } catch {
        const range = document.createRange();
        range.selectNodeContents(block.firstChild);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand("copy");
      }
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    };
    block.append(button);
  }

  // The matrix: the filter stands in the address, so that what one sees can be sent to others.
  const filter = document.querySelector(".filter");
  const rows = [...document.querySelectorAll(".matrix tbody tr:not(.chapter)")];
  const differs = "fnibdkc";
  const markOf = (cell) => cell.className || "p";
  const sift = (tell) => {
    const { q, level, mark, at: column } = Object.fromEntries(new FormData(filter));
    const wanted = (cell) => !mark || (mark === "x" ? differs.includes(markOf(cell)) : markOf(cell) === mark);
    const looked = (row) => (column === "" ? [...row.cells].slice(1) : [row.cells[Number(column) + 1]]);
    let count = 0;
    for (const row of rows) {
      row.hidden = !(row.cells[0].textContent.includes(q.trim().toLowerCase()) &&
        (!level || row.className.startsWith(level)) && looked(row).some(wanted));
      count += row.hidden ? 0 : 1;
    }
    for (const body of document.querySelectorAll(".matrix tbody")) {
      body.hidden = ![...body.rows].some((row) => !row.hidden && !row.classList.contains("chapter"));
    }
    filter.querySelector("output").textContent = count + " of " + rows.length + " rules";
    const words = new URLSearchParams([...new FormData(filter)].filter(([, value]) => value !== ""));
    if (tell) history.replaceState(null, "", "#" + words);
  };
  const recall = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    for (const field of filter.elements) if (field.name) field.value = words.get(field.name) || "";
    sift(false);
  };
  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", () => sift(true));
    filter.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", recall);
    recall();
  }

  // Keys: / searches, t turns the colours, m and b lead to matrix and book, j and k through it.
  let row = -1;
  const walk = (step) => {
    const seen = rows.filter((one) => !one.hidden);
    if (!seen.length) return;
    if (seen[row]) seen[row].classList.remove("at");
    row = Math.max(0, Math.min(row + step, seen.length - 1));
    seen[row].classList.add("at");
    seen[row].querySelector("a").focus({ preventScroll: true });
    seen[row].scrollIntoView({ block: "center" });
  };
  const turned = (rel) => { const link = document.querySelector(`a[rel=${rel}]`); if (link) link.click(); };
  const keys = {
    "/": search, t: turn, j: () => walk(1), k: () => walk(-1),
    m: () => { location.href = root + "matrix.html"; },
    b: () => { location.href = root + "book/index.html"; },
    n: () => turned("next"), p: () => turned("prev"),
  };
  addEventListener("keydown", (event) => {
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input,select,dialog");
    if (!busy && keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
})();
