// Only improves: without it every page shows the same numbers and every link works.
"use strict";
document.documentElement.classList.add("js");

// PNG: the exported SVG, drawn at twice its size.
const save = (url, name) => {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
};
const png = async (link) => {
  const source = URL.createObjectURL(await (await fetch(link.href)).blob());
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(source);
  canvas.toBlob((blob) => {
    const url = URL.createObjectURL(blob);
    save(url, link.download);
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }, "image/png");
};
for (const link of document.querySelectorAll("a.png")) {
  link.hidden = false;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    png(link);
  });
}

// One menu at a time; Escape or a click elsewhere closes it.
const menus = [...document.querySelectorAll("details.menu")];
const open = () => menus.filter((menu) => menu.open);
for (const menu of menus) {
  menu.addEventListener("toggle", () => {
    if (menu.open) for (const other of open()) if (other !== menu) other.open = false;
  });
}
document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

// A key does what the link that carries it does.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && open().length) {
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  if (event.target.closest("input, select, textarea, pre")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const link = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  if (!link) return;
  event.preventDefault();
  link.click();
});

// What is running is looked at again when somebody comes back to the page after a minute.
const since = Date.now();
document.addEventListener("visibilitychange", () => {
  const form = document.querySelector("form:focus-within, details.menu[open]");
  if (!document.hidden && !form && Date.now() - since > 60000 && document.querySelector("[data-running]")) location.reload();
});

// Copy buttons beside calls.
for (const pre of document.querySelectorAll(".call pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = document.body.dataset.copy;
  button.addEventListener("click", () => navigator.clipboard.writeText(pre.textContent));
  pre.after(button);
}
