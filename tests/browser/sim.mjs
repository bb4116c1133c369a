// The simulator: its control interface, and calls of its Auth API, signed as an application signs them.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

import { eventually } from "./stage.mjs";

export class Sim {
  #control;
  #api;

  constructor({ control, api }) {
    this.#control = control;
    this.#api = api;
  }

  // Adds a user, or replaces the one of that name.
  async putUser(user) {
    await this.#tell("PUT", "/sim/users", user);
  }

  async user(name) {
    return (await this.#get("/sim/users")).find((user) => user.username === name);
  }

  // Takes Duo Mobile off the user's first device.
  async deactivate(username) {
    const [device] = (await this.user(username)).devices;
    await this.#tell("POST", `/sim/users/${username}/devices/${device.id}/deactivate`);
  }

  // Waits for a push or a call and gives its transaction.
  async pending(username) {
    return eventually(`a request to ${username}`, async () => {
      const path = `/sim/transactions?username=${username}&pending=true`;
      return (await this.#get(path)).at(-1);
    });
  }

  // Waits for a push or a call, and does with it what its owner or the network would: `approve`,
  // `deny`, `fraud`, `timeout`, `fail`, `answer`.
  async answer(username, action) {
    const { txid, verification_code: code } = await this.pending(username);
    await this.#tell("POST", `/sim/transactions/${txid}/${action}`, { code });
  }

  // The state of a transaction, in Duo's words.
  async status(txid) {
    const all = await this.#get("/sim/transactions");
    return all.find((known) => known.txid === txid)?.status;
  }

  async fault(fault) {
    await this.#tell("POST", "/sim/faults", fault);
  }

  // Says how Duo's page answers, and whether it rings at once.
  async universal(wish) {
    await this.#tell("POST", "/sim/universal", wish);
  }

  async clearFaults() {
    await this.#tell("DELETE", "/sim/faults");
  }

  async messages() {
    return this.#get("/sim/messages");
  }

  async enrollments() {
    return this.#get("/sim/enrollments");
  }

  // Has all activation codes expire.
  async expireEnrollments() {
    await this.#tell("DELETE", "/sim/enrollments");
  }

  // Has Duo Mobile scan the code that the user was given last.
  async claim(username) {
    await this.#tell("POST", "/sim/enrollments/claim", { username });
  }

  // The calls of an endpoint, oldest first.
  async calls(endpoint) {
    return this.#get(`/sim/requests?endpoint=${endpoint}`);
  }

  // How much was sent to devices: `pushes`, `calls`, `messages`.
  async deliveries() {
    return (await this.#get("/sim/counters")).deliveries;
  }

  // Asserts how many pushes were sent since the start.
  async assertPushes(count) {
    assert.equal((await this.deliveries()).pushes, count, "pushes");
  }

  // Calls the Auth API (Duo's "Generate a signature", version 2 with HMAC-SHA512).
  async duo(method, endpoint, params) {
    const path = `/auth/v2/${endpoint}`;
    const escaped = (text) =>
      encodeURIComponent(text).replace(
        /[!'()*]/g,
        (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    const pairs = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
    const query = pairs.map(([name, value]) => `${name}=${escaped(value)}`).join("&");
    const date = new Date().toUTCString().replace("GMT", "-0000");
    const { address, integration_key: key, secret_key: secret } = this.#api;
    const signature = createHmac("sha512", secret)
      .update([date, method, new URL(address).host, path, query].join("\n"))
      .digest("hex");
    const authorization = `Basic ${Buffer.from(`${key}:${signature}`).toString("base64")}`;
    const headers = { date, authorization, "content-type": "application/x-www-form-urlencoded" };
    const answer =
      method === "GET"
        ? await fetch(`${address}${path}?${query}`, { headers })
        : await fetch(address + path, { method, headers, body: query });
    const envelope = await answer.json();
    assert.equal(envelope.stat, "OK", JSON.stringify(envelope));
    return envelope.response;
  }

  async #get(path) {
    return this.#tell("GET", path);
  }

  async #tell(method, path, value) {
    const answer = await fetch(this.#control + path, {
      method,
      headers: { "content-type": "application/json" },
      body: value === undefined ? undefined : JSON.stringify(value),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}
