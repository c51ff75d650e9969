const alerts = [...document.querySelectorAll(".alert")].map((it) => ({ it, text: it.textContent.toLowerCase() }));
const chips = [...document.querySelectorAll(".chip")];
const search = document.getElementById("search");
const open = document.getElementById("open");

function show() {
  const wanted = new Set(chips.filter((it) => it.ariaPressed === "true").map((it) => it.dataset.severity));
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { it, text } of alerts) {
    const visible = wanted.has(it.dataset.severity) && words.every((word) => text.includes(word));
    it.classList.toggle("hidden", !visible);
  }
}

for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.ariaPressed = chip.ariaPressed === "true" ? "false" : "true";
    show();
  });
}
search?.addEventListener("input", show);
open?.addEventListener("click", () => {
  const all = alerts.every(({ it }) => it.open);
  for (const { it } of alerts) it.open = !all;
});

function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", follow);
follow();
