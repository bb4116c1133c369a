// Addresses at which each request is approved separately.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { isIn, press, pushed, shows } from "../prompt.mjs";

const RULE = { paths: ["/reports"], policy: "two_factor", approval: "per_request" };
const EACH = { admits: 2, plugin: { access_control: { rules: [RULE] } } };

for (const script of [true, false]) {
  const how = script ? "by_script" : "without_a_script";
  test(`an_approval_opens_its_address_once_${how}`, EACH, async (stage) => {
    const { page, user } = await pushed(stage, { script }, "/reports?year=2026");
    await stage.sim.answer(user, "approve");
    await isIn(page);
    assert.equal(page.url(), `${stage.site}/reports?year=2026`);
    const again = await page.reload();
    assert.equal(again.status(), 403);
    if (!script) await press(page, "Continue");
    await shows(page, "Confirm it’s you");
    await stage.sim.assertPushes(1);
    await press(page, "Send a push");
    await shows(page, "Check your phone");
    await stage.sim.pending(user);
    await stage.sim.answer(user, "approve");
    await isIn(page);
    await stage.sim.assertPushes(2);
  });
}
