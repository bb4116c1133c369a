// What holds in every state and every language: axe-core finds nothing, in light and dark; nothing
// is wider than 320 px or smaller than a finger. `make screenshots` has pictures taken on the way.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { test } from "../case.mjs";
import { assertAccessible, assertNarrow } from "../judge.mjs";
import { STATES } from "../states.mjs";

const LANGUAGES = { en: "en-US", de: "de-DE", fr: "fr-FR", es: "es-ES", ja: "ja-JP" };
const PICTURES = process.env.SCREENSHOTS;

for (const [name, { heading, wants = {}, reach }] of Object.entries(STATES)) {
  test(name, wants, async (stage) => {
    const headings = new Set();
    for (const [language, locale] of Object.entries(LANGUAGES)) {
      const page = await reach(stage, { language: locale });
      assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      const said = await page.locator("h1").innerText();
      assert.ok((await page.title()).startsWith(said), "the title says the state first");
      if (language === "en") {
        assert.equal(said, heading);
        await pictured(page, name);
        await page.emulateMedia({ colorScheme: "dark" });
        await assertAccessible(page);
        await page.emulateMedia({ colorScheme: "light" });
      }
      headings.add(said);
      await assertAccessible(page);
      await assertNarrow(page);
      await page.context().close();
    }
    assert.equal(headings.size, Object.keys(LANGUAGES).length, "each language has its own heading");
  });
}

async function pictured(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  const card = page.locator(".card");
  await page.evaluate(() => document.activeElement.blur());
  await card.screenshot({ path: join(PICTURES, `${name}.png`) });
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 640 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(PICTURES, `${name}_dark.png`) });
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}
