// Rules with `approver`: another person approves, and the page waits for them.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, isIn, isOut, press, shows } from "../prompt.mjs";

const PATH = "/reports?year=2026";
const ASKS = "Another person has to approve";

const by = (users, admits = 0) => {
  const each = { policy: "two_factor", approval: "per_request" };
  const rule = { paths: ["/reports"], ...each, approver: { users } };
  return { admits, plugin: { access_control: { rules: [rule] } } };
};

// A page of Alice that offers the people.
async function chooser(stage, { script }) {
  const page = await stage.open(PATH, { user: "alice", script });
  await shows(page, ASKS);
  if (!script) await press(page, "Continue");
  await button(page, "Send a push").first().waitFor();
  return page;
}

// A page of Alice that waits for `two`, who has two phones.
async function asked(stage, script) {
  const page = await chooser(stage, { script });
  await press(page, "Send a push two");
  await shows(page, "Waiting for approval", "two");
  const { context } = await stage.sim.pending("two");
  const shown = new Map(context.pushinfo);
  assert.deepEqual(["requester", "request", "path"].map((name) => shown.get(name)), ["alice", "GET", "/reports"]);
  return page;
}

for (const script of [true, false]) {
  const how = script ? "by_script" : "without_a_script";

  test(`another_person_approves_${how}`, by(["alice", "rita", "two"], 1), async (stage) => {
    const page = await chooser(stage, { script });
    const names = await page.getByRole("group").evaluateAll((sets) =>
      sets.filter((set) => set.localName === "fieldset").map((set) => set.firstElementChild.textContent),
    );
    assert.deepEqual(names, ["rita", "two"]);
    assert.deepEqual(await stage.sim.calls("preauth"), []);
    await press(page, "Send a push two");
    await shows(page, "Waiting for approval", "two");
    assert.equal(await page.getByText("Work").count(), 0);
    assert.equal(await page.getByText("Didn’t ask for this?").count(), 0);
    await isOut(page);
    await stage.sim.answer("two", "approve");
    await isIn(page);
    const again = await page.reload();
    assert.equal(again.status(), 403);
    await stage.sim.assertPushes(1);
  });

  test(`a_denial_of_another_person_opens_nothing_${how}`, by(["two"]), async (stage) => {
    const page = await asked(stage, script);
    await stage.sim.answer("two", "deny");
    await shows(page, "Request denied", "Nothing was opened");
    await isOut(page);
  });

  test(`another_person_who_does_not_answer_opens_nothing_${how}`, by(["two"]), async (stage) => {
    const page = await asked(stage, script);
    await stage.sim.answer("two", "timeout");
    await shows(page, "No answer in time");
    await isOut(page);
  });

  for (const [who, name] of [["without_a_device", "carol"], ["unknown_at_duo", "nobody"], ["never_asked", "bella"]]) {
    test(`a_person_${who}_approves_nothing_${how}`, by([name]), async (stage) => {
      const page = await chooser(stage, { script });
      await press(page, "Send a push");
      await shows(page, "Not approved by this person");
      await isOut(page);
      await stage.sim.assertPushes(0);
    });
  }

  test(`nobody_approves_alone_${how}`, by(["alice"]), async (stage) => {
    const page = await stage.open(PATH, { user: "alice", script });
    if (!script) await press(page, "Continue");
    await shows(page, "Not approved by this person");
    await stage.sim.assertPushes(0);
  });
}

test("a_phone_is_left_alone_after_a_denial", by(["two"]), async (stage) => {
  const page = await asked(stage, true);
  await stage.sim.answer("two", "deny");
  await shows(page, "Request denied");
  await press(page, "Send a push");
  await shows(page, "Slow down");
  await stage.sim.assertPushes(1);
});
