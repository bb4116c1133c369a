// The parts of one case: browsers in front of its stack, and the simulator behind it. Fails the case
// if a page does something forbidden.

import assert from "node:assert/strict";

import { Sim } from "./sim.mjs";

// What people see from here on: a failed assertion in less than the patience of a person.
const PATIENCE_MS = 10_000;

export class Stage {
  #browser;
  #addresses;
  #ask;
  #contexts = [];
  #allowed = [];

  // How many people have played on this stage.
  guests;

  // What pages did that none may do.
  faults = [];

  constructor(browser, addresses, ask) {
    this.#browser = browser;
    this.#addresses = addresses;
    this.#ask = ask;
    this.guests = addresses.guests;
    this.sim = new Sim(addresses);
    if (addresses.duo) this.allow(addresses.duo);
  }

  get site() {
    return this.#addresses.site;
  }

  // The origin of Duo's page.
  get duo() {
    return this.#addresses.duo;
  }

  // Adds somebody, with a phone that can do everything and a passcode, and gives the name.
  async guest(more = {}) {
    const username = this.stranger();
    const capabilities = ["auto", "push", "sms", "phone", "mobile_otp"];
    const phone = { name: "Pocket", number: "XXX-XXX-1234", capabilities };
    await this.sim.putUser({ username, devices: [phone], passcodes: ["123456"], ...more });
    return username;
  }

  // The name of somebody unknown to Duo, which makes a code only then.
  stranger() {
    return `guest${this.guests++}`;
  }

  // A new browser in which `user` has passed the first factor.
  // `script` is false where JavaScript is off, and "blocked" where only the page's own is lost.
  // `reuse` is one that is not needed any more: without its cookies it is as good as a fresh one,
  // and there sooner.
  async browser({ user = "alice", script = true, language = "en-US", reuse, ...options } = {}) {
    const credentials = Buffer.from(`${user}:${this.#addresses.password}`).toString("base64");
    const headers = { "accept-language": language };
    if (user !== null) headers.authorization = `Basic ${credentials}`;
    if (reuse) {
      await reuse.clearCookies();
      await reuse.setExtraHTTPHeaders(headers);
      return reuse;
    }
    const context = await this.#context(this.site, {
      javaScriptEnabled: script !== false,
      extraHTTPHeaders: headers,
      ...options,
    });
    if (script === "blocked") await context.route("**/assets/*.js", (route) => route.abort());
    return context;
  }

  // A page in a new browser, at `path`.
  async open(path = "/", options = {}) {
    const browser = await this.browser(options);
    const page = options.reuse?.pages()[0] ?? (await browser.newPage());
    await page.goto(this.site + path);
    return page;
  }

  // The simulator's page, which is everybody's phone.
  async phone(options = {}) {
    const page = await (await this.#context(this.#addresses.control, options)).newPage();
    await page.goto(`${this.#addresses.control}/phone`);
    await page.getByText("connected", { exact: true }).waitFor();
    return page;
  }

  // What reached the application: `count`, and the last one's `method`, `target`, `user`, `factor`.
  async admitted() {
    return this.#ask("admitted");
  }

  // Envoy ends, and another one takes its place.
  async restartEnvoy() {
    await this.#ask("restart");
  }

  // From here on another Envoy is asked, as behind a load balancer.
  async switchEnvoy() {
    await this.#ask("switch");
  }

  // Lets pages of this case ask another origin too.
  allow(origin) {
    this.#allowed.push(origin);
  }

  // Takes out of the faults what this case provoked.
  forgive(pattern) {
    this.faults = this.faults.filter((fault) => !pattern.test(fault));
  }

  pages() {
    return this.#contexts.flatMap((context) => context.pages());
  }

  async close() {
    await Promise.all(this.#contexts.map((context) => context.close()));
  }

  assertNoFaults() {
    assert.deepEqual(this.faults, []);
  }

  async #context(origin, options) {
    const context = await this.#browser.newContext({
      viewport: { width: 560, height: 760 },
      reducedMotion: "reduce",
      ...options,
    });
    this.#contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("request", (request) => {
      const isExpected = [origin, "data:", ...this.#allowed].some((it) => request.url().startsWith(it));
      if (!isExpected) {
        this.faults.push(`a request to ${request.url()}`);
      }
    });
    context.on("weberror", (error) => this.faults.push(`script: ${error.error()}`));
    context.on("dialog", (dialog) => {
      this.faults.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    // Chromium reports a breach of the content security policy on the console.
    context.on("console", (message) => {
      if (/content security policy/i.test(message.text())) this.faults.push(message.text());
    });
    return context;
  }
}

// Waits until `look` gives something.
export async function eventually(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`in vain waited for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
