// What holds in every state and every language: axe-core finds nothing, in light and dark; nothing
// is wider than 320 px or smaller than a finger.

import assert from "node:assert/strict";

import { test } from "../case.mjs";
import { assertAccessible, assertNarrow } from "../judge.mjs";
import * as picture from "../picture.mjs";
import { STATES } from "../states.mjs";
import { UNIVERSAL_STATES } from "../universal_states.mjs";

const ALL = { en: "en-US", de: "de-DE", fr: "fr-FR", es: "es-ES", ja: "ja-JP" };
const LANGUAGES = picture.areWanted ? { en: ALL.en } : ALL;

for (const [name, { heading, wants = {}, reach }] of Object.entries({ ...STATES, ...UNIVERSAL_STATES })) {
  const look = picture.areWanted ? { plugin: { ...wants.plugin, ...picture.BRANDING.plugin } } : {};
  test(name, { ...wants, ...look }, async (stage) => {
    const headings = new Set();
    let reuse;
    for (const [language, locale] of Object.entries(LANGUAGES)) {
      const page = await reach(stage, { language: locale, reuse });
      assert.equal(await page.evaluate(() => document.documentElement.lang), language);
      const said = await page.locator("h1").innerText();
      assert.ok((await page.title()).startsWith(said), "the title says the state first");
      if (language === "en") {
        assert.equal(said, heading);
        await picture.take(page, name);
        await page.emulateMedia({ colorScheme: "dark" });
        await assertAccessible(page);
        await page.emulateMedia({ colorScheme: "light" });
      }
      headings.add(said);
      // Without a script the page is the same with JavaScript off.
      if (wants.is_universal) assert.equal(await page.locator("script").count(), 0);
      await assertAccessible(page);
      await assertNarrow(page);
      reuse = page.context();
    }
    assert.equal(headings.size, Object.keys(LANGUAGES).length, "each language has its own heading");
  });
}
