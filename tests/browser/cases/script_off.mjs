// The same flows with JavaScript off: plain forms, and a page that reloads automatically.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, isIn, isOut, press, pushed, shows } from "../prompt.mjs";

const off = (options = {}) => ({ script: false, ...options });

test("opening_a_page_asks_duo_nothing", {}, async (stage) => {
  const page = await stage.open("/", off({ user: await stage.guest() }));
  await shows(page, "Confirm it’s you");
  await button(page, "Continue").waitFor();
  await page.reload();
  assert.deepEqual(await stage.sim.calls("preauth"), []);
});

test("an_approved_push_lets_in", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage, off(), "/reports?year=2026");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026`);
  await stage.sim.assertPushes(1);
});

test("a_reload_of_the_waiting_page_sends_nothing", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage, off());
  for (let again = 0; again < 3; again += 1) {
    await page.reload();
    await shows(page, "Check your phone");
  }
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("a_denial_is_said", {}, async (stage) => {
  const { page, user } = await pushed(stage, off());
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied", "Nothing was opened");
  await press(page, "Try again");
  await shows(page, "Confirm it’s you");
  await stage.sim.assertPushes(1);
});

test("a_push_that_nobody_answers_ends", {}, async (stage) => {
  const { page, user } = await pushed(stage, off());
  await stage.sim.answer(user, "timeout");
  await shows(page, "No answer in time");
  await button(page, "Try again").waitFor();
});

test("a_report_of_fraud_ends_it_for_good", {}, async (stage) => {
  const { page, user } = await pushed(stage, off());
  await stage.sim.answer(user, "fraud");
  await shows(page, "Reported as fraud");
  assert.equal(await page.getByRole("button").count(), 0);
});

test("a_verified_push_shows_its_code", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ verified_push: 6 });
  const { page } = await chooser(stage, off({ user }));
  await press(page, "Send a push");
  await shows(page, "Enter this code in Duo Mobile");
  const { verification_code: code } = await stage.sim.pending(user);
  assert.equal(await page.locator("#code-shown").innerText(), code);
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_call_is_answered_and_approved", { admits: 1 }, async (stage) => {
  const { page, user } = await chooser(stage, off());
  await press(page, "Call me");
  await shows(page, "Answer your phone");
  await stage.sim.answer(user, "answer");
  await shows(page, "Answer your phone", "Press a key");
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("another_way_leads_back_to_the_devices", {}, async (stage) => {
  const { page } = await pushed(stage, off());
  await press(page, "Use another way");
  await shows(page, "Confirm it’s you");
});

test("somebody_in_bypass_goes_through_by_one_press", { admits: 1 }, async (stage) => {
  const page = await stage.open("/reports", off({ user: "bella" }));
  await press(page, "Continue");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports`);
});

test("a_user_denied_by_duo_reads_so", {}, async (stage) => {
  const page = await stage.open("/", off({ user: "mallory" }));
  await press(page, "Continue");
  await shows(page, "Access not allowed", "Access is denied by policy");
  await isOut(page);
});

test("a_passcode_is_said_to_need_javascript", {}, async (stage) => {
  const { page } = await chooser(stage, off());
  const said = page.locator("noscript p").last();
  assert.equal(await said.innerText(), "Entering a passcode needs JavaScript.");
  assert.equal(await page.getByLabel("Passcode").isVisible(), false);
});

const BODIES = { plugin: { request_bodies: true }, stops_at_headers: true };
test("a_passcode_is_taken_where_bodies_are_read", { ...BODIES, admits: 1 }, async (stage) => {
  const { page } = await chooser(stage, off(), "/reports");
  await page.getByLabel("Passcode").fill("123456");
  await press(page, "Verify code");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports`);
  assert.equal((await stage.admitted()).factor, "passcode");
});

test("a_wrong_passcode_is_said_where_bodies_are_read", { ...BODIES, admits: 1 }, async (stage) => {
  const { page } = await chooser(stage, off());
  await page.getByLabel("Passcode").fill("000000");
  await press(page, "Verify code");
  await page.getByText("That code was not right.").waitFor();
  await isOut(page);
  await page.getByLabel("Passcode").fill("123456");
  await press(page, "Verify code");
  await isIn(page);
});

test("a_texted_code_is_taken_where_bodies_are_read", { ...BODIES, admits: 1 }, async (stage) => {
  const { page } = await chooser(stage, off({ user: "carol" }));
  await press(page, "Text me codes");
  await shows(page, "Enter a code");
  const [{ codes }] = await stage.sim.messages();
  await page.getByLabel("Passcode").fill(codes[0]);
  await press(page, "Verify code");
  await isIn(page);
});

test("another_browser_of_the_same_person_has_to_wait", {}, async (stage) => {
  const { user } = await pushed(stage);
  const { page: other } = await chooser(stage, off({ user }));
  await press(other, "Send a push");
  await shows(other, "Another sign-in is waiting");
  await stage.sim.assertPushes(1);
});

test("duo_that_cannot_be_asked_is_said", {}, async (stage) => {
  await stage.sim.fault({ endpoint: "preauth", kind: "status", status: 503 });
  const page = await stage.open("/reports", off({ user: await stage.guest() }));
  await press(page, "Continue");
  await shows(page, "Verification is unavailable");
  await stage.sim.clearFaults();
  await press(page, "Try again");
  await shows(page, "Confirm it’s you");
});

const INLINE = { plugin: { duo: { enrollment: "inline" } } };
test("a_phone_is_set_up", { ...INLINE, admits: 1 }, async (stage) => {
  const user = stage.stranger();
  const page = await stage.open("/reports", off({ user }));
  await press(page, "Continue");
  await shows(page, "Set up Duo Mobile");
  await press(page, "Set it up");
  await page.getByRole("img", { name: "QR code" }).waitFor();
  await stage.sim.claim(user);
  await press(page, "Continue");
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports`);
});
