// People without a device.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { isIn, press, shows } from "../prompt.mjs";

const PORTAL = { plugin: { duo: { enrollment: "portal" } } };

const newcomer = (stage) => stage.guest({ status: "not_enrolled", devices: [] });

test("where_it_is_off_the_help_desk_is_named", {}, async (stage) => {
  const page = await stage.open("/", { user: await newcomer(stage) });
  await shows(page, "Set up Duo Mobile", "Your help desk can set it up");
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
