// Texts that a user or Duo chose are only ever text.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { assertNarrow } from "../judge.mjs";
import { chooser, enter, press, shows } from "../prompt.mjs";

const CAPABILITIES = ["auto", "push", "sms", "phone", "mobile_otp"];
const MARKUP = `<img src=x onerror=alert(1)><script>alert(2)</script>"'><b>bold</b>`;
const NAMES = {
  markup: { name: MARKUP, shown: MARKUP },
  turned_around: { name: "phone\u202E\u2067gnp.exe\u2069", shown: "phonegnp.exe" },
  controls: { name: "a\u0000b\u001Bc", shown: "abc" },
  four_kilobytes: { name: "x".repeat(4096), shown: "x".repeat(40) },
  another_script: { name: "هاتف 電話 📱", shown: "هاتف 電話 📱" },
};

for (const script of [true, false]) {
  for (const [kind, { name, shown }] of Object.entries(NAMES)) {
    const without = script ? "" : "_without_script";
    test(`a_device_name_with_${kind}_is_text${without}`, {}, async (stage) => {
      const devices = [{ name, capabilities: CAPABILITIES }, { name, capabilities: CAPABILITIES }];
      const { page } = await chooser(stage, { script, user: await stage.guest({ devices }) });
      const legend = page.locator("legend").filter({ visible: true }).first();
      await legend.waitFor();
      const text = await legend.textContent();
      assert.ok(text.includes(shown), text);
      assert.doesNotMatch(text, /[\u0000-\u001f\u2028\u202a-\u202e\u2066-\u2069]/);
      await assertNarrow(page);
      await press(page, "Send a push");
      await shows(page, "Check your phone");
      assert.ok((await page.locator("main").textContent()).includes(shown));
      assert.equal(await page.locator("main :is(img, script, b)").count(), 0);
      await assertNarrow(page);
    });
  }
}

test("duos_own_words_are_text", {}, async (stage) => {
  const reply = { stat: "OK", response: { result: "deny", status_msg: MARKUP } };
  const raw = { kind: "raw", status: 200, body: JSON.stringify(reply) };
  await stage.sim.fault({ endpoint: "preauth", ...raw });
  for (const script of [true, false]) {
    const page = await stage.open("/", { script, user: await stage.guest() });
    if (!script) await press(page, "Continue");
    await shows(page, "Access not allowed", MARKUP);
    assert.equal(await page.locator("main :is(img, script, b)").count(), 0);
  }
});

test("an_address_with_markup_is_text", {}, async (stage) => {
  const path = `/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E?q='"><script>alert(2)</script>`;
  const { page } = await chooser(stage, {}, path);
  assert.equal(await page.locator("main :is(img, script)").count(), 0);
  await enter(page, "000000");
  await page.getByText("That code was not right.").waitFor();
  await page.goto(`${stage.site}/.duo-mfa/?return_to=javascript:alert(1)`);
  await shows(page, "Confirm it’s you");
  assert.equal(await page.locator('[href^="javascript"]').count(), 0);
});
