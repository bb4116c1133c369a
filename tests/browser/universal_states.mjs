// The states of the pages before and after Duo's page, as those in `states.mjs`.

import { eventually } from "./stage.mjs";

const ANSWER = "/.duo-mfa/callback?state=SSSSSSSSSSSSSSSSSSSSSSSS&duo_code=0123456789";
const START = '[formaction*="/start?"]';
const wants = { is_universal: true };

export const UNIVERSAL_STATES = {
  universal_start: {
    heading: "Confirm it’s you",
    wants,
    reach: async (stage, options) => (await asked(stage, options)).page,
  },
  universal_return: {
    heading: "You’re confirmed",
    wants,
    async reach(stage, options) {
      const { page, user } = await asked(stage, options);
      await stage.sim.universal({ user, answer: "approve" });
      // The page continues at once. Without this it would be gone.
      await page.context().route("**/reports", (route) => route.fulfill({ status: 204 }));
      await page.locator(START).click();
      await page.waitForURL("**/callback?*");
      await page.locator('a[href="/reports"]').waitFor();
      await page.context().unroute("**/reports");
      return page;
    },
  },
  universal_sign_in_lost: {
    heading: "Your sign-in was not finished",
    wants,
    reach: async (stage, options) => stage.open(ANSWER, { ...options, user: await stage.guest() }),
  },
  universal_not_enough: {
    heading: "Not enough for this page",
    wants,
    reach: (stage, options) => returned(stage, options, "/vault/keys"),
  },
  universal_other_user: {
    heading: "Another user was confirmed",
    wants,
    async reach(stage, options) {
      await stage.sim.fault({ endpoint: "token", kind: "user", user: "bob", times: 1 });
      return returned(stage, options, "/reports");
    },
  },
  universal_unavailable: {
    heading: "Verification is unavailable",
    wants,
    async reach(stage, options) {
      const { page } = await asked(stage, options);
      await stage.sim.fault({ endpoint: "health_check", kind: "status", status: 503 });
      await page.locator(START).click();
      await page.waitForURL("**/start?*");
      await stage.sim.clearFaults();
      return page;
    },
  },
  universal_too_many_starts: {
    heading: "Slow down",
    wants,
    async reach(stage, options) {
      const { page } = await asked(stage, options);
      const statuses = await page.evaluate(async () => {
        const found = [];
        for (let start = 0; start < 9; start += 1) {
          found.push((await fetch("/.duo-mfa/start", { method: "POST" })).status);
        }
        return found;
      });
      if (statuses.some((status) => status !== 200)) throw new Error(`${statuses}`);
      await page.locator(START).click();
      await page.waitForURL("**/start?*");
      return page;
    },
  },
};

// The page with the button that leads to Duo's page.
async function asked(stage, options, path = "/reports") {
  const user = await stage.guest();
  const page = await stage.open(path, { ...options, user });
  await page.locator(START).waitFor();
  return { page, user };
}

// The page that somebody sees who has approved a push at Duo's page.
async function returned(stage, options, path) {
  const { page, user } = await asked(stage, options, path);
  await stage.sim.universal({ user, answer: "approve" });
  await page.locator(START).click();
  await page.waitForURL("**/callback?*");
  await eventually("the page", () => page.locator("h1").count());
  return page;
}
