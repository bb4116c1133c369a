// Every state of the prompt page and the way to it. A way asks for what it presses by its address
// or name in the page, not by its text, so that it leads there in every language.

import { eventually } from "./stage.mjs";

// By name: `wants` of the stack, the heading in English, and the way there. A way gives the page.
export const STATES = {
  start: {
    heading: "Confirm it’s you",
    reach: (stage, options) => opened(stage, { ...options, script: "blocked" }),
  },
  choose: {
    heading: "Confirm it’s you",
    reach: async (stage, options) => (await chosen(stage, options)).page,
  },
  choose_among_several: {
    heading: "Confirm it’s you",
    async reach(stage, options) {
      const capabilities = ["auto", "push", "sms", "phone", "mobile_otp"];
      const devices = [
        { name: "Work", number: "XXX-XXX-6789", capabilities },
        { name: "Home", number: "XXX-XXX-7890", capabilities },
      ];
      const { page } = await chosen(stage, options, { devices });
      await page.locator("summary").click();
      return page;
    },
  },
  wait_for_push: { heading: "Check your phone", reach: (stage, options) => waiting(stage, options) },
  wait_for_verified_push: {
    heading: "Enter this code in Duo Mobile",
    reach: (stage, options) => waiting(stage, options, { verified_push: 3 }),
  },
  wait_for_undelivered_push: {
    heading: "We couldn’t reach your phone",
    reach: (stage, options) => waiting(stage, options, {}, "fail"),
  },
  wait_for_call: {
    heading: "Answer your phone",
    reach: async (stage, options) => (await started(stage, options, "phone")).page,
  },
  wait_for_key: {
    heading: "Answer your phone",
    async reach(stage, options) {
      const { page, user } = await started(stage, options, "phone");
      const before = await page.locator("#status").innerText();
      await stage.sim.answer(user, "answer");
      await eventually("news", async () => (await page.locator("#status").innerText()) !== before);
      return page;
    },
  },
  codes_sent: {
    heading: "Enter a code",
    async reach(stage, options) {
      const { page } = await chosen(stage, options);
      await factor(page, "sms").click();
      await eventually("the field", () =>
        page.evaluate(() => document.activeElement.id === "code"),
      );
      return page;
    },
  },
  wrong_passcode: {
    heading: "Confirm it’s you",
    async reach(stage, options) {
      const { page } = await chosen(stage, options);
      await page.locator("#code").fill("000000");
      await page.keyboard.press("Enter");
      await page.locator("#code-error:not(:empty)").waitFor();
      return page;
    },
  },
  denied: { heading: "Request denied", reach: (stage, options) => ended(stage, options, "deny") },
  timeout: {
    heading: "No answer in time",
    reach: (stage, options) => ended(stage, options, "timeout"),
  },
  fraud: { heading: "Reported as fraud", reach: (stage, options) => ended(stage, options, "fraud") },
  locked_out: {
    heading: "Account locked",
    async reach(stage, options) {
      const { page } = await chosen(stage, options, { failures: 9 });
      await page.locator("#code").fill("000000");
      await page.keyboard.press("Enter");
      return said(page);
    },
  },
  duo_denied: {
    heading: "Access not allowed",
    reach: async (stage, options) => said(await opened(stage, options, { status: "denied" })),
  },
  access_denied: {
    heading: "Access not allowed",
    wants: { plugin: { access_control: { default_policy: "deny" } } },
    reach: (stage, options) => opened(stage, options),
  },
  enroll_by_the_help_desk: {
    heading: "Set up Duo Mobile",
    reach: (stage, options) => newcomer(stage, options),
  },
  enroll_at_duos_portal: {
    heading: "Set up Duo Mobile",
    wants: { plugin: { duo: { enrollment: "portal" } } },
    reach: (stage, options) => newcomer(stage, options),
  },
  enroll_here: {
    heading: "Set up Duo Mobile",
    wants: { plugin: { duo: { enrollment: "inline" } } },
    reach: (stage, options) => newcomer(stage, options),
  },
  activation_code: {
    heading: "Set up Duo Mobile",
    wants: { plugin: { duo: { enrollment: "inline" } } },
    async reach(stage, options) {
      const page = await newcomer(stage, options);
      await page.locator("#enroll").click();
      await page.locator("main svg").waitFor();
      return page;
    },
  },
  no_device: {
    heading: "No device is ready",
    async reach(stage, options) {
      const devices = [{ name: "Brick", capabilities: [] }];
      return said(await opened(stage, options, { devices, passcodes: [] }));
    },
  },
  pending_elsewhere: {
    heading: "Another sign-in is waiting",
    async reach(stage, options) {
      const { user } = await started(stage, options, "push");
      const page = await stage.open("/", { ...options, user });
      await factor(page, "push").click();
      return said(page);
    },
  },
  too_many_requests: {
    heading: "Slow down",
    async reach(stage, options) {
      const page = await ended(stage, options, "deny");
      const before = await page.locator("h1").innerText();
      await factor(page, "push").click();
      await eventually("news", async () => (await page.locator("h1").innerText()) !== before);
      return page;
    },
  },
  duo_unavailable: {
    heading: "Verification is unavailable",
    async reach(stage, options) {
      await stage.sim.fault({ endpoint: "preauth", kind: "status", status: 503 });
      return said(await opened(stage, options));
    },
  },
  duo_misconfigured: {
    heading: "Verification is unavailable",
    async reach(stage, options) {
      await stage.sim.fault({ endpoint: "preauth", kind: "fail", code: 40103 });
      return said(await opened(stage, options));
    },
  },
  identity_missing: {
    heading: "Sign in first",
    wants: { is_anonymous: true },
    reach: (stage, options) => stage.open("/", { ...options, user: null }),
  },
  form_not_sent: {
    heading: "Your form was not sent",
    async reach(stage, options) {
      const page = await opened(stage, { ...options, script: "blocked" });
      // A form of this origin, as the application has them.
      await page.evaluate(() => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: "/orders" });
        document.body.append(form);
        form.submit();
      });
      await page.waitForURL("**/orders");
      return page;
    },
  },
  form_confirmed: {
    heading: "You’re confirmed",
    async reach(stage, options) {
      const user = await stage.guest();
      const page = await stage.open("/.duo-mfa/none", { ...options, user });
      await page.evaluate(() => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: "/orders" });
        document.body.append(form);
        form.submit();
      });
      await page.waitForURL("**/orders");
      await factor(page, "push").click();
      await stage.sim.answer(user, "approve");
      await page.locator("#back").waitFor();
      return page;
    },
  },
  cross_site: {
    heading: "Your form was not sent",
    async reach(stage, options) {
      const browser = await stage.browser({ ...options, user: await stage.guest() });
      const page = await browser.newPage();
      await page.setContent(
        `<form method="post" action="${stage.site}/.duo-mfa/preauth"><button>Go</button></form>`,
      );
      await page.getByRole("button").click();
      await page.waitForURL("**/preauth");
      return page;
    },
  },
  sign_out: {
    heading: "Sign out?",
    reach: async (stage, options) =>
      stage.open("/.duo-mfa/logout", { ...options, user: await stage.guest() }),
  },
  signed_out: {
    heading: "You’re signed out",
    async reach(stage, options) {
      const page = await stage.open("/.duo-mfa/logout", { ...options, user: await stage.guest() });
      await page.getByRole("button").click();
      await page.waitForFunction(() => !document.querySelector("form"));
      return page;
    },
  },
  not_found: {
    heading: "Nothing here",
    reach: async (stage, options) =>
      stage.open("/.duo-mfa/none", { ...options, user: await stage.guest() }),
  },
};

// The page at an address of the application, for somebody fresh.
async function opened(stage, options, person = {}) {
  return stage.open("/reports", { ...options, user: await stage.guest(person) });
}

async function chosen(stage, options, person = {}) {
  const user = await stage.guest(person);
  const page = await stage.open("/reports", { ...options, user });
  await factor(page, "push").waitFor();
  return { page, user };
}

async function started(stage, options, name, person = {}) {
  const { page, user } = await chosen(stage, options, person);
  await factor(page, name).click();
  await page.locator("#wait").waitFor();
  await stage.sim.pending(user);
  return { page, user };
}

async function waiting(stage, options, person, event) {
  const { page, user } = await started(stage, options, "push", person);
  if (event) {
    const before = await page.locator("h1").innerText();
    await stage.sim.answer(user, event);
    await eventually("news", async () => (await page.locator("h1").innerText()) !== before);
  }
  return page;
}

async function ended(stage, options, answer) {
  const { page, user } = await started(stage, options, "push");
  await stage.sim.answer(user, answer);
  return said(page);
}

async function newcomer(stage, options) {
  const page = await stage.open("/reports", { ...options, user: stage.stranger() });
  await page.locator("h1").filter({ hasText: "Duo Mobile" }).waitFor();
  return page;
}

// Waits until the page says what ended.
async function said(page) {
  await page.locator("#alert:not(:empty)").waitFor();
  return page;
}

// The first visible button of a factor.
function factor(page, name) {
  return page.locator(`button[formaction*="factor=${name}"]`).filter({ visible: true }).first();
}
