// Gives each password field the switch that waits in its template. Without this script there is no switch and nothing is missing.
for (const box of document.querySelectorAll(".secret")) {
  const input = box.querySelector("input");
  const button = box.querySelector("template").content.firstElementChild.cloneNode(true);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // Sent as a password, so that no browser keeps it among the texts it remembers.
  input.form.addEventListener("submit", () => show(false));
  box.append(button);
}
