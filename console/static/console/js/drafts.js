// What was typed into a form outlives a session that has expired and a connection that was lost: it waits in this tab
// until the page that the form leads to is shown.

const NAME = "draft";
const NEVER_KEPT = ["password", "hidden", "file", "submit", "button"];

const here = () => location.pathname + location.search;
const fieldsOf = (form) => [...form.elements].filter(({ name, type }) => name && !NEVER_KEPT.includes(type));

function keep(draft) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch { /* more than the browser stores */ }
}

function take() {
  const text = sessionStorage.getItem(NAME);
  sessionStorage.removeItem(NAME);
  return text ? JSON.parse(text) : null;
}

/** Fills the form again; returns whether it was found. */
function restore({ action, fields }) {
  const form = [...document.forms].find((each) => each.method === "post" && each.getAttribute("action") === action);
  const elements = form ? fieldsOf(form) : [];
  if (elements.length !== fields.length) return false;
  elements.forEach((element, index) => {
    if (["checkbox", "radio"].includes(element.type)) element.checked = fields[index].checked;
    else element.value = fields[index].value;
  });
  for (let parent = form; parent; parent = parent.parentElement) if (parent.tagName === "DETAILS") parent.open = true;
  return true;
}

/** Keeps what is sent, and shows again what was sent in vain; `isSignedIn` says what kind of page this is. */
export function setUpDrafts(notice, isSignedIn) {
  const draft = take();
  if (!isSignedIn) {
    if (draft) keep({ ...draft, waitsForSignIn: true });
    return;
  }
  const came = performance.getEntriesByType("navigation")[0]?.type;
  const wasInVain = draft?.waitsForSignIn || came === "reload" || came === "back_forward";
  if (draft && wasInVain && draft.page === here() && restore(draft)) {
    notice("What you typed has not been sent. It is in the form again.", "error");
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (!navigator.onLine) {
      event.preventDefault();
      notice("There is no connection, so nothing was sent. Try again when there is one.", "error");
      return;
    }
    const fields = fieldsOf(form).map(({ value, checked }) => ({ value, checked }));
    if (fields.length) keep({ page: here(), action: form.getAttribute("action"), fields });
  });
}
