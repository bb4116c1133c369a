"use strict";
// The script of the prompt page. It asks for the user's devices, sends their choice without leaving
// the page, and follows the sign-in until it ends. The markup works without it. Text from the
// server is only ever set as text.
(() => {
  const $ = (id) => document.getElementById(id);
  const page = $("mfa");
  const texts = page.dataset;
  const back = new URLSearchParams({ return_to: texts.return, reference: texts.ticket });
  if (texts.method) back.set("method", texts.method);
  const base = texts.base;
  const held = $("held");
  const isAtOnce = texts.pane === "resend-at-once";
  const first = { heading: $("heading").textContent, message: $("status")?.textContent };
  // Final states after which another try cannot succeed.
  const FINAL = new Set([
    "deny", "enroll", "fraud", "locked_out",
    "access_denied", "duo_denied", "duo_misconfigured", "enrollment_required",
    "identity_invalid", "identity_missing", "mfa_fraud", "mfa_locked_out", "no_device",
  ]);
  // Ends that are nobody's mistake.
  const TO_SET_UP = new Set(["enroll", "enrollment_required"]);
  // How many responses in a row may get lost: about two minutes of tries.
  const MOST_LOST = 15;
  // The longest wait for a poll. An ended worker never answers it.
  const PATIENCE = 13000;
  let isFilled = false;
  let loop = new AbortController();
  let clock = 0;
  // No prompt is sent before this time: the time, and whether a passcode may be sent.
  let pause = { end: 0, passcode: false };
  let pauseClock = 0;

  // Sends a request to one of the filter's addresses. If the response is not the filter's, the
  // first factor has ended its session or asks again. The page is then reloaded, and the response
  // is ignored.
  async function call(method, url, headers, signal) {
    const response = await fetch(url, {
      method, signal, cache: "no-store", redirect: "manual",
      headers: { accept: "application/json", ...headers },
    });
    const { ok, status } = response;
    const wait = Number(response.headers.get("retry-after"));
    const isJson = /^application\/(problem\+)?json\b/.test(response.headers.get("content-type"));
    const body = isJson ? await response.json() : undefined;
    const isOurs = isJson && (ok || `${body.type}`.startsWith("urn:duo-mfa:"));
    if (isOurs) {
      if (body.reference) say("reference", body.reference);
      return { ok, status, body, wait };
    }
    // A 429 or a 5xx from a proxy says nothing about the first factor.
    if (status !== 429 && status < 500 && renew()) await new Promise(() => {});
    throw response;
  }

  // Whether the page may be left: only if it was not left within the last minute. A proxy that
  // rewrites requests or responses must not cause a loop.
  function isFirst(name) {
    try {
      if (Date.now() - sessionStorage.getItem(name) < 60000) return false;
      sessionStorage.setItem(name, Date.now());
      return true;
    } catch {
      return false;
    }
  }

  // Reloads the page. A form is not sent again.
  function renew() {
    if (!isFirst("duo_mfa_renewed")) return false;
    if (texts.arrival === "form") location.replace(location.pathname + location.search);
    else location.reload();
    return true;
  }

  function say(id, text = "") {
    if ($(id).textContent !== text) $(id).textContent = text;
  }

  // Shows one pane. The focus moves only if the focused element disappears.
  function show(pane, heading, message, error) {
    const focused = document.activeElement;
    document.title = texts.brand ? `${heading} – ${texts.brand}` : heading;
    say("heading", heading);
    say("status", message);
    say("alert", error);
    for (const name of ["start", "choose", "wait", "end"]) $(name).hidden = name !== pane;
    if (pause.end > Date.now()) rest();
    if (focused !== document.body && !focused.getClientRects().length) $("heading").focus();
  }

  // Continues at the path that the user requested, which is never this page sent again.
  function go(to) {
    if (held) return sendHeld();
    if (texts.arrival === "here") return location.reload();
    if (texts.arrival === "own") {
      const target = new URL(to || texts.return, location.href);
      return location.replace(target.origin === location.origin ? target : "/");
    }
    show("end", texts.approved, texts.resend);
    $("back").hidden = false;
    $("back").onclick = () => history.back();
  }

  // Sends the form of another site again. A field may have the name "submit", or of any other
  // member of a form, so no other member of the form is used.
  function sendHeld() {
    if (isFirst("duo_mfa_resent")) return HTMLFormElement.prototype.submit.call(held);
    $("start").firstElementChild.hidden = false;
    show("start", isAtOnce ? first.heading : texts.approved);
  }

  // Browsers leave cookies out of a form from another site. So only this request shows whether
  // there is an approval, or a pending sign-in.
  async function resume() {
    try {
      const { ok, body } = await call("GET", `${base}status?${back}`);
      if (ok) return take(body) ? follow() : undefined;
    } catch {
      // Preauth reports the problem.
    }
    preauth();
  }

  function finish(kind, heading, message, canRetry) {
    const said = heading || texts.failed;
    if (TO_SET_UP.has(kind)) show("end", said, message);
    else show("end", said, "", message);
    $("again").hidden = !canRetry;
  }

  // A sign-in or a call that failed. If another factor may succeed, the factors stay visible.
  function fail(kind, heading, message) {
    stop();
    if (texts.pane === "enroll") return;
    if (FINAL.has(kind)) finish(kind, heading, message);
    else if (isFilled) show("choose", heading || texts.failed, "", message);
    else preauth({ heading, error: message });
  }

  function fill(answer) {
    $("devices").replaceChildren();
    $("others").replaceChildren();
    const preferred = Math.max(answer.devices.findIndex((device) => device.preferred), 0);
    answer.devices.forEach((device, index) => {
      const item = $("device").content.cloneNode(true);
      const isPerson = device.type === "approver";
      item.querySelector("legend").textContent = device.name;
      const offered = device.factors.map((factor) => {
        const button = item.querySelector(`[data-factor="${CSS.escape(factor)}"]`);
        if (!button) return "";
        const query = new URLSearchParams({ factor, [isPerson ? "approver" : "device"]: device.device });
        button.formAction = `${base}auth?${query}&${back}`;
        button.lastChild.textContent = ` ${device.name}`;
        return button;
      });
      for (const button of item.querySelectorAll("button")) button.remove();
      item.querySelector("fieldset").append(...offered);
      $(isPerson || index === preferred ? "devices" : "others").append(item);
    });
    $("more").hidden = !$("others").children.length;
    $("passcode").hidden = !answer.factors.includes("passcode");
    isFilled = true;
  }

  // Asks for the user's devices, and shows them under a heading, or under the problem.
  async function preauth({ heading, error } = {}) {
    $("busy").hidden = false;
    try {
      const { ok, status, body, wait } = await call("POST", `${base}preauth?${back}`);
      if (status === 429) hold(wait);
      if (!ok) return finish(body.code, body.heading, body.detail, !FINAL.has(body.code));
      if (body.result === "allow") return go();
      if (body.result === "auth") {
        fill(body);
        if (error) return show("choose", heading || texts.failed, "", error);
        const said = texts.pane === "start" ? first : body;
        return show("choose", said.heading, said.message);
      }
      finish(body.result, body.heading, body.message);
      if (body.result === "enroll" && body.enroll_url) {
        const isOurs = body.enroll_url.startsWith(base);
        if (!isOurs) $("portal").href = body.enroll_url;
        $(isOurs ? "enroll" : "portal").hidden = false;
        $("again").hidden = false;
      }
    } catch {
      finish("", heading, error || texts.later, true);
    }
  }

  // Ends the polling and the countdown.
  function stop() {
    loop.abort();
    loop = new AbortController();
    clearInterval(clock);
  }

  // Shows a state. Returns whether to poll again.
  function take(state) {
    if (state.state === "waiting") {
      wait(state);
      return true;
    }
    stop();
    if (state.state === "approved") {
      go(state.return_to);
    } else if (state.state === "sent") {
      show("choose", state.heading, state.message);
      $("passcode").hidden = false;
      $("pick").before($("passcode"));
      $("code").focus();
    } else {
      fail(state.code || state.state, state.heading, state.message);
    }
    return false;
  }

  function wait(state) {
    if ($("wait").hidden) $("bar").max = Math.max(state.seconds_left ?? 1, 1);
    if (state.seconds_left !== undefined) count(state.seconds_left);
    const code = state.verification_code || "";
    $("verify").hidden = !code;
    say("code-shown", code);
    say("code-spoken", [...code].join(" "));
    show("wait", state.heading, state.message);
  }

  function count(seconds) {
    const end = Date.now() + seconds * 1000;
    if ($("when").hidden) {
      const now = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
      say("clock", new Intl.DateTimeFormat(document.documentElement.lang, now).format());
      $("when").hidden = false;
    }
    const tick = () => {
      const left = Math.max(0, Math.round((end - Date.now()) / 1000));
      const text = (left === 1 ? texts.leftOne : texts.left).replace("{number}", left);
      $("bar").value = left;
      say("left", text);
      if (left === 30 || left === 10) say("spoken", text);
    };
    clearInterval(clock);
    clock = setInterval(tick, 1000);
    tick();
  }

  // Until the wait is over, buttons that would be refused are off, and the page counts down. A
  // passcode may need no wait.
  function hold(seconds, passcode = false) {
    pause = { end: Date.now() + seconds * 1000, passcode };
    clearInterval(pauseClock);
    pauseClock = setInterval(rest, 1000);
  }

  function rest() {
    const left = Math.max(0, Math.ceil((pause.end - Date.now()) / 1000));
    for (const button of $("pick").querySelectorAll("button")) button.disabled = left > 0;
    $("passcode").querySelector("button").disabled = left > 0 && !pause.passcode;
    $("again").inert = left > 0;
    const seconds = `${left % 60}`.padStart(2, "0");
    say("pause", left ? `${Math.floor(left / 60)}:${seconds}` : "");
    if (left) return;
    clearInterval(pauseClock);
    say("alert");
  }

  // Pauses, but at most until the tab is visible again.
  function sleep(ms, signal) {
    return new Promise((done) => {
      const wake = () => {
        if (document.hidden && !signal.aborted) return;
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", wake);
        done();
      };
      const timer = setTimeout(() => {
        document.removeEventListener("visibilitychange", wake);
        done();
      }, ms);
      document.addEventListener("visibilitychange", wake);
      signal.addEventListener("abort", wake);
    });
  }

  // Polls, one request at a time, until `next` returns that it is done. One lost response does not
  // end it.
  async function poll(url, next) {
    const { signal } = loop;
    let delay = 1000;
    let lost = 0;
    while (!signal.aborted) {
      try {
        const late = new Promise((_, reject) => setTimeout(reject, PATIENCE));
        const answer = await Promise.race([call("GET", url, {}, signal), late]);
        if (signal.aborted) return;
        if (answer.status === 429 || answer.status >= 500) throw answer;
        if (!next(answer)) return;
        lost = 0;
        delay = answer.body.poll_after_ms ?? 1000;
      } catch {
        if (signal.aborted) return;
        lost += 1;
        if (lost > MOST_LOST) return fail("", "", texts.later);
        delay = Math.min(Math.max(delay, 500) * 2, 8000);
        if (texts.offline) say("status", texts.offline);
      }
      await sleep(document.hidden ? Math.max(delay, 5000) : delay, signal);
    }
  }

  function follow() {
    poll(`${base}status?${back}`, ({ ok, body }) => {
      if (ok) return take(body);
      fail(body.code, body.heading, body.detail);
      return false;
    });
  }

  function wrong(text) {
    say("code-error", text);
    $("code").setAttribute("aria-invalid", "true");
    $("code").focus();
    $("code").select();
  }

  // Sends the request of a button.
  async function send(button, code) {
    const headers = code ? { "x-duo-mfa-passcode": code } : {};
    const to = button.dataset.to;
    if (to === "preauth") return preauth();
    if (to === "cancel") stop();
    const { ok, status, body, wait } = await call("POST", button.formAction, headers);
    if (to === "cancel") return preauth();
    if (status === 429) hold(wait, body.passcode_accepted);
    if (status === 422) return wrong(body.detail);
    if (!ok) return fail(body.code, body.heading, body.detail);
    if (take(body)) {
      follow();
    } else if (body.state === "sent") {
      button.disabled = true;
      setTimeout(() => { button.disabled = false; }, 30000);
    }
  }

  page.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form === held || "plain" in form.dataset) return;
    event.preventDefault();
    if (page.ariaBusy === "true") return;
    const code = form.id === "passcode" ? $("code").value.trim() : "";
    say("code-error");
    $("code").removeAttribute("aria-invalid");
    // A header can hold printable ASCII, and all codes are printable ASCII.
    if (form.id === "passcode" && !/^[!-~]([ -~]*[!-~])?$/.test(code)) return wrong(texts.wrong);
    page.ariaBusy = "true";
    try {
      await send(event.submitter, code);
    } catch {
      fail("", "", texts.later);
    }
    page.ariaBusy = "false";
  });

  // A tab that is not visible sends no requests.
  function whenSeen(act) {
    if (!document.hidden) return act();
    document.addEventListener("visibilitychange", () => whenSeen(act), { once: true });
  }

  // Without cookies the end of a sign-in could not be recognized, so nothing is sent to a phone.
  if (!navigator.cookieEnabled && texts.pane !== "enroll") return finish("", "", texts.nocookies, true);
  const passcode = $("passcode");
  if (passcode && "offered" in passcode.dataset) passcode.hidden = false;
  if (texts.pane === "start" || held) {
    whenSeen(() => {
      $("start").firstElementChild.hidden = true;
      if (isAtOnce) return sendHeld();
      return held ? resume() : preauth();
    });
  } else if (texts.pane === "wait") {
    follow();
  } else if (texts.pane === "enroll") {
    poll(`${base}enroll/status?${back}`, ({ body }) => {
      if (body.result === "waiting") return true;
      if (body.result === "done") go();
      // The page says what to do.
      else location.reload();
      return false;
    });
  } else if ($("code").autofocus) {
    $("code").focus();
    if ($("code").ariaInvalid === "true") $("code").select();
  }
})();
