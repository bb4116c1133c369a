// The simulator's phone page: what a person does with a phone.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { assertAccessible, assertNarrow } from "../judge.mjs";
import * as picture from "../picture.mjs";
import { eventually } from "../stage.mjs";

// Starts a factor as an application does, without a page of ours, and gives its transaction.
async function start(sim, username, factor, more = {}) {
  const params = { username, factor, device: "auto", async: "1", ...more };
  return (await sim.duo("POST", "auth", params)).txid;
}

// Waits until a transaction ends as it should.
async function ends(sim, txid, status) {
  await eventually(`${status} of ${txid}`, async () => (await sim.status(txid)) === status);
}

// The card of what waits for `username`.
function request(phone, username) {
  return phone.locator("#pending article").filter({ hasText: username });
}

function person(phone, username) {
  return phone
    .locator("#users article")
    .filter({ has: phone.getByRole("heading", { name: username, exact: true }) });
}

const ANSWERS = { Approve: "allow", Deny: "deny", "Report fraud": "fraud" };
for (const [button, status] of Object.entries(ANSWERS)) {
  test(`a_push_ends_as_${status}_by_its_button`, {}, async (stage) => {
    const { sim } = stage;
    const phone = await stage.phone();
    const txid = await start(sim, "alice", "push", { type: "Payroll", ipaddr: "203.0.113.7" });
    const card = request(phone, "alice");
    await card.getByRole("heading", { name: "Payroll request" }).waitFor();
    assert.match(await card.innerText(), /203\.0\.113\.7/);
    await card.getByRole("button", { name: button }).click();
    await ends(sim, txid, status);
    await card.waitFor({ state: "detached" });
  });
}

test("a_verified_push_wants_the_code_that_is_on_the_screen", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const asked = { username: "bob", client_supports_verified_push: "1" };
  const { txid, verification_code: code } = await sim.duo("POST", "preauth", asked);
  await start(sim, "bob", "push", { txid });
  const card = request(phone, "bob");
  const field = card.getByLabel("Code on the screen");
  await field.fill(code === "000" ? "111" : "000");
  await card.getByRole("button", { name: "Approve" }).click();
  await card.getByText("the code is not the one on the screen").waitFor();
  assert.equal(await sim.status(txid), "pushed");
  await assertAccessible(phone);

  await field.fill(code);
  await field.press("Enter");
  await ends(sim, txid, "allow");
});

test("a_ringing_call_is_answered_and_approved_by_a_key", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const txid = await start(sim, "peter", "phone");
  const card = request(phone, "peter");
  await card.getByRole("heading", { name: "Incoming call" }).waitFor();
  assert.equal(await card.getByRole("button", { name: "Press #" }).count(), 0);
  await card.getByRole("button", { name: "Answer" }).click();
  await card.getByRole("heading", { name: "On the phone" }).waitFor();
  assert.equal(await sim.status(txid), "answered");
  await assertAccessible(phone);
  await card.getByRole("button", { name: "Press #" }).click();
  await ends(sim, txid, "allow");
});

test("a_call_is_declined_or_hung_up", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const card = request(phone, "peter");
  const declined = await start(sim, "peter", "phone");
  await card.getByRole("button", { name: "Decline" }).click();
  await ends(sim, declined, "deny");
  await card.waitFor({ state: "detached" });

  const hungUp = await start(sim, "peter", "phone");
  await card.getByRole("button", { name: "Answer" }).click();
  await card.getByRole("button", { name: "Hang up" }).click();
  await ends(sim, hungUp, "deny");
});

test("texted_codes_arrive_in_the_inbox", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  await start(sim, "carol", "sms");
  const text = phone.locator("#messages article").filter({ hasText: "carol" });
  await text.waitFor();
  const shown = await text.getByRole("listitem").allInnerTexts();
  const [{ codes }] = await sim.messages();
  assert.deepEqual(shown, codes);
  await assertAccessible(phone);

  const passcode = { username: "carol", factor: "passcode", passcode: shown[3] };
  assert.equal((await sim.duo("POST", "auth", passcode)).result, "allow");
});

test("a_scanned_code_sets_up_a_phone", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const { activation_code: code, user_id } = await sim.duo("POST", "enroll", { username: "newcomer" });
  const scanned = phone.getByLabel("What the QR code holds");
  await scanned.fill(` ${code} `);
  await scanned.press("Enter");
  await phone.getByText("Activated.").waitFor();
  const asked = { user_id, activation_code: code };
  assert.equal(await sim.duo("POST", "enroll_status", asked), "success");
  assert.match(await person(phone, "newcomer").innerText(), /Duo Mobile/);

  const txid = await start(sim, "newcomer", "push");
  await request(phone, "newcomer").getByRole("button", { name: "Approve" }).click();
  await ends(sim, txid, "allow");
});

test("a_code_that_is_no_activation_code_is_refused_and_stays_in_the_field", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const scanned = phone.getByLabel("What the QR code holds");
  await scanned.fill("duo://never-given-out");
  await phone.locator("#scan").getByRole("button").click();
  await phone.getByText("no such activation code").waitFor();
  assert.equal(await scanned.inputValue(), "duo://never-given-out");
  await assertAccessible(phone);

  const { activation_code: code } = await sim.duo("POST", "enroll", { username: "newcomer" });
  for (const said of ["Activated.", "the activation code was claimed before"]) {
    await scanned.fill(code);
    await scanned.press("Enter");
    await phone.getByText(said).waitFor();
  }
});

test("a_device_is_deactivated_and_reactivated", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const able = async () => {
    const { devices } = await sim.duo("POST", "preauth", { username: "alice" });
    return devices[0].capabilities;
  };
  const alice = person(phone, "alice");
  await alice.getByRole("button", { name: "Deactivate Duo Mobile on alice: Apple iOS" }).click();
  await alice.getByText("not activated").waitFor();
  assert.deepEqual(await able(), ["auto", "sms", "phone"]);
  await assertAccessible(phone);

  const again = alice.getByRole("button", { name: "Reactivate Duo Mobile" });
  assert.equal(await again.evaluate((it) => it === document.activeElement), true, "focus");
  await phone.keyboard.press("Enter");
  await alice.getByRole("button", { name: "Deactivate Duo Mobile" }).waitFor();
  assert.deepEqual(await able(), ["auto", "push", "sms", "phone", "mobile_otp"]);
});

test("the_page_is_accessible_and_narrow_in_both_colour_schemes", {}, async (stage) => {
  await start(stage.sim, "alice", "push");
  await start(stage.sim, "peter", "phone");
  await start(stage.sim, "carol", "sms");
  await stage.sim.duo("POST", "enroll", { username: "newcomer" });
  for (const colorScheme of ["light", "dark"]) {
    const phone = await stage.phone({ colorScheme });
    await request(phone, "peter").waitFor();
    await assertAccessible(phone);
    await assertNarrow(phone);
  }
});

test("typing_survives_what_happens_on_other_phones", {}, async (stage) => {
  const { sim } = stage;
  const phone = await stage.phone();
  const asked = { username: "bob", client_supports_verified_push: "1" };
  const { txid } = await sim.duo("POST", "preauth", asked);
  await start(sim, "bob", "push", { txid });
  const field = request(phone, "bob").getByLabel("Code on the screen");
  await field.pressSequentially("12");
  await start(sim, "alice", "push");
  await request(phone, "alice").waitFor();
  await phone.keyboard.type("3");
  assert.equal(await field.inputValue(), "123");
});
