// Files go to the server in parts, so that a cut costs one part at most. What this browser has begun it goes on with
// when the same file is chosen again, after a reload too: the server says how much it has.
const PART = 8 << 20;
const PATIENCE = [1, 2, 4, 8, 15, 30, 30, 30];
const form = document.getElementById("upload");
const list = document.getElementById("uploading");
const say = (text) => { document.getElementById("announce").textContent = text; };
const units = ["B", "KiB", "MiB", "GiB"];
const size = (bytes) => {
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit += 1) bytes /= 1024;
  return `${unit && bytes < 100 ? bytes.toFixed(1) : Math.floor(bytes)} ${units[unit]}`;
};
const kept = {
  key: (file) => `upload ${form.action} ${file.name} ${file.size} ${file.lastModified}`,
  get: (file) => { try { return localStorage.getItem(kept.key(file)); } catch { return null; } },
  set: (file, address) => { try { localStorage.setItem(kept.key(file), address); } catch { /* private mode */ } },
  drop: (file) => { try { localStorage.removeItem(kept.key(file)); } catch { /* private mode */ } },
};
// What can not be mended by trying again.
class Refused extends Error {}
const token = () => form.querySelector("[name=form-token]").value;
const read = async (response) => {
  const isJSON = (response.headers.get("Content-Type") || "").startsWith("application/json");
  const answer = isJSON ? await response.json() : {};
  if (response.ok && isJSON) return answer;
  // Without a session the server leads to the sign-in.
  if (!isJSON && (response.ok || response.status === 403)) {
    throw new Refused("You are signed out. Sign in, choose the file again, and it goes on where it was.");
  }
  const error = answer.passes || !isJSON && (response.status === 429 || response.status >= 500) ? Error : Refused;
  throw Object.assign(new error(answer.message || "The server does not take it."), { status: response.status, code: answer.code });
};
const ask = async (address) => read(await fetch(`${address}/state`));
const post = (address, fields) => fetch(address, { method: "POST", body: new URLSearchParams({ ...fields, "form-token": token() }) });

// One part, with word of how much of it has left.
const send = (address, file, offset, signal, left) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", `${address}/bytes`);
  request.setRequestHeader("Content-Type", "application/offset+octet-stream");
  request.setRequestHeader("Upload-Offset", offset);
  request.setRequestHeader("Form-Token", token());
  request.upload.addEventListener("progress", (event) => left(offset + event.loaded));
  request.addEventListener("load", () => {
    const headers = { "Content-Type": request.getResponseHeader("Content-Type") || "" };
    read(new Response(request.status === 204 ? null : request.response, { status: request.status, headers })).then(resolve, reject);
  });
  request.addEventListener("error", () => reject(new Error("The server can not be reached.")));
  request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
  signal.addEventListener("abort", () => request.abort(), { once: true });
  request.send(file.slice(offset, offset + PART));
});

const wait = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); }, { once: true });
});

const row = (file) => {
  const item = document.createElement("li");
  const line = item.appendChild(document.createElement("div"));
  line.className = "row wrap";
  const name = line.appendChild(document.createElement("span"));
  name.className = "grow";
  name.textContent = file.name;
  const words = line.appendChild(document.createElement("span"));
  words.className = "quiet small";
  const button = line.appendChild(document.createElement("button"));
  button.type = "button";
  button.className = "small";
  const bar = line.appendChild(document.createElement("progress"));
  bar.className = "wide";
  bar.max = file.size;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  list.append(item);
  list.hidden = false;
  return { item, words, button, bar };
};

const upload = async (file) => {
  const { item, words, button, bar } = row(file);
  let stop = new AbortController();
  const label = (verb) => { button.textContent = verb; button.setAttribute("aria-label", `${verb}: ${file.name}`); };
  const show = (bytes) => {
    bar.value = bytes;
    words.textContent = bytes < file.size ? `${size(bytes)} of ${size(file.size)}` : "Being checked…";
  };
  const begin = async () => {
    const address = kept.get(file);
    if (address) {
      // An upload that was given up or is too old is gone: then it begins anew.
      try { return await ask(address); } catch (error) { if (error.status !== 404) throw error; kept.drop(file); }
    }
    const state = await read(await post(form.action, { name: file.name, size: file.size }));
    kept.set(file, state.address);
    return state;
  };
  const run = async () => {
    label("Pause");
    let tries = 0, state = null;
    while (true) {
      try {
        state = state ? await ask(state.address) : await begin();
        show(state.received);
        while (!state.whole) {
          state = await send(state.address, file, state.received, stop.signal, show);
          tries = 0;
        }
        return state;
      } catch (error) {
        // The server says where it stands when another part was on its way.
        const isElsewhere = ["artifact.offset", "artifact.busy", "artifact.whole"].includes(error.code);
        if (error.name === "AbortError" || error instanceof Refused && !isElsewhere || tries >= PATIENCE.length) throw error;
        words.textContent = `${error.message} It goes on by itself.`;
        await wait(PATIENCE[tries], stop.signal);
        tries += 1;
      }
    }
  };
  const finish = async (state) => {
    kept.drop(file);
    if (form.dataset.then) {
      const answer = await post(form.dataset.then, { file: state.id, act: "add" });
      if (!answer.ok) throw new Refused("The file is whole, but the release does not take it. It is among the files.");
    }
    item.remove();
    list.hidden = !list.children.length;
    say(`${file.name} is whole`);
    document.dispatchEvent(new CustomEvent("reload-part", { detail: form.dataset.reloads }));
  };
  const go = async () => {
    try {
      await finish(await run());
    } catch (error) {
      if (error.name === "AbortError") { words.textContent = `Paused at ${size(bar.value)}`; label("Go on"); return; }
      if (error instanceof Refused) kept.drop(file);
      words.textContent = error.message;
      words.className = "fault";
      words.setAttribute("role", "alert");
      label("Try again");
    }
  };
  button.addEventListener("click", () => {
    if (button.textContent === "Pause") { stop.abort(); return; }
    stop = new AbortController();
    words.className = "quiet small";
    words.removeAttribute("role");
    go();
  });
  await go();
};

if (form) {
  form.hidden = false;
  const input = form.querySelector("input[type=file]");
  const take = async (files) => { for (const file of files) await upload(file); };
  input.addEventListener("change", () => { take([...input.files]); input.value = ""; });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); form.classList.add("over"); } });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    form.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => {
    if ([...list.querySelectorAll("button")].some((button) => button.textContent === "Pause")) event.preventDefault();
  });
}
