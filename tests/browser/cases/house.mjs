// The page's weight, its cookies, and its security headers.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

import { test } from "../case.mjs";
import { chooser, isIn, press, pushed, shows } from "../prompt.mjs";

// Bytes of page, style sheet and script, compressed.
const BUDGET = 10_000;

test("the_page_with_all_that_it_loads_is_light", {}, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  const page = await browser.newPage();
  const loaded = [];
  page.on("response", (response) => loaded.push(response));
  await page.goto(stage.site, { waitUntil: "load" });
  const sizes = {};
  for (const response of loaded) {
    const type = response.headers()["content-type"].split(";")[0];
    if (/html|css|javascript/.test(type)) sizes[type] = gzipSync(await response.body()).length;
  }
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  process.stderr.write(`page weight, gzipped: ${total} bytes ${JSON.stringify(sizes)}\n`);
  assert.equal(Object.keys(sizes).length, 3);
  assert.ok(total <= BUDGET, `${total} bytes`);
});

test("style_sheet_and_script_are_kept_for_good", {}, async (stage) => {
  const { page } = await chooser(stage);
  const names = await page.locator("link[rel=stylesheet], script[src]").evaluateAll((all) =>
    all.map((it) => it.getAttribute("href") ?? it.getAttribute("src")),
  );
  assert.equal(names.length, 2);
  for (const name of names) {
    assert.match(name, /^\/\.duo-mfa\/assets\/[0-9a-f]{16}\.(css|js)$/);
    const kept = await page.evaluate(
      async (it) => (await fetch(it)).headers.get("cache-control"),
      name,
    );
    assert.equal(kept, "public, max-age=31536000, immutable");
  }
});

test("cookies_are_out_of_reach_of_scripts_and_of_other_sites", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  const flags = async () =>
    Object.fromEntries(
      (await page.context().cookies()).map(({ name, httpOnly, secure, sameSite, path, domain }) => [
        name,
        { httpOnly, secure, sameSite, path, domain },
      ]),
    );
  const kept = { httpOnly: true, secure: true, path: "/", domain: "127.0.0.1" };
  const waiting = await flags();
  assert.deepEqual(Object.keys(waiting).includes("__Host-duo_mfa"), false);
  assert.deepEqual(waiting["__Host-duo_txn"], { ...kept, sameSite: "Strict" });
  assert.equal(await page.evaluate(() => document.cookie), "");

  await stage.sim.answer(user, "approve");
  await isIn(page);
  const approved = await flags();
  assert.deepEqual(approved["__Host-duo_mfa"], { ...kept, sameSite: "Lax" });
  assert.equal("__Host-duo_txn" in approved, false);
  assert.equal(await page.evaluate(() => document.cookie), "");
});

test("the_application_does_not_see_the_cookies", { admits: 1 }, async (stage) => {
  const { page, user } = await pushed(stage);
  await page.context().addCookies([{ name: "theme", value: "dark", url: stage.site }]);
  await stage.sim.answer(user, "approve");
  await isIn(page);
  assert.equal((await stage.admitted()).cookie, "theme=dark");
});

test("a_page_on_another_site_can_neither_frame_it_nor_send_a_push", {}, async (stage) => {
  const user = await stage.guest();
  const browser = await stage.browser({ user });
  const page = await browser.newPage();
  // Another origin, and another site: the name differs.
  const evil = stage.site.replace("127.0.0.1", "localhost");
  stage.allow(evil);
  await page.route(`${evil}/**`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<title>Evil</title><iframe src="${stage.site}/"></iframe>
        <form method=post action="${stage.site}/.duo-mfa/auth?factor=push&device=auto"><button>Win</button></form>`,
    }),
  );
  await page.goto(`${evil}/`);
  const framed = await eventuallyFramed(page);
  assert.equal(framed, 0, "buttons in the frame");
  await page.getByRole("button", { name: "Win" }).click();
  await shows(page, "Your form was not sent");
  await stage.sim.assertPushes(0);
  stage.forgive(/frame/i);
});

async function eventuallyFramed(page) {
  await page.waitForTimeout(500);
  let buttons = 0;
  for (const frame of page.frames().slice(1)) buttons += await frame.getByRole("button").count();
  return buttons;
}

test("the_page_holds_the_browser_to_a_policy", {}, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  const page = await browser.newPage();
  const headers = (await page.goto(stage.site)).headers();
  assert.match(headers["content-security-policy"], /^default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(headers["content-security-policy"], /unsafe|\*/);
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-frame-options"], "DENY");
  assert.equal(headers["referrer-policy"], "same-origin");
  assert.equal(headers["content-language"], "en");
  assert.equal("access-control-allow-origin" in headers, false);
});

const BRANDED = {
  plugin: {
    branding: {
      name: "Example Corp",
      accent: "#7a1fa2",
      help_text: "Room 12",
      help_url: "https://help.example.com/",
    },
  },
};
test("the_organisations_name_colour_and_help_are_on_the_page", BRANDED, async (stage) => {
  const { page } = await chooser(stage);
  assert.match(await page.title(), /– Example Corp$/);
  await page.getByText("Room 12").waitFor();
  const help = page.getByRole("link", { name: "Need help?" });
  assert.equal(await help.getAttribute("href"), "https://help.example.com/");
  const colour = await page
    .getByRole("button", { name: /^Send a push/ })
    .evaluate((it) => getComputedStyle(it).backgroundColor);
  assert.equal(colour, "rgb(122, 31, 162)");
});

const PICTURED = { plugin: { branding: { name: "Example Corp", logo: "duo" } } };
test("duos_picture_of_the_account_is_on_the_page", PICTURED, async (stage) => {
  const browser = await stage.browser({ user: await stage.guest() });
  const page = await browser.newPage();
  const asked = () => page.request.get(`${stage.site}/.duo-mfa/logo`).then((it) => it.status());
  // Each worker fetches its picture separately.
  for (let well = 0; well < 10; ) {
    well = (await asked()) === 200 ? well + 1 : 0;
    await page.waitForTimeout(50);
  }
  await page.goto(stage.site);
  const picture = page.getByRole("img", { name: "Example Corp" });
  const [width, shown] = await picture.evaluate((it) => [it.naturalWidth, it.offsetWidth]);
  assert.ok(width > 0 && shown > 0, `${width} ${shown}`);
});
