// The page while the first factor ends, or where the browser keeps nothing.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, isIn, press, pushed, shows } from "../prompt.mjs";

// Answers one address in place of the filter, and counts the pages that are loaded meanwhile.
async function answered(page, path, answer) {
  let loads = 0;
  page.on("framenavigated", () => (loads += 1));
  await page.context().route(path, (route) => route.fulfill(answer));
  return () => loads;
}

// What a first factor says that keeps a session. Of Basic credentials the browser itself asks anew.
const ENDED = { status: 401, contentType: "application/json", body: '{"error":"login_required"}' };

test("a_first_factor_that_ends_while_a_push_waits_asks_again", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const asked = page.waitForEvent("framenavigated", { timeout: 20_000 });
  await page.context().route("**/status*", (route) => route.fulfill(ENDED), { times: 1 });
  await asked;
  await shows(page, "Check your phone");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026#total`);
  await stage.sim.assertPushes(1);
});

test("a_first_factor_that_ends_before_a_choice_asks_again", {}, async (stage) => {
  const { page } = await chooser(stage);
  const asked = page.waitForEvent("framenavigated", { timeout: 20_000 });
  await page.context().route("**/auth?*", (route) => route.fulfill(ENDED), { times: 1 });
  await press(page, "Send a push");
  await asked;
  await shows(page, "Confirm it’s you");
  await stage.sim.assertPushes(0);
});

test("an_answer_of_somebody_else_loads_the_page_once", {}, async (stage) => {
  for (const answer of [
    { status: 302, headers: { location: "https://idp.example/login" } },
    { status: 200, contentType: "text/html", body: "<title>Log in</title>" },
    { status: 403, contentType: "application/json", body: "{}" },
  ]) {
    const user = await stage.guest();
    const browser = await stage.browser({ user });
    const page = await browser.newPage();
    const loads = await answered(page, "**/preauth*", answer);
    await page.goto(`${stage.site}/reports`);
    await shows(page, "Verification is unavailable", "Try again in a moment");
    await button(page, "Start again").or(page.getByRole("link", { name: "Start again" })).waitFor();
    assert.equal(loads(), 2, JSON.stringify(answer));
  }
});

test("a_server_that_is_away_is_no_reason_to_load_the_page", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const loads = await answered(page, "**/status*", { status: 503, contentType: "text/plain", body: "no" });
  await page.getByText("Connection lost. Trying again…").waitFor();
  assert.equal(loads(), 0);
  await page.context().unroute("**/status*");
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_browser_that_keeps_no_cookies_is_told_before_any_push", {}, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  await browser.addInitScript(() => Object.defineProperty(navigator, "cookieEnabled", { value: false }));
  const page = await browser.newPage();
  await page.goto(stage.site);
  await page.getByText("Your browser keeps no cookies for this site").waitFor();
  assert.equal(await button(page, "Send a push").isVisible(), false);
  assert.equal((await stage.sim.calls("preauth")).length, 0);
});
