"use strict";
(() => {
  const box = document.getElementById("find");
  if (!box) return;
  const plain = (s) => s.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const items = [...document.querySelectorAll("#clusters li")];
  const none = document.getElementById("none");
  box.addEventListener("input", () => {
    const wanted = plain(box.value.trim());
    let shown = 0;
    for (const item of items) {
      item.hidden = !item.dataset.find.includes(wanted);
      shown += !item.hidden;
    }
    none.hidden = shown > 0;
  });
})();
