// What needs a script where people prove themselves: the passkey's ceremony, and seconds that pass. Without it the other
// methods work.

const fromText = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => buffer
  ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
  : undefined;
const described = (list) => (list || []).map((item) => ({ ...item, id: fromText(item.id) }));

// The ceremony in the browser's own terms, and its answer in ours.
const ceremonies = {
  get: async (options) => {
    const made = await navigator.credentials.get({ publicKey: {
      ...options, challenge: fromText(options.challenge), allowCredentials: described(options.allowCredentials) } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
    return answer(made, {
      clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData),
      signature: toText(signature), userHandle: toText(userHandle) });
  },
  create: async (options) => {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: fromText(options.challenge), user: { ...options.user, id: fromText(options.user.id) },
      excludeCredentials: described(options.excludeCredentials) } });
    return answer(made, {
      clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports?.() || [] });
  },
};
const answer = (made, response) => JSON.stringify({ id: made.id, rawId: toText(made.rawId), type: made.type, response });

// Why a browser refuses, in words, and whether the server's certificate is the reason.
const reason = (error, kind) => {
  const text = String(error?.message || "");
  if (/certificate/i.test(text)) {
    return ["The browser refuses passkeys because it does not trust this server's certificate.", true];
  }
  switch (error?.name) {
    case "SecurityError": return ["The browser refuses passkeys at this address: open the server by its own name.", true];
    case "InvalidStateError": return ["This device holds a passkey of your account already.", false];
    case "NotSupportedError": return ["This device can not make the kind of passkey that is needed here.", false];
    case "NotAllowedError": return [kind === "get"
      ? "No passkey was given. Try again, or use another method."
      : "No passkey was made. Try again, or choose another method.", false];
    default: return ["That did not work. Try again, or use another method.", false];
  }
};
const complain = (form, [words, isCertificate]) => {
  const place = form.querySelector("[data-fault]");
  place.hidden = false;
  place.querySelector("[data-words]").textContent = words;
  place.querySelector("[data-help]").hidden = !isCertificate;
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-ceremony]");
  form.querySelector("[data-without]")?.remove();
  if (!window.PublicKeyCredential || !window.isSecureContext) {
    if (!("optional" in form.dataset)) complain(form, ["This browser can not use passkeys here. Use another method.", !window.isSecureContext]);
    continue;
  }
  button.hidden = false;
  if (button.autofocus) button.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    form.querySelector("[data-fault]").hidden = true;
    try {
      const reply = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const options = reply.headers.get("content-type")?.startsWith("application/json")
        ? await reply.json() : { fault: "This page is too old. Load it anew." };
      if (options.fault) { complain(form, [options.fault, false]); return; }
      form.elements.answer.value = await ceremonies[form.dataset.passkey](options);
      form.submit();
    } catch (error) {
      complain(form, reason(error, form.dataset.passkey));
    } finally {
      button.disabled = false;
    }
  });
}

// Seconds in words, to the eye: a reader hears the number once, when the page comes.
const inWords = (seconds) => {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  const part = (number, word) => number ? `${number} ${word}${number === 1 ? "" : "s"}` : "";
  return [part(minutes, "minute"), part(rest, "second")].filter(Boolean).join(" ");
};
const count = (seconds, each, end) => {
  const from = performance.now();
  const tick = () => {
    const left = Math.ceil(seconds - (performance.now() - from) / 1000);
    if (left > 0) { each(inWords(left)); setTimeout(tick, 1000); } else end();
  };
  tick();
};
for (const element of document.querySelectorAll("[data-countdown]")) {
  const left = element.querySelector("[data-left]");
  count(Number(element.dataset.countdown), (words) => { left.textContent = words; },
    () => { element.textContent = element.dataset.over; });
}
for (const button of document.querySelectorAll("button[data-wait]")) {
  const label = button.textContent;
  button.disabled = true;
  count(Number(button.dataset.wait), (words) => { button.textContent = `${label} in ${words}`; },
    () => { button.disabled = false; button.textContent = label; });
}

// What was interrupted by the question goes on by itself.
document.querySelector("form[data-at-once]")?.submit();
