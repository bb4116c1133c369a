// Forms that a page of another site sends to the application.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { button, isIn, isOut, press, pushed, shows } from "../prompt.mjs";
import { eventually } from "../stage.mjs";

const NAMED = {
  plugin: { request_bodies: true, cross_site_forms: ["/saml/acs"] },
  stops_at_headers: true,
};

// A page of another site that sends a form here, as a person's identity provider does.
async function sends(stage, page, path, more = "") {
  const fields = `<input name=submit value="a &quot;<b>">${more}`;
  await page.setContent(`<form method=post action="${stage.site}${path}">${fields}<button>Go</button></form>`);
  if (more) await page.evaluate(() => HTMLFormElement.prototype.submit.call(document.forms[0]));
  else await page.getByRole("button", { name: "Go" }).click();
}

// A page of another site, in the browser of an approved person.
async function approved(stage) {
  const { page, user } = await pushed(stage, {}, "/reports");
  await stage.sim.answer(user, "approve");
  await isIn(page);
  return page.context().newPage();
}

test("a_form_that_is_not_taken_says_so_to_an_approved_person", { admits: 1 }, async (stage) => {
  const page = await approved(stage);
  await sends(stage, page, "/orders");
  await shows(page, "Your form was not sent", "this address takes no forms from other sites");
  assert.equal(await button(page, "Send a push").count(), 0);
  await stage.sim.assertPushes(1);
});

test("a_form_of_an_approved_person_arrives", { ...NAMED, admits: 2 }, async (stage) => {
  const page = await approved(stage);
  // To a script each of these is the form's member of that name.
  const members = ["hidden", "dataset", "parentElement", "method", "action"];
  const fields = members.map((name) => `<input name=${name}>`).join("");
  await sends(stage, page, "/saml/acs?tenant=1", fields);
  await isIn(page);
  const { method, target } = await stage.admitted();
  assert.deepEqual([method, target], ["POST", "/saml/acs?tenant=1"]);
  await stage.sim.assertPushes(1);
});

test("a_form_waits_for_the_approval_and_then_arrives", { ...NAMED, admits: 1 }, async (stage) => {
  const user = await stage.guest();
  const page = await (await stage.browser({ user })).newPage();
  await sends(stage, page, "/saml/acs");
  await shows(page, "Confirm it’s you");
  await press(page, "Send a push");
  await shows(page, "Check your phone");
  await isOut(page);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal((await stage.admitted()).method, "POST");
  await stage.sim.assertPushes(1);
});

test("a_form_is_sent_by_its_button_without_a_script", { ...NAMED, admits: 1 }, async (stage) => {
  const user = await stage.guest();
  const page = await (await stage.browser({ user, script: false })).newPage();
  await sends(stage, page, "/saml/acs");
  await press(page, "Continue");
  await shows(page, "Your form was not sent", "Confirm it’s you, then send it again");
  await press(page, "Continue");
  await press(page, "Send a push");
  await stage.sim.answer(user, "approve");
  await page.getByRole("link", { name: "Continue" }).or(page.getByText("application", { exact: true })).first().waitFor();
});

// Somebody who takes the cookies out of requests must not make the page send its form again and again.
test("a_form_that_stays_foreign_is_sent_once_by_the_script", { ...NAMED, admits: 1 }, async (stage) => {
  const page = await approved(stage);
  let sent = 0;
  let first;
  await page.context().route("**/saml/acs", async (route) => {
    sent += 1;
    first ??= await route.fetch();
    await route.fulfill({ response: first });
  });
  await sends(stage, page, "/saml/acs");
  await eventually("the form sent again", () => sent === 2);
  await button(page, "Continue").waitFor();
  assert.equal(sent, 2);
});
