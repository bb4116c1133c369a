// Sign-ins at Duo's page. To the browser `127.0.0.1`, the application, and `localhost`, Duo, are two
// sites. The pages around Duo's have no script; each flow with `SCRIPT` is played with JavaScript on and off.

import assert from "node:assert/strict";
import { createServer } from "node:http";

import { asked, asking, atDuo, calls, caught, leaves, quiet, START } from "../at_duo.mjs";
import { test } from "../case.mjs";
import { isIn, isOut, press, shows } from "../prompt.mjs";
import { eventually } from "../stage.mjs";

const SCRIPT = { with_javascript: true, without_javascript: false };
const wants = (admits) => ({ is_universal: true, admits });

// Notes `Sec-Fetch-Site` of the callback.
function sitesOfCallbacks(page) {
  const sites = [];
  page.on("request", async (request) => {
    if (!request.url().includes("/.duo-mfa/callback?")) return;
    sites.push((await request.allHeaders())["sec-fetch-site"]);
  });
  return sites;
}

for (const [how, script] of Object.entries(SCRIPT)) {
  test(`the_button_opens_duos_page_${how}`, wants(0), async (stage) => {
    const { page, user } = await asked(stage, { script });
    assert.deepEqual(await calls(stage), { authorize: 0, token: 0 });
    await stage.sim.assertPushes(0);
    await leaves(page);
    assert.ok(page.url().startsWith(`${stage.duo}/`), page.url());
    // Duo's page rings at once.
    await stage.sim.pending(user);
    await isOut(page);
  });

  test(`an_approved_push_leads_back_${how}`, wants(1), async (stage) => {
    const { page, user } = await asking(stage, { script });
    const sites = sitesOfCallbacks(page);
    await stage.sim.answer(user, "approve");
    await isIn(page);
    assert.equal(page.url(), stage.site + START);
    const { target, factor } = await stage.admitted();
    assert.deepEqual([target, factor], [START, "push"]);
    assert.deepEqual(sites, ["cross-site"]);
    assert.deepEqual(await calls(stage), { authorize: 1, token: 1 });
    await stage.sim.assertPushes(1);
  });

  test(`a_passkey_leads_back_and_brings_the_applications_strict_cookie_${how}`, wants(2), async (stage) => {
    await quiet(stage);
    const { page } = await asking(stage, { script });
    await press(page, "Use a passkey");
    await isIn(page);
    assert.equal((await stage.admitted()).cookie ?? null, null);
    const browser = page.context();
    const kept = (await browser.cookies(stage.site)).find(({ name }) => name === "app_session");
    assert.equal(kept.sameSite, "Strict");
    await browser.clearCookies({ name: "__Host-duo_mfa" });
    await page.goto(`${stage.site}/next?a=b`);
    await leaves(page);
    await press(page, "Use a passkey");
    await isIn(page);
    const { count, target, factor, cookie } = await stage.admitted();
    assert.deepEqual([count, target, factor], [2, "/next?a=b", "webauthn"]);
    assert.equal(cookie, "app_session=strict");
  });

  test(`a_denial_stays_at_duo_${how}`, wants(1), async (stage) => {
    if (!script) await quiet(stage);
    const { page } = await asking(stage, { script });
    await press(page, "Deny");
    await page.getByText("Login request denied.").waitFor();
    await isOut(page);
    assert.deepEqual(await calls(stage), { authorize: 1, token: 0 });
    await press(page, "Use a passkey");
    await isIn(page);
  });

  test(`another_browser_finishes_nothing_and_can_start_${how}`, wants(2), async (stage) => {
    await quiet(stage);
    const { page, user } = await asking(stage, { script });
    const address = await caught(page);
    // A browser without any cookie, and one that has begun another sign-in.
    for (const begins of [false, true]) {
      const { page: other } = begins ? await asking(stage, { script, user }) : await asked(stage, { script, user });
      await other.goto(address);
      await shows(other, "Your sign-in was not finished");
      assert.equal(await other.content().then((text) => text.includes("reports")), false);
      await isOut(other);
      await other.getByRole("link", { name: "Start again" }).click();
      await shows(other, "Confirm it’s you");
      await leaves(other);
      if (!begins) continue;
      await press(other, "Use a passkey");
      await isIn(other);
    }
    assert.equal((await calls(stage)).token, 1);
    // It was not lost for the browser that it belongs to.
    await page.goto(address);
    await isIn(page);
    assert.equal(page.url(), stage.site + START);
  });

  test(`a_form_of_another_site_arrives_${how}`, wants(2), async (stage) => {
    await quiet(stage);
    const { page } = await asking(stage, { script });
    await press(page, "Use a passkey");
    await isIn(page);
    const other = await page.context().newPage();
    await sends(stage, other);
    if (!script) await press(other, "Continue");
    await isIn(other);
    const { method, target } = await stage.admitted();
    assert.deepEqual([method, target], ["POST", "/saml/acs"]);
  });

  test(`a_form_of_another_site_without_an_approval_leads_to_duo_${how}`, wants(1), async (stage) => {
    await quiet(stage);
    const page = await (await stage.browser({ user: await stage.guest(), script })).newPage();
    await sends(stage, page);
    if (!script) await press(page, "Continue");
    await shows(page, "Your form was not sent", "Confirm it’s you, then send it again");
    await leaves(page);
    await press(page, "Use a passkey");
    await isIn(page);
    // The form is gone: only its page knows it.
    const { method, target } = await stage.admitted();
    assert.deepEqual([method, target], ["GET", "/saml/acs"]);
  });
}

// A page of another site sends a form here.
async function sends(stage, page) {
  await page.setContent(
    `<form method=post action="${stage.site}/saml/acs"><input name=a value=b><button>Go</button></form>`,
  );
  await page.getByRole("button", { name: "Go" }).click();
}

// Chromium applies `form-action` to the redirect after the form.
test("under_a_policy_without_duos_origin_the_button_would_do_nothing", wants(0), async (stage) => {
  const user = await stage.guest();
  const page = await (await stage.browser({ user })).newPage();
  await page.route("**/reports*", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    const policy = headers["content-security-policy"];
    assert.ok(policy.includes(`form-action 'self' ${stage.duo};`), policy);
    headers["content-security-policy"] = policy.replace(` ${stage.duo};`, ";");
    await route.fulfill({ response, headers });
  });
  await page.goto(stage.site + START);
  await press(page, "Continue");
  await eventually("a report", () => stage.faults.some((fault) => fault.includes("form-action")));
  stage.forgive(/content security policy/i);
  assert.equal(page.url(), stage.site + START);
  assert.deepEqual(await calls(stage), { authorize: 0, token: 0 });
});

// What Chromium does with a `Strict` cookie, without the filter. The callback answers with a page that
// goes on, and not with a redirect, because of this: after a press at another site a chain of redirects
// brings none. If Duo's page sends the browser straight back, a redirect would do in Chromium; other
// browsers were not measured.
test("after_a_press_at_another_site_a_redirect_brings_no_strict_cookie_and_a_page_does", wants(0), async (stage) => {
  const seen = {};
  const head = '<!doctype html><link rel=icon href="data:,">';
  const server = createServer((request, response) => {
    const [, step, way] = request.url.split("/");
    const redirect = (to) => response.writeHead(303, { location: to }).end();
    const page = (body, more) => response.writeHead(200, { "content-type": "text/html", ...more }).end(head + body);
    if (step === "set") page("set", { "set-cookie": "kept=1; SameSite=Strict; Path=/" });
    else if (step === "form") page(`<form method=post action=/leave/${way}><button>Go`);
    else if (step === "leave") redirect(`${there}/return/${way}`);
    else if (step === "return") redirect(`${here}/back/${way}`);
    else if (step === "back" && way === "refresh") page("<meta http-equiv=refresh content='0;url=/end/refresh'>");
    else if (step === "back") redirect(`/end/${way}`);
    else {
      seen[way] = request.headers.cookie ?? "none";
      page("end");
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  const here = `http://127.0.0.1:${port}`;
  const there = `http://localhost:${port}`;
  for (const origin of [here, there]) stage.allow(origin);
  try {
    const page = await (await stage.browser()).newPage();
    await page.goto(`${here}/set/cookie`);
    for (const [origin, way] of [[there, "redirect"], [there, "refresh"], [here, "straight"]]) {
      await page.goto(`${origin}/form/${way}`);
      await page.getByRole("button", { name: "Go" }).click();
      await page.getByText("end", { exact: true }).waitFor();
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
  assert.deepEqual(seen, { redirect: "none", refresh: "kept=1", straight: "kept=1" });
});

for (const order of ["first", "last"]) {
  test(`two_tabs_both_return_the_one_that_began_${order}_before_the_other`, wants(2), async (stage) => {
    const { page, user } = await asked(stage, {}, "/one?x=1");
    const other = await page.context().newPage();
    await other.goto(`${stage.site}/two?y=2`);
    await leaves(page);
    await leaves(other);
    const tabs = order === "first" ? [page, other] : [other, page];
    for (const tab of tabs) {
      await press(tab, "Use a passkey");
      await isIn(tab);
    }
    assert.equal(page.url(), `${stage.site}/one?x=1`);
    assert.equal(other.url(), `${stage.site}/two?y=2`);
    // The second one had an approval already.
    assert.equal((await calls(stage)).token, 1);
    assert.equal((await stage.admitted()).user, user);
  });
}

test("the_callback_loaded_again_shows_the_page_and_asks_duo_nothing", wants(2), async (stage) => {
  const { page } = await asking(stage);
  const address = await caught(page);
  await page.goto(address);
  await isIn(page);
  await page.goto(address);
  await isIn(page);
  assert.equal(page.url(), stage.site + START);
  assert.equal((await calls(stage)).token, 1);
});

test("going_back_and_forth_after_success_starts_nothing", wants(3), async (stage) => {
  const { page } = await asking(stage);
  await press(page, "Use a passkey");
  await isIn(page);
  // The callback is not in the history: the page that goes on takes its place.
  await page.goBack();
  await shows(page, "Duo (simulated)");
  await page.goBack();
  await isIn(page);
  assert.equal(page.url(), stage.site + START);
  await page.goForward();
  await shows(page, "Duo (simulated)");
  await page.goForward();
  await isIn(page);
  assert.deepEqual(await calls(stage), { authorize: 1, token: 1 });
  await stage.sim.assertPushes(1);
});

test("duo_that_fails_while_somebody_is_at_its_page_is_asked_again_by_a_press", wants(1), async (stage) => {
  const { page } = await asking(stage);
  await stage.sim.fault({ endpoint: "health_check", kind: "status", status: 503 });
  await page.goBack();
  await shows(page, "Confirm it’s you");
  await press(page, "Continue");
  await shows(page, "Verification is unavailable", "Try again in a moment");
  // Going back from there shows the button too.
  await page.goBack();
  await shows(page, "Confirm it’s you");
  await press(page, "Continue");
  await shows(page, "Verification is unavailable");
  await stage.sim.clearFaults();
  await press(page, "Try again");
  await atDuo(page);
  await press(page, "Use a passkey");
  await isIn(page);
  assert.equal(page.url(), stage.site + START);
});

// The page at the callback has a link in place of a form. A browser without `Sec-Fetch-Site` would send
// the form as `Origin: null`.
test("duo_that_fails_at_the_callback_is_tried_again_by_a_link", wants(1), async (stage) => {
  const { page } = await asking(stage);
  await stage.sim.fault({ endpoint: "token", kind: "status", status: 502, times: 1 });
  await press(page, "Use a passkey");
  await shows(page, "Verification is unavailable");
  assert.equal(await page.locator("form").count(), 0);
  await page.getByRole("link", { name: "Try again" }).click();
  await shows(page, "Confirm it’s you");
  assert.equal(page.url(), stage.site + START);
  await leaves(page);
  await press(page, "Use a passkey");
  await isIn(page);
});

test("a_page_that_needs_a_security_key_asks_again_and_keeps_the_push_for_others", wants(2), async (stage) => {
  const { page, user } = await asking(stage, {}, "/vault/keys");
  await stage.sim.answer(user, "approve");
  await shows(page, "Not enough for this page");
  const other = await page.context().newPage();
  await other.goto(`${stage.site}/reports`);
  await isIn(other);
  await page.getByRole("link", { name: "Try again" }).click();
  await shows(page, "Confirm it’s you");
  await leaves(page);
  await press(page, "Use a passkey");
  await isIn(page);
  const { target, factor } = await stage.admitted();
  assert.deepEqual([target, factor], ["/vault/keys", "webauthn"]);
});

test("signing_out_in_one_tab_ends_the_sign_in_of_another", wants(1), async (stage) => {
  const { page, user } = await asking(stage);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  // A page that the push is not enough for.
  const other = await page.context().newPage();
  await other.goto(`${stage.site}/vault/keys`);
  await leaves(other);
  await page.goto(`${stage.site}/.duo-mfa/logout`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await shows(page, "You’re signed out");
  await press(other, "Use a passkey");
  await shows(other, "Your sign-in was not finished");
  await isOut(other);
  assert.equal((await calls(stage)).token, 1);
});
