// People without a device.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, isIn, press, shows } from "../prompt.mjs";

const INLINE = { plugin: { duo: { enrollment: "inline" } } };
const PORTAL = { plugin: { duo: { enrollment: "portal" } } };

const newcomer = (stage) => stage.guest({ status: "not_enrolled", devices: [] });

test("where_it_is_off_the_help_desk_is_named", {}, async (stage) => {
  const page = await stage.open("/", { user: await newcomer(stage) });
  await shows(page, "Set up Duo Mobile", "Your help desk can set it up");
  assert.equal(await page.locator("#alert").innerText(), "", "it is no mistake of anyone's");
  assert.deepEqual(await stage.sim.calls("enroll"), []);
});

test("the_portal_of_duo_is_a_link", PORTAL, async (stage) => {
  const page = await stage.open("/", { user: await newcomer(stage) });
  await shows(page, "Set up Duo Mobile");
  const portal = page.getByRole("link", { name: "Set it up" });
  assert.match(await portal.getAttribute("href"), /^https:\/\/api-sim\.duosecurity\.test\/portal\?code=/);
  assert.deepEqual(await stage.sim.calls("enroll"), []);
});

test("who_comes_back_from_the_portal_goes_on", { ...PORTAL, admits: 1 }, async (stage) => {
  const user = await newcomer(stage);
  const page = await stage.open("/reports", { user });
  await shows(page, "Set up Duo Mobile");
  const phone = { name: "Pocket", capabilities: ["auto", "push"] };
  await stage.sim.putUser({ username: user, devices: [phone] });
  await page.getByRole("link", { name: "Start again" }).click();
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await isIn(page);
});

test("a_scanned_code_leads_to_the_first_sign_in", { ...INLINE, admits: 1 }, async (stage) => {
  const user = stage.stranger();
  const page = await stage.open("/reports?year=2026", { user });
  await shows(page, "Set up Duo Mobile");
  assert.deepEqual(await stage.sim.calls("enroll"), [], "nothing is made before a press");
  await press(page, "Set it up");
  await page.getByRole("img", { name: "QR code" }).waitFor();

  // The code under the picture is typed into the phone.
  const code = await page.locator("code").filter({ hasText: "duo://" }).innerText();
  const phone = await stage.phone();
  await phone.getByLabel("What the QR code holds").fill(code);
  await phone.keyboard.press("Enter");
  await phone.getByText("Activated.").waitFor();

  await press(page, "Send a push");
  await phone.getByRole("button", { name: "Approve" }).click();
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026`);
  assert.equal((await stage.sim.calls("enroll")).length, 1);
});

test("a_reload_of_the_code_does_not_make_another", INLINE, async (stage) => {
  const page = await stage.open("/", { user: stage.stranger() });
  await press(page, "Set it up");
  const code = page.locator("code").filter({ hasText: "duo://" });
  const first = await code.innerText();
  await page.reload();
  assert.equal(await code.innerText(), first);
  assert.equal((await stage.sim.calls("enroll")).length, 1);
});

test("a_phone_is_set_up_before_the_page_believes_it", INLINE, async (stage) => {
  const page = await stage.open("/", { user: stage.stranger() });
  await press(page, "Set it up");
  await press(page, "I have set it up");
  await shows(page, "Set up Duo Mobile");
  assert.equal(await button(page, "Send a push").filter({ visible: true }).count(), 0);
});

test("a_code_that_expired_leads_to_the_help_desk", INLINE, async (stage) => {
  const page = await stage.open("/", { user: stage.stranger() });
  await press(page, "Set it up");
  await page.getByRole("img", { name: "QR code" }).waitFor();
  await stage.sim.expireEnrollments();
  await shows(page, "Set up Duo Mobile", "Your help desk can set it up");
  assert.equal(await page.getByRole("img", { name: "QR code" }).count(), 0);
  assert.equal(await button(page, "Set it up").filter({ visible: true }).count(), 0);
  assert.equal((await stage.sim.calls("enroll")).length, 1, "Duo gives no second code for the name");
});
