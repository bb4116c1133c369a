// Takes pictures for the documentation if `SCREENSHOTS` names a directory.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY = process.env.SCREENSHOTS;

export const areWanted = Boolean(DIRECTORY);

// What a picture shows that a test's stack has no such thing for.
export const BRANDING = { plugin: { branding: { name: "Example Corp" } } };

// The states that are shown in dark colours too, at the width of a phone.
const DARK = new Set([
  ...["choose", "wait_for_push", "wait_for_verified_push", "wait_for_call", "codes_sent"],
  ...["wrong_passcode", "denied", "activation_code", "pending_elsewhere", "form_not_sent"],
]);

// Takes a picture of the card, and perhaps one of the page on a phone.
export async function take(page, name) {
  if (!DIRECTORY) return;
  mkdirSync(DIRECTORY, { recursive: true });
  await page.evaluate(fix);
  await page.locator(".card").screenshot({ path: join(DIRECTORY, `${name}.png`) });
  if (!DARK.has(name)) return;
  const before = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 640 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(DIRECTORY, `${name}_dark.png`), fullPage: true });
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}

// Puts something fixed in the place of what differs from run to run.
function fix() {
  // Stops the countdown.
  for (let timer = setTimeout(() => {}); timer > 0; timer -= 1) clearTimeout(timer);
  const fixed = [
    [/^guest\d+$/, "alice@example.com"],
    [/^127\.0\.0\.1:\d+$/, "grafana.example.com"],
    [/^127\.0\.0\.1$/, "203.0.113.7"],
    [/^[0-9A-HJKMNP-TV-Z]{8}$/, "K7M2Q4XP"],
    [/^\d+ seconds left$/, "54 seconds left"],
    [/^You can try again in \d+ seconds\.$/, "You can try again in 54 seconds."],
    [/^You can try again in \d+ minutes\.$/, "You can try again in 10 minutes."],
    [/or try again in \d+ seconds\.$/, "or try again in 54 seconds."],
    [/^\d\d:\d\d.*$/, "14:32 UTC"],
    [/^Valid until .*$/, "Valid until 14:32 UTC."],
  ];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    for (const [pattern, value] of fixed) {
      if (pattern.test(text.data)) text.data = text.data.replace(pattern, value);
    }
  }
  const bar = document.getElementById("bar");
  if (bar) Object.assign(bar, { max: 60, value: 54 });
  document.activeElement.blur();
  scrollTo(0, 0);
}
