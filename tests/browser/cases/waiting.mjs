// A sign-in that waits for its answer.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, isIn, isOut, press, pushed, shows, timed } from "../prompt.mjs";
import { eventually } from "../stage.mjs";

test("an_approved_push_shows_the_application_at_the_same_address", { admits: 1 }, async (stage) => {
  const { page, user } = await chooser(stage);
  const before = await page.evaluate(() => history.length);
  await press(page, "Send a push");
  await shows(page, "Check your phone", "Pocket");
  await isOut(page);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026#total`);
  assert.equal(await page.evaluate(() => history.length), before);
  const { method, target, factor, user: named } = await stage.admitted();
  assert.deepEqual([method, target, factor, named], ["GET", "/reports?year=2026", "push", user]);
  await stage.sim.assertPushes(1);
});

test("an_approval_is_good_for_the_next_page", { admits: 3 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  for (const path of ["/one", "/two"]) {
    assert.equal((await page.goto(stage.site + path)).status(), 200);
  }
  await stage.sim.assertPushes(1);
});

test("the_way_back_after_an_approval_is_not_to_the_prompt", { admits: 2 }, async (stage) => {
  const { page, user } = await pushed(stage, {}, "/first");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await page.goto(`${stage.site}/second`);
  // From the browser's cache: what was kept of the address is the application's answer.
  await page.goBack();
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/first`);
});

test("the_prompts_own_address_leads_to_where_one_wanted_to_go", { admits: 2 }, async (stage) => {
  const user = await stage.guest();
  const page = await stage.open("/.duo-mfa/?return_to=%2Freports%3Fyear%3D2026", { user });
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026`);
  await page.goto(`${stage.site}/next`);
  await page.goBack();
  assert.equal(page.url(), `${stage.site}/reports?year=2026`);
});

test("an_unsafe_way_back_leads_to_the_start", { admits: 1 }, async (stage) => {
  const user = await stage.guest();
  const page = await stage.open("/.duo-mfa/?return_to=https%3A%2F%2Fevil.example%2F", { user });
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/`);
});

test("a_verified_push_shows_its_code_to_the_eye_and_to_the_ear", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ verified_push: 3 });
  const { page } = await chooser(stage, { user });
  await press(page, "Send a push");
  await shows(page, "Enter this code in Duo Mobile");
  const { verification_code: code } = await stage.sim.pending(user);
  assert.equal(await page.locator("#code-shown").innerText(), code);
  assert.equal(await page.locator("#code-spoken").textContent(), [...code].join(" "));
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_wrong_code_on_the_phone_keeps_waiting", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ verified_push: 6 });
  const { page } = await chooser(stage, { user });
  await press(page, "Send a push");
  await shows(page, "Enter this code in Duo Mobile");
  const shown = await page.locator("#code-shown").innerText();
  const phone = await stage.phone();
  const card = phone.locator("#pending article").filter({ hasText: user });
  await card.getByLabel("Code on the screen").fill(shown === "000000" ? "111111" : "000000");
  await card.getByRole("button", { name: "Approve" }).click();
  await card.getByText("the code is not the one").waitFor();
  await isOut(page);
  assert.equal(await page.locator("#code-shown").innerText(), shown);
  await card.getByLabel("Code on the screen").fill(shown);
  await card.getByRole("button", { name: "Approve" }).click();
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("a_chooser_that_outlives_its_code_leads_to_a_fresh_one", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ verified_push: 6 });
  // What Duo says first is more than a minute old.
  await stage.sim.fault({ endpoint: "preauth", kind: "skew", seconds: -90, times: 1 });
  const { page } = await chooser(stage, { user });
  await press(page, "Send a push");
  await shows(page, "Enter this code in Duo Mobile");
  const { verification_code: code } = await stage.sim.pending(user);
  assert.equal(await page.locator("#code-shown").innerText(), code);
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

const NO_REST = { plugin: { limits: { deny_cooldown: ["1s"] } } };
test("a_code_that_ran_out_is_taken_off_the_page", {}, async (stage) => {
  const user = await stage.guest({ verified_push: 6 });
  const { page } = await chooser(stage, { user });
  await press(page, "Send a push");
  await shows(page, "Enter this code in Duo Mobile");
  await stage.sim.answer(user, "timeout");
  await shows(page, "No answer in time");
  assert.equal(await page.locator("#code-shown").isVisible(), false);
  await button(page, "Send a push").waitFor();
});

test("another_push_has_a_code_of_its_own", { ...NO_REST, admits: 1 }, async (stage) => {
  const user = await stage.guest({ verified_push: 6 });
  const { page } = await chooser(stage, { user });
  const heading = "Enter this code in Duo Mobile";
  await press(page, "Send a push");
  await shows(page, heading);
  const first = await page.locator("#code-shown").innerText();
  await stage.sim.answer(user, "deny");
  await shows(page, "Request denied");
  await page.waitForTimeout(1500);
  await press(page, "Send a push");
  await shows(page, heading);
  const { verification_code: second } = await stage.sim.pending(user);
  assert.notEqual(second, first);
  assert.equal(await page.locator("#code-shown").innerText(), second);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(2);
});

test("a_call_rings_is_answered_and_approved", { admits: 1 }, async (stage) => {
  const { page, user } = await chooser(stage);
  await press(page, "Call me");
  await shows(page, "Answer your phone", "Calling Pocket");
  await stage.sim.answer(user, "answer");
  await shows(page, "Answer your phone", "Press a key on your phone");
  await isOut(page);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal((await stage.admitted()).factor, "phone");
});

test("a_push_that_does_not_arrive_is_said_and_can_still_be_approved", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "fail");
  await shows(page, "We couldn’t reach your phone", "Open Duo Mobile");
  await button(page, "Use another way").waitFor();
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_reload_goes_on_waiting_for_the_same_push", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await page.reload();
  await shows(page, "Check your phone");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("a_tab_that_was_closed_is_taken_up_again", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const browser = page.context();
  await page.close();
  await stage.sim.answer(user, "approve");
  const again = await browser.newPage();
  await again.goto(`${stage.site}/reports`);
  await isIn(again);
  await stage.sim.assertPushes(1);
});

test("envoy_is_restarted_while_a_push_waits", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.restartEnvoy();
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("another_envoy_goes_on_with_a_push_that_waits", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const polls = (await stage.sim.calls("auth_status")).length;
  await stage.switchEnvoy();
  await eventually("a look by the other Envoy", async () => {
    return (await stage.sim.calls("auth_status")).length > polls;
  });
  await isOut(page);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("a_push_that_was_approved_while_duo_was_away_lets_in", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.fault({ endpoint: "auth_status", kind: "status", status: 503, times: 3 });
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("a_page_that_loses_its_connection_says_so_and_tries_again", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await page.context().setOffline(true);
  await page.getByText("Connection lost. Trying again…").waitFor();
  await page.context().setOffline(false);
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_poll_that_gets_no_answer_is_sent_again", { admits: 1 }, async (stage) => {
  const { page, user } = await chooser(stage);
  await page.route(/\/status\?/, () => {}, { times: 1 });
  await press(page, "Send a push");
  await page.getByText("Connection lost. Trying again…").waitFor({ timeout: 20_000 });
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("the_time_that_is_left_counts_down_and_is_said_twice", {}, async (stage) => {
  const user = await stage.guest();
  const page = await timed(stage, user);
  // The filter counts real seconds, and its response would set the count back after a leap.
  await page.route(/\/status\?/, () => {});
  await page.goto(stage.site);
  await press(page, "Send a push");
  await page.getByText(/^(60|5\d) seconds left$/).waitFor();
  await page.clock.runFor(15_000);
  await page.getByText(/^4\d seconds left$/).waitFor();
  assert.equal(await page.locator("#spoken").textContent(), "");
  const said = [];
  for (let second = 0; second < 45; second += 1) {
    await page.clock.runFor(1000);
    const text = await page.locator("#spoken").textContent();
    if (text && said.at(-1) !== text) said.push(text);
  }
  assert.deepEqual(said, ["30 seconds left", "10 seconds left"]);
});

test("the_page_shows_what_the_phone_shows", {}, async (stage) => {
  const { page, user } = await pushed(stage);
  const { context } = await stage.sim.pending(user);
  assert.equal(context.ipaddr, "127.0.0.1");
  await page.getByText("127.0.0.1", { exact: true }).waitFor();
  // No configuration names this host, so the phone does not show what the client sent for it.
  assert.equal(new Map(context.pushinfo).has("host"), false);
});

test("another_way_ends_the_waiting", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await press(page, "Use another way");
  await shows(page, "Confirm it’s you");
  const polls = (await stage.sim.calls("auth_status")).length;
  await page.waitForTimeout(1500);
  assert.equal((await stage.sim.calls("auth_status")).length, polls);
  await page.getByLabel("Passcode").fill("123456");
  await press(page, "Verify code");
  await isIn(page);
  assert.equal((await stage.admitted()).factor, "passcode");
  assert.equal(await stage.sim.status((await stage.sim.pending(user)).txid), "pushed");
});

test("a_button_that_is_pressed_three_times_sends_one_push", { admits: 1 }, async (stage) => {
  const { page, user } = await chooser(stage);
  const send = button(page, "Send a push");
  await send.evaluate((it) => {
    for (let press = 0; press < 3; press += 1) it.click();
  });
  await shows(page, "Check your phone");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.assertPushes(1);
});

test("the_focus_stays_on_the_page_when_its_parts_change", {}, async (stage) => {
  const { page } = await chooser(stage);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.localName);
  await button(page, "Send a push").focus();
  await page.keyboard.press("Enter");
  await shows(page, "Check your phone");
  assert.equal(await focused(), "heading");
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Use another way/);
  await page.keyboard.press("Enter");
  await shows(page, "Confirm it’s you");
  assert.equal(await focused(), "heading");
});
