// Says, while a password is typed, about how long it would hold. The server alone decides what is accepted; without this script the rules stand
// beneath the field and nothing is missing.
for (const template of document.querySelectorAll("template[data-strength-of]")) {
  const input = document.getElementById(template.dataset.strengthOf);
  const least = Number(template.dataset.least);
  const box = template.content.firstElementChild.cloneNode(true);
  const meter = box.querySelector("meter");
  const text = box.querySelector("output");
  const words = (text.dataset.words ?? "").split("|");
  // Fewer different characters, and ones that follow each other, are guessed sooner: each counts as less than one.
  const weight = (password) => {
    const characters = [...password.normalize("NFKC")];
    const seen = new Map();
    let sum = 0;
    characters.forEach((character, place) => {
      const times = seen.get(character) ?? 0;
      const step = place ? character.codePointAt(0) - characters[place - 1].codePointAt(0) : 9;
      sum += Math.abs(step) <= 1 ? 0.25 : 1 / (1 + times / 3);
      seen.set(character, times + 1);
    });
    return sum;
  };
  const show = () => {
    const length = [...input.value].length;
    const held = weight(input.value);
    const level = length === 0 ? 0 : length < least ? 1 : held < least * 0.55 ? 2 : held < least * 1.1 ? 3 : 4;
    box.hidden = level === 0;
    meter.value = level;
    const word = words[level] ?? "";
    if (text.textContent !== word) text.textContent = word;
  };
  input.addEventListener("input", show);
  template.after(box);
  show();
}
