//! Other parts of Envoy can alter the filter's replies. The documented exception prevents that, and `duo-mfa check` warns if it
//! is missing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::message::Request;
use crate::setup::{FirstFactor, Setup};
use crate::stack::{APPROVAL, Stack};

fn with_manager(manager: Value) -> Stack {
    Stack::start(Setup { manager, ..Setup::default() })
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Before,
    Behind,
}

/// A stack with an additional filter.
fn with_filter(filter: &Value, place: Place) -> Stack {
    with_filter_in(Setup::default(), filter, place)
}

fn with_filter_in(setup: Setup, filter: &Value, place: Place) -> Stack {
    let given = setup.clone();
    Stack::start_as(setup, |parts| {
        let given = given.with_files_in(parts.directory);
        let mut envoy = given.envoy(parts.module, parts.app, parts.duo);
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        let filters = &mut envoy.pointer_mut(manager).unwrap()["http_filters"];
        let filters = filters.as_array_mut().unwrap();
        let ours = filters.iter().position(|filter| filter["name"] == "duo_mfa").unwrap();
        let at = match place {
            Place::Before => ours,
            Place::Behind => ours + 1,
        };
        filters.insert(at, filter.clone());
        envoy
    })
}

/// The block of docs/deploy/envoy.md.
fn documented_local_replies() -> Value {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/envoy.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml file=local-replies\n").unwrap();
    serde_saphyr::from_str(rest.split_once("```").unwrap().0).unwrap()
}

fn page(stack: &Stack) -> String {
    stack.denied(&Request::get("/reports").user("alice").navigation()).text()
}

#[test]
fn documented_exception_keeps_every_reply_where_envoy_has_error_pages() {
    let documented = documented_local_replies();
    let config = &documented["local_reply_config"];
    assert!(config["mappers"].as_array().unwrap().len() > 1 && config["body_format"].is_object());
    let stack = with_manager(documented);
    let (plain, changed) = (Stack::standard(), &stack);
    let passcode = Request::post("/.duo-mfa/auth?factor=passcode").header("content-length", "0");
    for request in [
        Request::get("/reports").navigation(),
        Request::get("/.duo-mfa/healthz"),
        Request::get("/.duo-mfa/nothing"),
        passcode.header("x-duo-mfa-passcode", "000000"),
        Request::get("/reports").header("content-type", "application/grpc"),
    ] {
        let (expected, reply) =
            (plain.denied(&request.clone().user("alice")), changed.denied(&request.user("alice")));
        let names = |headers: &[(String, String)]| -> Vec<String> {
            headers.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(reply.status, expected.status);
        assert_eq!(names(&reply.headers), names(&expected.headers));
        assert_eq!(reply.header("content-type"), expected.header("content-type"));
        assert_eq!(reply.body.len(), expected.body.len(), "{}", reply.text());
    }
    // The first factor's own refusal is formatted.
    let reply = stack.denied(&Request::get("/reports"));
    assert_eq!((reply.status, reply.header("content-type")), (401, Some("text/html")));
    assert!(reply.text().contains("<h1>401</h1>"), "{}", reply.text());
    let mut browser = Browser::of("alice");
    browser.sign_in(&stack);
    browser.reaches_the_application(&stack, "/reports");
}

#[test]
fn error_pages_of_envoy_without_the_exception_replace_the_prompt_page() {
    let mut documented = documented_local_replies();
    let config = documented["local_reply_config"].as_object_mut().unwrap();
    config["mappers"].as_array_mut().unwrap().remove(0);
    let format = config.remove("body_format").unwrap();
    assert!(!page(&with_manager(documented)).contains("<script"), "the mapper for 403");
    let text = page(&with_manager(json!({"local_reply_config": {"body_format": format}})));
    assert!(!text.starts_with("<!DOCTYPE html>"), "{text}");
    // Mappers that apply only to Envoy's own failures are harmless.
    let flags = json!({"filter": {"response_flag_filter": {}}, "body": {"inline_string": "error"}});
    let text = page(&with_manager(json!({"local_reply_config": {"mappers": [flags]}})));
    assert!(text.starts_with("<!DOCTYPE html>"), "{text}");
}

#[test]
fn custom_response_filter_replaces_the_prompt_page_wherever_it_is() {
    let of = |status: &str| {
        let predicate = json!({"single_predicate": {
            "input": {"name": "status", "typed_config": {
                "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput"}},
            "value_match": {"exact": status},
        }});
        let policy = json!({
            "@type": "type.googleapis.com/envoy.extensions.http.custom_response\
                      .local_response_policy.v3.LocalResponsePolicy",
            "body": {"inline_string": "error"},
        });
        json!({"name": "errors", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.custom_response.v3.CustomResponse",
            "custom_response_matcher": {"matcher_list": {"matchers": [{
                "predicate": predicate,
                "on_match": {"action": {"name": "error", "typed_config": policy}},
            }]}},
        }})
    };
    for place in [Place::Before, Place::Behind] {
        assert_eq!(page(&with_filter(&of("403"), place)), "error", "{place:?}");
        assert_ne!(page(&with_filter(&of("404"), place)), "error", "{place:?}");
    }
}

#[test]
fn removed_set_cookie_headers_take_the_approval_away_except_by_a_route() {
    let strip = json!({"name": "cookies", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"response_mutations": [{"remove": "set-cookie"}]},
    }});
    let approved = |stack: &Stack| {
        stack.answered_push(Request::get("/reports").user("alice"), "alice", "approve")
    };
    let cancelled = |stack: &Stack| {
        let request = Request::post("/.duo-mfa/cancel").header("content-length", "0");
        stack.denied(&request.user("alice")).values("set-cookie").len()
    };
    let stack = with_filter(&strip, Place::Before);
    assert_eq!((approved(&stack).set_cookie(APPROVAL), cancelled(&stack)), (None, 0));
    let stack = with_filter(&strip, Place::Behind);
    assert!(approved(&stack).set_cookie(APPROVAL).is_some());
    assert_eq!(cancelled(&stack), 0, "the filter's own replies pass every filter");
    let stack =
        with_manager(json!({"route_config": {"response_headers_to_remove": ["set-cookie"]}}));
    assert!(approved(&stack).set_cookie(APPROVAL).is_some());
    assert_eq!(cancelled(&stack), 1);
}

#[test]
fn cache_before_the_filter_skips_it_and_one_behind_it_does_not() {
    let cache = json!({"name": "cache", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cache.v3.CacheConfig",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig"},
    }});
    let setup = Setup { first_factor: FirstFactor::Absent, ..Setup::default() };
    let request = || Request::get("/reports").header("x-basic-user", "alice");
    // Envoy's cache calls the cluster itself: not even the first request passes the filters behind it.
    let stack = with_filter_in(setup.clone(), &cache, Place::Before);
    stack.app.answer_with("cache-control", "public, max-age=600");
    stack.admitted(&request().navigation());
    assert_eq!(stack.denied(&request().navigation()).status, 200, "from the cache");
    let stack = with_filter_in(setup, &cache, Place::Behind);
    stack.app.answer_with("cache-control", "public, max-age=600");
    let reply = stack.answered_push(request(), "alice", "approve");
    let cookie = reply.set_cookie(APPROVAL).expect("an approval");
    let reply = stack.denied(&request().cookie(cookie));
    assert_eq!((reply.status, reply.header("x-duo-mfa-user")), (200, None), "from the cache");
    assert_eq!(stack.denied(&request().navigation()).status, 403);
}

#[test]
fn compressor_leaves_the_prompt_page_as_it_is_but_for_its_coding() {
    let compressor = json!({"name": "compressor", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor",
        "compressor_library": {"name": "gzip", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip"}},
    }});
    for (place, coding) in [(Place::Before, Some("gzip")), (Place::Behind, None)] {
        let stack = with_filter(&compressor, place);
        let request = Request::get("/reports").user("alice").navigation();
        let reply = stack.denied(&request.header("accept-encoding", "gzip"));
        assert_eq!((reply.status, reply.header("content-encoding")), (403, coding));
        assert!(page(&stack).starts_with("<!DOCTYPE html>"));
        let mut browser = Browser::of("alice");
        browser.sign_in(&stack);
        browser.reaches_the_application(&stack, "/reports");
    }
}
