// Sign-ins that were not approved, and what is left to do after them.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, enter, isIn, isOut, press, pushed, shows, timed } from "../prompt.mjs";

test("a_denial_is_said_and_opens_nothing", {}, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied", "Nothing was opened");
  assert.match(await page.title(), /^Request denied/);
  await isOut(page);
  await button(page, "Send a push").waitFor();
});

test("a_page_that_is_left_alone_after_a_denial_sends_nothing", {}, async (stage) => {
  const user = await stage.guest();
  const page = await timed(stage, user);
  await page.goto(stage.site);
  await press(page, "Send a push");
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.clock.runFor(60_000);
  await page.waitForTimeout(300);
  assert.deepEqual(asked, []);
  await stage.sim.assertPushes(1);
});

test("a_chooser_that_is_left_alone_sends_nothing", {}, async (stage) => {
  const page = await timed(stage, await stage.guest());
  await page.goto(stage.site);
  await button(page, "Send a push").waitFor();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.clock.runFor(600_000);
  await page.waitForTimeout(300);
  assert.deepEqual(asked, []);
  await stage.sim.assertPushes(0);
});

test("a_push_that_nobody_answers_ends", {}, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "timeout");
  await shows(page, "No answer in time", "ran out before it was answered");
  await button(page, "Send a push").waitFor();
});

const SHORT = { plugin: { duo: { push_timeout: "3s" } } };
test("a_push_ends_by_the_configured_time_where_duo_says_nothing", SHORT, async (stage) => {
  const { page } = await pushed(stage);
  await shows(page, "No answer in time");
  await stage.sim.assertPushes(1);
});

test("a_report_of_fraud_ends_it_for_good", {}, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "fraud");
  await shows(page, "Reported as fraud", "Access stays closed");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
  assert.equal(await page.getByRole("link").filter({ visible: true }).count(), 0);
});

test("a_lockout_on_the_way_ends_it_for_good", {}, async (stage) => {
  const { page } = await chooser(stage, { user: await stage.guest({ failures: 9 }) });
  await enter(page, "000000");
  await shows(page, "Account locked", "too many failed tries");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
});

test("after_a_denial_another_way_still_lets_in", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  await enter(page, "123456");
  await isIn(page);
  assert.equal((await stage.admitted()).factor, "passcode");
  await stage.sim.assertPushes(1);
});

test("after_a_denial_a_push_has_to_wait", {}, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  await press(page, "Send a push");
  await shows(page, "Slow down", /You can try again in (1 minute|60 seconds|5\d seconds)/);
  await page.getByLabel("Passcode").waitFor();
  await stage.sim.assertPushes(1);
});

test("a_limit_counts_down_and_takes_a_passcode_meanwhile", { admits: 1 }, async (stage) => {
  const user = await stage.guest();
  const page = await timed(stage, user);
  await page.goto(stage.site);
  await press(page, "Send a push");
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  await press(page, "Send a push");
  await shows(page, "Slow down", "A passcode works right away.");
  const push = button(page, "Send a push");
  assert.equal(await push.isDisabled(), true);
  const left = async () => Number((await page.locator("#pause").innerText()).split(":")[1]);
  await page.clock.runFor(10_000);
  const before = await left();
  await page.clock.runFor(10_000);
  assert.equal(before - (await left()), 10);
  assert.equal(await page.locator("#alert").innerText(), await limit(page), "it is announced once");
  await page.clock.runFor(60_000);
  assert.equal(await push.isDisabled(), false);
  assert.equal(await page.locator("#pause").innerText(), "");
  assert.equal(await page.locator("#alert").innerText(), "");
  await press(page, "Send a push");
  await shows(page, "Slow down");
  await enter(page, "123456");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

// The text of the limit, with the time that was left at its first announcement.
async function limit(page) {
  const text = await page.locator("#alert").innerText();
  assert.match(text, /^You can try again in (60|5\d) seconds\. A passcode works right away\.$/);
  return text;
}

const SIGN_OUT = { plugin: { branding: { sign_out_url: "/sign_out" } } };
test("a_page_leads_to_the_sign_in_of_somebody_else", SIGN_OUT, async (stage) => {
  const { page, user } = await pushed(stage);
  const link = page.getByRole("link", { name: "Sign in as somebody else" });
  assert.equal(await link.getAttribute("href"), "/sign_out");
  await stage.sim.answer(user, "fraud");
  await shows(page, "Reported as fraud");
  assert.equal(await link.isVisible(), true);
  await page.getByText("Need help? Contact your help desk.").waitFor();
});

test("going_back_from_a_denial_does_not_send_again", {}, async (stage) => {
  const { page, user } = await pushed(stage, {}, "/first");
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  await page.goto(`${stage.site}/second`);
  await shows(page, "Confirm it’s you");
  await page.goBack();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await stage.sim.assertPushes(1);
  await isOut(page);
});

test("duo_that_cannot_be_asked_is_nobodys_fault_and_can_be_asked_again", {}, async (stage) => {
  await stage.sim.fault({ endpoint: "preauth", kind: "status", status: 503 });
  const page = await stage.open("/reports", { user: await stage.guest() });
  await shows(page, "Verification is unavailable", "Try again in a moment");
  await isOut(page);
  await stage.sim.clearFaults();
  await page.getByRole("link", { name: "Start again" }).click();
  await shows(page, "Confirm it’s you");
  assert.equal(page.url(), `${stage.site}/reports`);
});

test("duo_that_refuses_the_application_sends_to_the_help_desk", {}, async (stage) => {
  await stage.sim.fault({ endpoint: "preauth", kind: "fail", code: 40103 });
  const page = await stage.open("/", { user: await stage.guest() });
  await shows(page, "Verification is unavailable", "Tell your help desk");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
});

test("every_end_has_a_reference_that_the_log_has_too", {}, async (stage) => {
  const page = await stage.open("/", { user: "mallory" });
  await shows(page, "Access not allowed");
  const reference = await page.locator("footer code").innerText();
  assert.match(reference, /^[0-9A-HJKMNP-TV-Z]{8}$/);
});

test("who_signs_out_is_asked_again", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  const left = await page.evaluate(() => fetch("/.duo-mfa/logout", { method: "POST" }).then((it) => it.ok));
  assert.equal(left, true);
  await page.reload();
  await shows(page, "Confirm it’s you");
});

test("sign_out_page_ends_the_approval_by_its_button_and_goes_on", { admits: 2 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await page.goto(`${stage.site}/.duo-mfa/logout?next=%2Freports%3Fa%3Db`);
  await shows(page, "Sign out?");
  // Looking at the page changes nothing.
  await page.goto(`${stage.site}/reports`);
  await isIn(page);
  await page.goto(`${stage.site}/.duo-mfa/logout?next=%2Freports%3Fa%3Db`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/reports?a=b");
  await shows(page, "Confirm it’s you");
});
