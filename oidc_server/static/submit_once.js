// A second press of a button sends nothing while the first is on its way.
for (const form of document.querySelectorAll("form")) {
  const free = () => {
    form.ariaBusy = null;
  };
  form.addEventListener("submit", (event) => {
    if (form.ariaBusy === "true") event.preventDefault();
    form.ariaBusy = "true";
    // The person may have stopped the browser, which tells nobody.
    setTimeout(free, 5000);
  });
  // A page brought back by the back button starts fresh.
  addEventListener("pageshow", free);
}
