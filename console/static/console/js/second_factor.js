// Asks the browser for a security key (WebAuthn), and sends what it answers with the form.

const form = document.querySelector("[data-security-key]");
const options = JSON.parse(document.getElementById("security-key")?.textContent ?? "null");

function bytes(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function text(buffer) {
  const characters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(characters.join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const withBytes = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));

async function create(given) {
  const publicKey = {
    ...given,
    challenge: bytes(given.challenge),
    user: { ...given.user, id: bytes(given.user.id) },
    excludeCredentials: withBytes(given.excludeCredentials),
  };
  return navigator.credentials.create({ publicKey });
}

async function get(given) {
  const publicKey = {
    ...given,
    challenge: bytes(given.challenge),
    allowCredentials: withBytes(given.allowCredentials),
  };
  return navigator.credentials.get({ publicKey });
}

function asJson(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({
    type: credential.type,
    id: credential.id,
    rawId: text(credential.rawId),
    response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

function show(problem) {
  const place = form.querySelector("[data-problem]");
  place.textContent = problem;
  place.hidden = false;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!navigator.credentials) {
    show("This browser has no access to security keys here. They need https, or localhost.");
    return;
  }
  try {
    const { creation_options: creation, request_options: request } = options;
    const credential = creation ? await create(creation.publicKey) : await get(request.publicKey);
    form.elements.credential.value = asJson(credential);
    form.submit();
  } catch (error) {
    const known = error.name === "InvalidStateError" ? "This key was added before." : "The key did not answer in time, or was refused.";
    show(`${known} Try again.`);
  }
});
