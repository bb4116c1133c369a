// What a person is offered, and what happens before they choose.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, enter, isIn, press, pushed, shows } from "../prompt.mjs";

const WORK = { name: "Work", number: "XXX-XXX-6789", capabilities: ["auto", "push", "phone"] };
const HOME = { name: "Home", number: "XXX-XXX-7890", capabilities: ["auto", "push", "sms"] };

test("opening_a_page_names_the_person_and_sends_nothing", {}, async (stage) => {
  const { page, user } = await chooser(stage);
  assert.match(await page.getByText("Signed in as").innerText(), new RegExp(user));
  assert.equal((await stage.sim.calls("preauth")).length, 1);
  assert.deepEqual(await stage.sim.calls("auth"), []);
});

test("one_device_with_one_factor_still_waits_for_a_press", {}, async (stage) => {
  const only = [{ name: "Pocket", capabilities: ["auto", "push"] }];
  const { page } = await chooser(stage, { user: await stage.guest({ devices: only, passcodes: [] }) });
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 1);
  assert.equal(await button(page, "Send a push Pocket").count(), 1);
  await page.reload();
  await shows(page, "Confirm it’s you");
  await button(page, "Send a push").waitFor();
  await stage.sim.assertPushes(0);
});

test("each_device_offers_what_it_can_do", {}, async (stage) => {
  const { page } = await chooser(stage, { user: await stage.guest({ devices: [WORK, HOME] }) });
  await page.getByText("Other devices").click();
  const offered = await page.getByRole("group").evaluateAll((sets) =>
    sets
      .filter((set) => set.localName === "fieldset")
      .map((set) => [...set.children].map((it) => it.firstChild.textContent || it.textContent)),
  );
  assert.deepEqual(
    offered.map(([name, ...factors]) => [name.split(" ")[0], ...factors]),
    [
      ["Work", "Send a push", "Call me"],
      ["Home", "Send a push", "Text me codes"],
    ],
  );
});

test("the_device_that_is_pressed_is_the_one_that_is_asked", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ devices: [WORK, HOME] });
  const { page } = await chooser(stage, { user });
  await page.getByText("Other devices").click();
  await press(page, "Send a push Home");
  await shows(page, "Check your phone", "Home");
  const { device } = await stage.sim.pending(user);
  assert.equal(device, (await stage.sim.user(user)).devices[1].id);
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_device_without_push_is_not_offered_one", {}, async (stage) => {
  const { page } = await chooser(stage, { user: "carol" });
  await button(page, "Text me codes").waitFor();
  assert.equal(await button(page, "Send a push").count(), 0);
  assert.equal(await button(page, "Call me").count(), 0);
});

test("a_hardware_token_leaves_the_code_field_alone", { admits: 1 }, async (stage) => {
  const { page } = await chooser(stage, { user: "tom" });
  await page.getByLabel("Passcode").waitFor();
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 1);
  await enter(page, "654321");
  await isIn(page);
});

const NO_CALLS = { admits: 0, plugin: { duo: { factors: ["push"] } } };
test("a_factor_that_is_not_configured_is_not_offered", NO_CALLS, async (stage) => {
  const { page } = await chooser(stage);
  await button(page, "Send a push").waitFor();
  for (const label of ["Call me", "Text me codes", "Verify code"]) {
    assert.equal(await button(page, label).filter({ visible: true }).count(), 0, label);
  }
});

test("somebody_whose_device_can_do_nothing_is_told", {}, async (stage) => {
  const user = await stage.guest({ devices: [{ name: "Brick", capabilities: [] }], passcodes: [] });
  const page = await stage.open("/", { user });
  await shows(page, "No device is ready", "Contact your help desk");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
});

test("the_device_and_factor_of_the_last_time_come_first", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ devices: [WORK, HOME] });
  const { page } = await chooser(stage, { user });
  await page.getByText("Other devices").click();
  await press(page, "Send a push Home");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await page.context().clearCookies({ name: "__Host-duo_mfa" });
  await page.reload();
  await shows(page, "Confirm it’s you");
  await button(page, "Send a push Home").waitFor();
  assert.equal(await button(page, "Send a push Work").isVisible(), false);
});

test("a_preferred_device_that_is_gone_is_not_missed", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ devices: [WORK, HOME] });
  const { page } = await chooser(stage, { user });
  await page.getByText("Other devices").click();
  await press(page, "Send a push Home");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await stage.sim.putUser({ username: user, devices: [WORK] });
  await page.context().clearCookies({ name: "__Host-duo_mfa" });
  await page.reload();
  await shows(page, "Confirm it’s you");
  await button(page, "Send a push Work").waitFor();
  assert.equal(await page.getByText("Home").count(), 0);
});

test("a_device_that_is_gone_when_it_is_pressed_leads_to_a_way_on", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ devices: [WORK, HOME] });
  const { page } = await chooser(stage, { user });
  await stage.sim.putUser({ username: user, devices: [{ ...HOME, id: "DPREPLACEMENT0000000" }] });
  await press(page, "Send a push Work");
  await page.locator("#alert:not(:empty)").waitFor();
  await stage.sim.assertPushes(0);
  await page.reload();
  await press(page, "Send a push Home");
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_device_that_loses_duo_mobile_is_offered_for_calls", {}, async (stage) => {
  const user = await stage.guest();
  await stage.sim.deactivate(user);
  const { page } = await chooser(stage, { user });
  await button(page, "Call me").waitFor();
  assert.equal(await button(page, "Send a push").count(), 0);
});

test("somebody_in_bypass_goes_through_without_a_press", { admits: 1 }, async (stage) => {
  const page = await stage.open("/reports?year=2026", { user: "bella" });
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026`);
  assert.equal((await stage.admitted()).factor, "bypass");
  await stage.sim.assertPushes(0);
});

test("a_user_denied_by_duo_reads_duos_words", {}, async (stage) => {
  const page = await stage.open("/", { user: "mallory" });
  await shows(page, "Access not allowed", "Access is denied by policy");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
  assert.deepEqual(await stage.sim.calls("auth"), []);
});

test("somebody_who_is_locked_out_is_told_in_duos_words", {}, async (stage) => {
  const page = await stage.open("/", { user: "eve" });
  await shows(page, "Access not allowed", "disabled due to excessive failures");
});

const BYPASS = { admits: 1, plugin: { access_control: { default_policy: "bypass" } } };
test("a_policy_of_bypass_shows_no_page", BYPASS, async (stage) => {
  const page = await stage.open("/");
  await isIn(page);
  assert.deepEqual(await stage.sim.calls("preauth"), []);
});

const DENY = { plugin: { access_control: { default_policy: "deny" } } };
test("a_policy_of_denial_offers_nothing", DENY, async (stage) => {
  const page = await stage.open("/");
  await shows(page, "Access not allowed", "The rules of this site");
  assert.equal(await page.getByRole("button").filter({ visible: true }).count(), 0);
  assert.deepEqual(await stage.sim.calls("preauth"), []);
});

test("a_page_without_a_first_factor_says_to_sign_in", { is_anonymous: true }, async (stage) => {
  const page = await stage.open("/", { user: null });
  await shows(page, "Sign in first", "We don’t know yet who you are");
  assert.deepEqual(await stage.sim.calls("preauth"), []);
});

test("a_tab_in_the_background_asks_duo_nothing_until_it_is_seen", {}, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  await browser.addInitScript(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => !window.isSeen });
  });
  const page = await browser.newPage();
  await page.goto(`${stage.site}/`);
  await page.waitForTimeout(300);
  assert.deepEqual(await stage.sim.calls("preauth"), []);
  await page.evaluate(() => {
    window.isSeen = true;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await button(page, "Send a push").waitFor();
  assert.equal((await stage.sim.calls("preauth")).length, 1);
});

test("many_tabs_that_open_at_once_send_nothing", {}, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  const tabs = await Promise.all(Array.from({ length: 8 }, () => browser.newPage()));
  await Promise.all(tabs.map((tab, number) => tab.goto(`${stage.site}/${number}`)));
  for (const tab of tabs) await button(tab, "Send a push").waitFor();
  await stage.sim.assertPushes(0);
});

test("a_script_of_the_application_is_refused_without_a_push", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await page.context().clearCookies();
  const { status, code, kept } = await page.evaluate(async () => {
    const answer = await fetch("/api/orders");
    return { status: answer.status, code: (await answer.json()).code, kept: document.cookie };
  });
  assert.deepEqual({ status, code, kept }, { status: 403, code: "mfa_required", kept: "" });
  assert.deepEqual(await page.context().cookies(), []);
  await stage.sim.assertPushes(1);
});
