// Puts the print button in its place. Without this script there is none, and the browser's own menu prints the page as well.
const template = document.getElementById("print-button");
if (template) {
  const place = template.content.firstElementChild.cloneNode(true);
  place.querySelector("button").addEventListener("click", () => print());
  template.replaceWith(place);
}
