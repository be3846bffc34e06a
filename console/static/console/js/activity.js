// The list of jobs replaces itself: what was chosen, and the question that was open, stay.

let chosen = [];

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  chosen = [...target.querySelectorAll("input:checked, details[open]")].map((each) => each.id);
});

document.body.addEventListener("htmx:afterSwap", () => {
  for (const id of chosen) {
    const element = document.getElementById(id);
    if (element instanceof HTMLInputElement) element.checked = true;
    else if (element) element.open = true;
  }
});
