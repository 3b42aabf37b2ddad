
"use strict";
// The page is complete without this: it adds the search.
const at = (id) => document.getElementById(id);
const list = at("list");
if (list) {
  const items = [...list.children];
  // Texts in lower case, taken when first searched for.
  let texts;
  const show = () => {
    const wanted = at("search").value.toLowerCase();
    const session = at("session").value;
    const noControl = at("control").checked;
    if (wanted) texts ??= items.map((item) => item.textContent.toLowerCase());
    let shown = 0;
    items.forEach((item, index) => {
      const hit = (!session || item.dataset.s === session) && !(noControl && "c" in item.dataset) && (!wanted || texts[index].includes(wanted));
      item.hidden = !hit;
      shown += hit;
    });
    at("count").textContent = at("count").dataset.text.replace("{n}", shown).replace("{all}", items.length);
  };
  let timer;
  const soon = () => { clearTimeout(timer); timer = setTimeout(show, 120); };
  const setOpen = (open) => { for (const item of items) if (!item.hidden) item.firstElementChild.open = open; };
  at("search").addEventListener("input", soon);
  at("session").addEventListener("change", show);
  at("control").addEventListener("change", show);
  at("open").addEventListener("click", () => setOpen(true));
  at("close").addEventListener("click", () => setOpen(false));
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); at("search").focus(); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = document.activeElement.closest("#list li");
    if (step && item && document.activeElement.tagName === "SUMMARY") {
      let next = item;
      do next = step > 0 ? next.nextElementSibling : next.previousElementSibling; while (next?.hidden);
      if (next) { event.preventDefault(); next.querySelector("summary").focus(); }
    }
  });
  at("controls").hidden = false;
  show();
}
