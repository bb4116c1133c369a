// A page of the application whose requests in the background are refused: examples/spa.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { test } from "../case.mjs";
import { assertAccessible } from "../judge.mjs";
import { press, shows } from "../prompt.mjs";

const FILES = new URL("../../../examples/spa/", import.meta.url);
const KINDS = { html: "text/html", js: "text/javascript" };

// The page, open in a browser without an approval.
async function stays(stage) {
  const user = await stage.guest();
  const context = await stage.browser({ user });
  await context.route("**/spa/**", async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1) || "index.html";
    const body = await readFile(new URL(name, FILES), "utf8");
    await route.fulfill({ contentType: KINDS[name.split(".").at(-1)], body });
  });
  const page = await context.newPage();
  await page.goto(`${stage.site}/spa/`);
  return { page, user };
}

// Presses the button of the dialog, and gives the window that it opens.
async function opened(page) {
  const window = page.waitForEvent("popup");
  await press(page, "Open the window");
  await shows(await window, "Confirm it’s you");
  return window;
}

async function approves(stage, window, user) {
  await press(window, "Send a push");
  await stage.sim.answer(user, "approve");
}

test("a_refused_fetch_is_confirmed_in_a_window_and_sent_again", { admits: 1 }, async (stage) => {
  const { page, user } = await stays(stage);
  await press(page, "Load the reports");
  await page.getByRole("dialog", { name: "Confirm it’s you" }).waitFor();
  await assertAccessible(page);
  assert.deepEqual(await stage.sim.calls("preauth"), []);

  const window = await opened(page);
  const closed = window.waitForEvent("close");
  await approves(stage, window, user);
  await closed;
  await page.getByText("200: ").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(page.url(), `${stage.site}/spa/`);
  const admitted = await stage.admitted();
  assert.deepEqual([admitted.method, admitted.target, admitted.user], ["GET", "/api/reports", user]);
  await stage.sim.assertPushes(1);
});

test("fetches_that_are_refused_at_once_share_one_dialog", { admits: 3 }, async (stage) => {
  const { page, user } = await stays(stage);
  const statuses = page.evaluate(async () => {
    const { withMfa } = await import("/spa/duo-mfa-fetch.js");
    const mfaFetch = withMfa({ returnTo: "signed-in.html" });
    const order = (amount) => mfaFetch("/api/orders", { method: "POST", body: `amount=${amount}` });
    return (await Promise.all([order(1), order(2), order(3)])).map((it) => it.status);
  });
  const window = await opened(page);
  assert.equal(await page.getByRole("dialog").count(), 1);
  assert.equal((await stage.admitted()).count, 0, "nothing is sent before the approval");
  await approves(stage, window, user);
  assert.deepEqual(await statuses, [200, 200, 200]);
  assert.equal((await stage.admitted()).method, "POST");
});

test("who_cancels_gets_the_refusal", {}, async (stage) => {
  const { page } = await stays(stage);
  for (const cancel of [() => press(page, "Cancel"), () => page.keyboard.press("Escape")]) {
    await press(page, "Load the reports");
    await page.getByRole("dialog").waitFor();
    await cancel();
    await page.getByText(/^403: .*"mfa_required"/).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
    const focused = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(focused, "Load the reports", "the focus is back where it was");
    await press(page, "End the approval");
  }
  assert.deepEqual(await stage.sim.calls("auth"), []);
});

test("a_denied_push_sends_nothing_again", {}, async (stage) => {
  const { page, user } = await stays(stage);
  await press(page, "Load the reports");
  const window = await opened(page);
  await press(window, "Send a push");
  await stage.sim.answer(user, "deny");
  await shows(window, "Request denied");
  await page.getByText("Waiting for you to confirm").waitFor();
  await press(page, "Cancel");
  await page.getByText(/^403: /).waitFor();
  assert.equal((await stage.admitted()).count, 0);
});
