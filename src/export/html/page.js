
"use strict";
// The page is complete without this. With it the messages stand in a text until they come into sight, so that ten thousand of them open
// at once, and can be searched.
const at = (id) => document.getElementById(id);
const list = at("list");
if (list) {
  // Nothing that was captured holds a `<` here.
  const rows = at("rows").textContent.split(/\n(?=<li )/).slice(1);
  const about = rows.map((row) => /^<li id=m\d+ data-s=(\d+)( data-c)?/.exec(row));
  const entities = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
  const plain = (row) => row.replace(/<[^>]*>/g, "").replace(/&[a-z#0-9]+;/g, (entity) => entities[entity]).toLowerCase();
  // Taken when first searched for.
  let texts;
  let wanted = [];
  let shown = 0;
  let open = false;
  const more = (count) => {
    const from = list.children.length;
    list.insertAdjacentHTML("beforeend", wanted.slice(shown, shown + count).join("\n"));
    shown = Math.min(shown + count, wanted.length);
    if (open) for (const item of [...list.children].slice(from)) item.firstElementChild.open = true;
  };
  const show = () => {
    const searched = at("search").value.toLowerCase();
    const session = at("session").value;
    const noControl = at("control").checked;
    if (searched) texts ??= rows.map(plain);
    wanted = rows.filter((row, index) => (!session || about[index][1] === session) && !(noControl && about[index][2]) && (!searched || texts[index].includes(searched)));
    list.replaceChildren();
    shown = 0;
    more(200);
    at("count").textContent = at("count").dataset.text.replace("{n}", wanted.length).replace("{all}", rows.length);
  };
  const setOpen = (value) => {
    open = value;
    for (const item of list.children) item.firstElementChild.open = value;
  };
  let timer;
  at("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 120); });
  at("session").addEventListener("change", show);
  at("control").addEventListener("change", show);
  at("open").addEventListener("click", () => setOpen(true));
  at("close").addEventListener("click", () => setOpen(false));
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(200); }, { rootMargin: "1000px" }).observe(at("end"));
  addEventListener("scroll", () => { if (at("end").getBoundingClientRect().top < innerHeight + 1000) more(200); }, { passive: true });
  addEventListener("beforeprint", () => more(rows.length));
  document.addEventListener("keydown", (event) => {
    const focused = document.activeElement;
    if (event.key === "/" && !/^(INPUT|SELECT)$/.test(focused.tagName) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      at("search").focus();
    }
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = step && focused.tagName === "SUMMARY" && focused.closest("#list > li")?.[step];
    if (next) {
      event.preventDefault();
      next.querySelector("summary").focus();
    }
  });
  at("controls").hidden = list.hidden = false;
  show();
}
