// Several windows: of one person, of two who say that they are the same.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, enter, isIn, isOut, press, pushed, shows } from "../prompt.mjs";

test("two_tabs_of_one_browser_share_a_push_and_an_approval", { admits: 2 }, async (stage) => {
  const { page, user } = await pushed(stage, {}, "/first");
  const second = await page.context().newPage();
  await second.goto(`${stage.site}/second`);
  await shows(second, "Check your phone");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await isIn(second);
  assert.equal(second.url(), `${stage.site}/second`);
  await stage.sim.assertPushes(1);
});

test("a_tab_that_was_open_before_the_approval_gets_in_with_one_press", { admits: 2 }, async (stage) => {
  const { page, user } = await chooser(stage, {}, "/first");
  const second = await page.context().newPage();
  await second.goto(`${stage.site}/second`);
  await button(second, "Send a push").waitFor();
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await second.reload();
  await isIn(second);
  await stage.sim.assertPushes(1);
});

test("another_browser_of_the_same_person_does_not_ride_on_the_push", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const { page: other } = await chooser(stage, { user });
  await press(other, "Send a push");
  await shows(other, "Another sign-in is waiting", "Finish it in the other window");
  await stage.sim.assertPushes(1);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  await other.reload();
  await other.getByRole("heading", { level: 1 }).waitFor();
  await isOut(other);
});

test("while_another_window_waits_a_passcode_still_lets_in", { admits: 1 }, async (stage) => {
  const { user } = await pushed(stage);
  const { page: other } = await chooser(stage, { user });
  await press(other, "Send a push");
  await shows(other, "Another sign-in is waiting");
  await enter(other, "123456");
  await isIn(other);
});

const ONE_PUSH = { plugin: { limits: { pushes: 1, window: "10m" } } };
test("who_has_used_up_their_pushes_is_told_when_there_are_more", ONE_PUSH, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "timeout");
  await shows(page, "No answer in time");
  await press(page, "Send a push");
  await shows(page, "Slow down", /You can try again in \d+ (minutes|seconds)/);
  await page.getByLabel("Passcode").waitFor();
  await stage.sim.assertPushes(1);
});

test("an_approval_of_somebody_else_is_none", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  const cookies = await page.context().cookies();
  const stranger = await stage.browser({ user: await stage.guest() });
  await stranger.addCookies(cookies);
  const stolen = await stranger.newPage();
  await stolen.goto(stage.site);
  await shows(stolen, "Confirm it’s you");
});
