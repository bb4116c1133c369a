// Plays the cases of `cases/` in one Chromium. `runner.rs` starts this program and names the cases to
// play. Both sides send lines of JSON.

import { mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { cases, topic } from "./case.mjs";
import { Stage } from "./stage.mjs";

const LIMIT_MS = 90_000;

const { chromium } = createRequire(join(process.env.PACKAGES, "package.json"))("playwright-core");
const here = new URL("cases/", import.meta.url);
for (const file of readdirSync(here).sort()) {
  topic(file.replace(".mjs", ""));
  await import(new URL(file, here));
}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say([...cases.values()].map(({ play, ...wants }) => wants));

let browser;
function launched() {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM,
    // The sandbox does not start for root; a GPU in software takes longer than none.
    args: ["--disable-gpu", "--in-process-gpu", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
  });
  return browser;
}

const answers = new Map();

async function play({ run, case: name, addresses }) {
  const ask = (word) => {
    say({ run, word });
    return new Promise((answered) => answers.set(run, answered));
  };
  let failure = null;
  let stage;
  let timer;
  try {
    stage = new Stage(await launched(), addresses, ask);
    const limit = new Promise((_, late) => {
      timer = setTimeout(() => late(new Error(`not done in ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
    await Promise.race([cases.get(name).play(stage), limit]);
    stage.assertNoFaults();
  } catch (error) {
    failure = [error.stack ?? error, ...(stage?.faults ?? [])].join("\n");
    failure += await pictured(stage, name);
  }
  clearTimeout(timer);
  await stage?.close();
  say({ run, word: "done", failure, guests: stage?.guests ?? addresses.guests });
}

// What the pages showed when the case failed.
async function pictured(stage, name) {
  const directory = join(process.env.REPORTS, "browser");
  mkdirSync(directory, { recursive: true });
  let text = "";
  for (const [index, page] of (stage?.pages() ?? []).entries()) {
    const path = join(directory, `${name.replace("::", "-")}-${index}.png`);
    try {
      await page.screenshot({ path, timeout: 3000 });
      text += `\n${page.url()} looked like ${path}`;
    } catch {
      // The page is gone or does not respond. The failure is reported anyway.
    }
  }
  return text;
}

// A wait may fail before its case looks at it. Then that case fails, and no other.
process.on("unhandledRejection", () => {});

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if (line.case) play(line);
  else answers.get(line.run)(line.answer);
}
await (await browser?.catch(() => null))?.close();
