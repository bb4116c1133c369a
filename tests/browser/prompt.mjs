// The prompt page as a person uses it: by what it says.

import assert from "node:assert/strict";

// Waits for a heading, and for a text where one is given.
export async function shows(page, heading, text) {
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  if (text) await page.getByText(text).filter({ visible: true }).first().waitFor();
}

// Presses the only visible button whose name begins so.
export async function press(page, label) {
  await idle(page);
  await button(page, label).click();
}

// Waits until the page takes a submit. It drops those made while one is on its way.
async function idle(page) {
  await page.locator("#mfa[aria-busy=true]").waitFor({ state: "detached" });
}

export function button(page, label) {
  return page.getByRole("button", { name: new RegExp(`^${label}`) });
}

// Types a passcode and sends it.
export async function enter(page, code) {
  await page.getByLabel("Passcode").fill(code);
  await idle(page);
  await page.keyboard.press("Enter");
}

// Waits until the page is the application's.
export async function isIn(page) {
  await page.getByText("application", { exact: true }).waitFor();
}

// Asserts that the page is not the application's.
export async function isOut(page) {
  assert.equal(await page.getByText("application", { exact: true }).count(), 0);
}

// A window for a person's page. The test moves its clock.
export async function timed(stage, user) {
  const browser = await stage.browser({ user });
  const page = await browser.newPage();
  await page.clock.install();
  return page;
}

// A page at `path` whose person was asked what they have: the chooser is there.
export async function chooser(stage, options = {}, path = "/reports?year=2026#total") {
  const user = options.user ?? (await stage.guest());
  const page = await stage.open(path, { ...options, user });
  if (options.script === false) await press(page, "Continue");
  await shows(page, "Confirm it’s you");
  return { page, user };
}

// A page that waits for the answer to a push.
export async function pushed(stage, options = {}, path) {
  const { page, user } = await chooser(stage, options, path);
  await press(page, "Send a push");
  await shows(page, "Check your phone");
  await stage.sim.pending(user);
  return { page, user };
}
