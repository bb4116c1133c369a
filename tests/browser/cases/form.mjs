// A form of the application that is sent after the approval ran out.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, isIn, isOut, press, pushed, shows } from "../prompt.mjs";

// A page of the application with a form that is filled in, and no approval any more.
async function filledIn(stage) {
  const { page, user } = await pushed(stage, {}, "/form");
  await page.context().route("**/form", async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    const form = `<form method=post action=/orders><input name=amount><button>Order</button></form>`;
    await route.fulfill({ contentType: "text/html", body: `<title>Form</title>${form}` });
  });
  await stage.sim.answer(user, "approve");
  await page.getByRole("button", { name: "Order" }).waitFor();
  await page.locator("input").fill("12");
  await page.context().clearCookies();
  return { page, user };
}

test("a_form_that_was_not_sent_is_said_and_never_sent_by_the_page", {}, async (stage) => {
  const { page, user } = await filledIn(stage);
  await page.getByRole("button", { name: "Order" }).click();
  await shows(page, "Your form was not sent", "Confirm it’s you, then send it again");
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await shows(page, "You’re confirmed", "Go back to your form and send it again");
  await isOut(page);
  assert.equal((await stage.admitted()).count, 0);
});

test("a_form_is_confirmed_under_the_rule_of_its_method", {}, async (stage) => {
  const { page } = await filledIn(stage);
  const asks = (endpoint) => page.waitForRequest((request) => request.url().includes(endpoint));
  const [list] = await Promise.all([
    asks("/preauth?"),
    page.getByRole("button", { name: "Order" }).click(),
  ]);
  await shows(page, "Your form was not sent");
  const [push, look] = await Promise.all([
    asks("/auth?"),
    asks("/status?"),
    press(page, "Send a push"),
  ]);
  for (const request of [list, push, look]) {
    const { searchParams } = new URL(request.url());
    assert.equal(searchParams.get("return_to"), "/orders");
    assert.deepEqual(searchParams.getAll("method"), ["POST"]);
  }
});

test("the_way_back_to_a_form_keeps_what_was_typed", { admits: 1 }, async (stage) => {
  const { page, user } = await filledIn(stage);
  await page.getByRole("button", { name: "Order" }).click();
  await shows(page, "Your form was not sent");
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await press(page, "Back to the form");
  await page.getByRole("button", { name: "Order" }).waitFor();
  assert.equal(await page.locator("input").inputValue(), "12");
  await page.getByRole("button", { name: "Order" }).click();
  await isIn(page);
  const { method, target } = await stage.admitted();
  assert.deepEqual([method, target], ["POST", "/orders"]);
});

test("a_form_that_was_not_sent_can_be_confirmed_by_passcode", {}, async (stage) => {
  const { page } = await filledIn(stage);
  await page.getByRole("button", { name: "Order" }).click();
  await shows(page, "Your form was not sent");
  await page.getByLabel("Passcode").fill("123456");
  await press(page, "Verify code");
  await button(page, "Back to the form").waitFor();
});
