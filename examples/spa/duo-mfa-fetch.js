// A fetch for pages that stay open longer than an approval lasts.
//
//   import { withMfa } from "./duo-mfa-fetch.js";
//   const mfaFetch = withMfa({ returnTo: "/signed-in.html" });
//   const response = await mfaFetch("/api/reports");
//
// Where duo-mfa refuses a request because nobody has confirmed it, a dialog asks the person to. Its
// button opens the prompt page in a window: browsers let only a press do that. Once the person is
// confirmed, the request is sent again, once. It did not reach the application before, so nothing is
// done twice. A user who cancels gets the refusal as the response.

const TEXTS = {
  heading: "Confirm it’s you",
  explanation: "To go on, confirm in another window that it’s you. This page stays as it is.",
  confirm: "Open the window",
  cancel: "Cancel",
  waiting: "Waiting for you to confirm in the other window.",
  blocked: "Your browser did not open the window. Allow it to, then try again.",
};

// How often it is asked whether the person has confirmed. Coming back to the page asks at once.
const POLL_MS = 2000;

// Gives a function that is called as fetch is.
//
// `returnTo` is where the window goes after the approval: best a page that closes itself. `texts`
// replaces what the dialog says. Requests that are refused at once share one dialog.
export function withMfa({ returnTo = location.pathname, texts = {} } = {}) {
  let confirmation = null;
  return async (input, init) => {
    const request = new Request(input, init);
    const again = request.clone();
    const response = await fetch(request);
    const startUrl = await startUrlOf(response);
    if (!startUrl) return response;
    startUrl.searchParams.set("return_to", new URL(returnTo, location).pathname);
    confirmation ??= confirmed(startUrl, { ...TEXTS, ...texts }).finally(() => {
      confirmation = null;
    });
    return (await confirmation) ? fetch(again) : response;
  };
}

// Where the person can confirm, if that is why the request was refused.
async function startUrlOf(response) {
  const type = response.headers.get("content-type") ?? "";
  if (response.status !== 403 || !type.startsWith("application/problem+json")) return null;
  const { code, start_url: startUrl } = await response.clone().json();
  if (code !== "mfa_required" || !startUrl) return null;
  const url = new URL(startUrl, response.url);
  return url.origin === location.origin ? url : null;
}

// Asks the person, and waits: true once they are confirmed, false if they cancel.
async function confirmed(startUrl, texts) {
  const userInfo = new URL("userinfo", startUrl);
  // An approval may be there and too old for this request: a later one is waited for.
  const before = await approvedAt(userInfo);
  const dialog = new ConfirmDialog(startUrl, texts);
  try {
    while (await dialog.isOpenAfter(POLL_MS)) {
      if ((await approvedAt(userInfo)) > before) return true;
    }
    return false;
  } finally {
    dialog.remove();
  }
}

// When the person was confirmed last, in Unix seconds; 0 where they are not.
async function approvedAt(userInfo) {
  try {
    const response = await fetch(userInfo, { cache: "no-store" });
    return response.ok ? (await response.json()).authenticated_at : 0;
  } catch {
    return 0;
  }
}

class ConfirmDialog {
  #dialog = document.createElement("dialog");
  #status = element("p", "");
  #wake = () => {};
  #ring = () => this.#wake();

  constructor(startUrl, texts) {
    const heading = element("h2", texts.heading);
    heading.id = "duo-mfa-heading";
    this.#dialog.setAttribute("aria-labelledby", heading.id);
    this.#status.setAttribute("role", "status");
    const confirm = button(texts.confirm, () => {
      const isOpen = open(startUrl, "_blank", "popup,width=480,height=720") !== null;
      this.#status.textContent = isOpen ? texts.waiting : texts.blocked;
    });
    const cancel = button(texts.cancel, () => this.#dialog.close());
    const explanation = element("p", texts.explanation);
    this.#dialog.append(heading, explanation, this.#status, confirm, " ", cancel);
    // Escape closes it too.
    this.#dialog.addEventListener("close", this.#ring);
    addEventListener("focus", this.#ring);
    document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  // Waits so long, or until the person comes back to the page, or closes the dialog.
  async isOpenAfter(milliseconds) {
    await new Promise((done) => {
      this.#wake = done;
      setTimeout(done, milliseconds);
    });
    return this.#dialog.open;
  }

  remove() {
    removeEventListener("focus", this.#ring);
    // Closing gives the focus back to where it was.
    this.#dialog.close();
    this.#dialog.remove();
  }
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function button(text, pressed) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}
