// A sign-in at Duo's page, as a person's browser does it.

import { button, press, shows } from "./prompt.mjs";
import { eventually } from "./stage.mjs";

export const START = "/reports?year=2026&x=%2F";

// The page that asks somebody to go to Duo's page. `user` is somebody new if not named.
export async function asked(stage, options = {}, path = START) {
  const user = options.user ?? (await stage.guest());
  const page = await stage.open(path, { ...options, user });
  await shows(page, "Confirm it’s you");
  return { page, user };
}

// Presses the button and waits for Duo's page.
export async function leaves(page) {
  await press(page, "Continue");
  await atDuo(page);
}

// Waits for Duo's page.
export async function atDuo(page) {
  await shows(page, "Duo (simulated)");
  await button(page, "Use a passkey").waitFor();
}

// From here on Duo's page rings no phone until a button is pressed. While a phone rings, the page without
// JavaScript reloads every two seconds, which may cancel a press.
export async function quiet(stage) {
  await stage.sim.universal({ start: "press" });
}

// Duo's page, on which nobody has answered yet.
export async function asking(stage, options, path) {
  const { page, user } = await asked(stage, options, path);
  await leaves(page);
  return { page, user };
}

// Confirms by a passkey at Duo's page, and gives the address to which Duo sends the browser. The
// browser stays at Duo's page.
export async function caught(page) {
  const browser = page.context();
  let address;
  await browser.route("**/frame/prompt", async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    address = response.headers().location;
    await route.fulfill({ status: 204 });
  });
  await press(page, "Use a passkey");
  await eventually("the way back", () => address);
  await browser.unroute("**/frame/prompt");
  return address;
}

// How often Duo was asked, without the filter's own checks.
export async function calls(stage) {
  const [authorize, token] = await Promise.all(["authorize", "token"].map((it) => stage.sim.calls(it)));
  return { authorize: authorize.length, token: token.length };
}
