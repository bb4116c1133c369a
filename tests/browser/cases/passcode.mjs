// Codes that are typed in.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, chooser, enter, isIn, isOut, press, shows } from "../prompt.mjs";

test("a_right_passcode_lets_in_without_a_push", { admits: 1 }, async (stage) => {
  const { page } = await chooser(stage);
  await enter(page, " 123456 ");
  await isIn(page);
  assert.equal(page.url(), `${stage.site}/reports?year=2026#total`);
  assert.equal((await stage.admitted()).factor, "passcode");
  await stage.sim.assertPushes(0);
});

test("a_passcode_is_in_no_address", { admits: 1 }, async (stage) => {
  const { page } = await chooser(stage);
  const asked = [];
  page.on("request", (request) => asked.push(request.url(), request.postData() ?? ""));
  await enter(page, "123456");
  await isIn(page);
  assert.equal(asked.some((it) => it.includes("123456")), false);
});

test("a_wrong_passcode_is_said_at_the_field_and_a_right_one_lets_in", { admits: 1 }, async (stage) => {
  const { page } = await chooser(stage);
  await enter(page, "000000");
  await page.getByText("That code was not right.").waitFor();
  const field = page.getByLabel("Passcode");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  assert.equal(await field.evaluate((it) => it === document.activeElement), true);
  assert.deepEqual(await field.evaluate((it) => [it.selectionStart, it.selectionEnd]), [0, 6]);
  await isOut(page);
  await page.keyboard.type("123456");
  await page.keyboard.press("Enter");
  await isIn(page);
});

test("what_cannot_be_a_code_does_not_leave_the_browser", {}, async (stage) => {
  const { page } = await chooser(stage);
  for (const typed of ["１２３４５６", "😀", "   "]) {
    await page.getByLabel("Passcode").fill(typed);
    await press(page, "Verify code");
    await page.getByText("That code was not right.").waitFor();
  }
  assert.deepEqual(await stage.sim.calls("auth"), []);
});

test("five_wrong_passcodes_are_enough", {}, async (stage) => {
  const { page } = await chooser(stage);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const answered = page.waitForResponse((response) => response.url().includes("/auth?"));
    await enter(page, `00000${attempt}`);
    await answered;
  }
  await enter(page, "123456");
  await page.locator("#alert:not(:empty)").waitFor();
  await isOut(page);
  assert.equal((await stage.sim.calls("auth")).length, 5);
});

test("a_code_by_text_message_lets_in", { admits: 1 }, async (stage) => {
  const { page } = await chooser(stage, { user: "carol" });
  await press(page, "Text me codes");
  await shows(page, "Enter a code", "We texted codes to Old phone");
  const field = page.getByLabel("Passcode");
  assert.equal(await field.evaluate((it) => it === document.activeElement), true);
  const [{ codes }] = await stage.sim.messages();
  await page.keyboard.type(codes[0]);
  await page.keyboard.press("Enter");
  await isIn(page);
  assert.equal((await stage.sim.deliveries()).messages, 1);
});

test("codes_are_not_texted_twice_in_a_row", {}, async (stage) => {
  const { page } = await chooser(stage, { user: "carol" });
  await press(page, "Text me codes");
  await shows(page, "Enter a code");
  assert.equal(await button(page, "Text me codes").isDisabled(), true);
  assert.equal((await stage.sim.deliveries()).messages, 1);
});

test("a_bypass_code_of_the_help_desk_lets_in_once", { admits: 1 }, async (stage) => {
  const user = await stage.guest({ bypass_codes: ["987654321"], passcodes: [] });
  const { page } = await chooser(stage, { user });
  await enter(page, "987654321");
  await isIn(page);
  const { page: second } = await chooser(stage, { user });
  await enter(second, "987654321");
  await second.getByText("That code was not right.").waitFor();
});

test("digits_in_the_field_never_send_a_push", {}, async (stage) => {
  const { page } = await chooser(stage);
  for (const digits of ["1", "11", "1111111"]) {
    await enter(page, digits);
    await page.getByText("That code was not right.").waitFor();
  }
  await stage.sim.assertPushes(0);
});
