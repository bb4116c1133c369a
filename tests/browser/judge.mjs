// What holds of every page: the judgement that a case ends with, or passes on its way.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PACKAGES, "package.json"));
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// Nothing that axe-core finds or doubts.
export async function assertAccessible(page) {
  // Evaluated by the debugger: a page's own policy lets no such script in.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const found = await page.evaluate(async (values) => {
    const { violations, incomplete } = await window.axe.run(document, { runOnly: { type: "tag", values } });
    return [...violations, ...incomplete].map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`,
    );
  }, RULES);
  assert.deepEqual(found, [], page.url());
}

// No sideways scrolling on the narrowest screen (WCAG 2.2, 1.4.10), and nothing to press that is
// smaller than a finger.
export async function assertNarrow(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const { width, small } = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    small: [...document.querySelectorAll("button, .btn, input, summary")]
      .filter((it) => it.getClientRects().length && it.getBoundingClientRect().height < 44)
      .map((it) => it.outerHTML),
  }));
  assert.ok(width <= 320, `${page.url()} is ${width} px wide`);
  assert.deepEqual(small, []);
  await page.setViewportSize(before);
}
