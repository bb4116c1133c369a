//! The Lua filter of docs/deploy/native.md, which copies claims to where the native module can read them.

use std::fs;
use std::path::Path;

use crate::examples::{Issuer, assert_refused, signs_in, started};
use crate::message::Request;

fn block(fence: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/native.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, rest) = text.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn changed(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

#[test]
fn claims_that_lua_has_copied_name_the_user_and_the_groups() {
    let issuer = Issuer::new();
    let stack = started("examples/jwt/envoy.yaml", |directory, text| {
        let keys = directory.join("jwks.json");
        fs::write(&keys, issuer.keys().to_string()).unwrap();
        let text = changed(&text, "/etc/envoy/jwks.json", keys.to_str().unwrap());
        // Not to be changed into a header for the native module.
        let text = changed(&text, ": jwt_payload\n", ": jwt_payload       # for Lua\n");
        let lua: String = block("yaml file=native-lua")
            .lines()
            .map(|line| format!("          {line}\n"))
            .collect();
        let next = "          # The second factor.\n";
        let text = changed(&text, next, &format!("{lua}{next}"));
        let (before, rest) = text.split_once("\"identity\": {").unwrap();
        let (_, after) = rest.split_once("\"session\"").unwrap();
        let identity = block("json file=native-identity").trim().to_owned();
        let identity = changed(
            &identity,
            "\"groups\": {",
            r#""normalize": ["trim", {"strip_domain": ["example.com"]}], "groups": {"#,
        );
        let rules = r#"{"rules": [{"groups": ["ops"], "paths": ["/ops"], "policy": "bypass"}]}"#;
        format!("{before}\"identity\": {identity}, \"access_control\": {rules}, \"session\"{after}")
    });
    let alice = issuer.token("RS256", "alice@example.com");
    signs_in(&stack, &|request| request.bearer(&alice));
    let pushes = stack.sim.pushes();
    stack.admitted(&Request::get("/ops").bearer(&alice));
    assert_eq!(stack.sim.pushes(), pushes, "the group passes");
    assert_refused(&stack, Request::get("/ops").header("x-jwt-email", "alice"), 401);
    let complaints = "is not a string";
    assert!(!stack.envoy.log().contains(complaints), "{}", stack.envoy.log());
}
