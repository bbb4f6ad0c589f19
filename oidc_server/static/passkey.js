// Passkeys: the one form of the page with data-passkey ("get" or "create"). It stays hidden where there are none, and without this script.
(() => {
  const form = document.querySelector("form[data-passkey]");
  // A passkey belongs to one origin: under another name of this machine the browser would refuse it.
  if (!form || !window.PublicKeyCredential || location.origin !== form.dataset.origin) return;

  const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) => {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  const say = (name) => {
    for (const sentence of form.querySelectorAll("[data-when]")) sentence.hidden = sentence.dataset.when !== name;
  };

  const options = async (signal) => {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.options, { method: "POST", body, signal });
    if (answer.redirected) location.assign(answer.url); // the session has ended, or is no proof any more
    if (!answer.ok || answer.redirected) throw new Error("no options");
    const found = await answer.json();
    found.challenge = toBytes(found.challenge);
    if (found.user) found.user.id = toBytes(found.user.id);
    for (const known of [...(found.allowCredentials || []), ...(found.excludeCredentials || [])]) known.id = toBytes(known.id);
    return found;
  };

  const send = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    const rawId = toText(credential.rawId);
    form.elements.credential.value = JSON.stringify({ id: rawId, rawId, type: credential.type, response });
    form.submit();
  };

  let waiting = new AbortController();

  // The browser's offer among the names it fills in. It ends when the button is pressed, and is made anew before its challenge ends.
  const offer = async () => {
    waiting.abort();
    const mine = (waiting = new AbortController());
    const again = setTimeout(offer, 8 * 60 * 1000);
    mine.signal.addEventListener("abort", () => clearTimeout(again));
    try {
      const publicKey = await options(mine.signal);
      send(await navigator.credentials.get({ publicKey, mediation: "conditional", signal: mine.signal }));
    } catch {
      // Nobody asked for it, so nobody needs to know.
    }
  };
  const mayOffer = async () => {
    if (form.dataset.passkey !== "get" || !("autofill" in form.dataset)) return false;
    return Boolean(await PublicKeyCredential.isConditionalMediationAvailable?.());
  };
  const offerIfPossible = async () => {
    if (await mayOffer()) await offer();
  };

  let busy = false;
  const rest = () => {
    busy = false;
    form.ariaBusy = null;
  };
  const ask = async () => {
    if (busy) return;
    busy = true;
    form.ariaBusy = "true";
    waiting.abort();
    say("");
    try {
      const publicKey = await options();
      send(await navigator.credentials[form.dataset.passkey]({ publicKey }));
    } catch (error) {
      rest();
      say(error.name === "InvalidStateError" ? "known" : error.name === "NotAllowedError" ? "cancelled" : "failed");
      offerIfPossible();
    }
  };
  form.querySelector("button").addEventListener("click", ask);
  // The enter key in the field of the name is the button.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });

  // What the server knows better than the device: a passkey that is of no use any more need not be offered again.
  const { rpId, unknown, userId, accepted } = form.dataset;
  if (unknown) PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId: unknown }).catch(() => {});
  if (userId) {
    const allAcceptedCredentialIds = accepted ? accepted.split(" ") : [];
    PublicKeyCredential.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }).catch(() => {});
  }

  addEventListener("pageshow", (event) => {
    rest();
    if (event.persisted) offerIfPossible();
  });
  form.hidden = false;
  document.querySelector("[data-without-passkeys]")?.remove();
  offerIfPossible();
})();
