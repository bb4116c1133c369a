//! Signatures, envelopes, bodies and TLS as they go over the wire.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{HOST, Sim, date, exchange, signed, unix_now};
use crate::signer::{FORMS, Form, INTEGRATION_KEY, sign};

#[tokio::test]
async fn every_form_of_signature_is_taken_and_noted() {
    let sim = Sim::start(&[]).await;
    let params = [("username", "zoë +~*&=/"), ("ipaddr", "2001:db8::1")];
    for (form, name) in FORMS {
        let posted = sim.send(&signed(form, "POST", "preauth", &params)).await.unwrap();
        assert_eq!(posted.response()["result"], "enroll");
        let checked = sim.send(&signed(form, "GET", "check", &[])).await.unwrap();
        assert!((checked.response()["time"].as_i64().unwrap() - unix_now()).abs() < 5);
        let asked = sim.send(&signed(form, "GET", "auth_status", &[("txid", "a b+c")])).await;
        assert_eq!(asked.unwrap().refusal().0, 40002, "the signature was right");
        let journal = sim.look("/sim/requests").await;
        let entries = journal.as_array().unwrap();
        let last: Vec<_> = entries.iter().rev().take(3).collect();
        assert!(last.iter().all(|entry| entry["signature"] == name), "{last:?}");
        assert_eq!(last[2]["params"], json!({"username": "zoë +~*&=/", "ipaddr": "2001:db8::1"}));
        assert_eq!((&last[2]["outcome"], &last[2]["result"]), (&json!("OK"), &json!("enroll")));
        assert_eq!(last[0]["outcome"], "40002");
        assert!(last[0]["headers"].get("authorization").is_none());
    }
}

#[tokio::test]
async fn only_the_wanted_form_is_taken_where_one_is_named() {
    for (accepted, name) in FORMS {
        let sim = Sim::start(&["--signature", name]).await;
        for (form, _) in FORMS {
            let answer = sim.send(&signed(form, "POST", "preauth", &[("username", "alice")])).await;
            let expected = if form == accepted { 200 } else { 401 };
            assert_eq!(answer.unwrap().status, expected, "{form:?} where {name} is accepted");
        }
    }
}

#[tokio::test]
async fn each_fault_of_a_request_has_its_code_and_text() {
    let sim = Sim::start(&[]).await;
    let good = || signed(Form::V5, "POST", "preauth", &[("username", "alice")]);
    let elsewhere = |path: &str| sign(Form::V5, ("GET", HOST, path), &[], &date(0));
    let stale = sign(Form::V5, ("GET", HOST, "/auth/v2/check"), &[], &date(-320));
    let early = sign(Form::V5, ("GET", HOST, "/auth/v2/check"), &[], &date(320));
    let foreign = good().header("authorization", "Basic RElYOjAw");
    let mut touched = good();
    touched.body = touched.body.replace("alice", "bella");
    for (request, code, message) in [
        (good().without("authorization"), 40101, "Missing request credentials"),
        (foreign, 40102, "Invalid integration key in request credentials"),
        (touched, 40103, "Invalid signature in request credentials"),
        (good().without("date"), 40104, "Missing request timestamp"),
        (stale, 40105, "Bad request timestamp"),
        (early, 40105, "Bad request timestamp"),
        (good().header("content-type", "text/plain"), 40106, "Invalid request content type"),
        (elsewhere("/auth/v2/nothing"), 40401, "Resource not found"),
        (elsewhere("/auth/v1/check"), 40401, "Resource not found"),
        (elsewhere("/auth/v2/preauth"), 40501, "Method not allowed"),
    ] {
        let answer = sim.send(&request).await.unwrap();
        let expected = json!({"stat": "FAIL", "code": code, "message": message});
        assert_eq!(answer.json(), expected);
        assert_eq!(i64::from(answer.status), code / 100);
        assert_eq!(answer.headers["content-type"], "application/json");
    }
    let unknown = sim.post("auth", &[("username", "alice"), ("factor", "dance")]).await;
    let expected = json!({"stat": "FAIL", "code": 40002,
        "message": "Invalid request parameters", "message_detail": "factor"});
    assert_eq!(unknown.json(), expected);
}

#[tokio::test]
async fn ping_wants_no_signature_and_bears_one() {
    let sim = Sim::start(&[]).await;
    let bare = signed(Form::V5, "GET", "ping", &[]).without("authorization").without("date");
    assert!(sim.send(&bare).await.unwrap().response()["time"].is_i64());
    assert!(sim.get("ping", &[]).await.response()["time"].is_i64());
    let wrong = bare.header("authorization", "Basic RElYOjAw");
    assert!(sim.send(&wrong).await.unwrap().response()["time"].is_i64());
}

#[tokio::test]
async fn the_logo_is_a_png() {
    let sim = Sim::start(&[]).await;
    let logo = sim.get("logo", &[]).await;
    assert_eq!(logo.headers["content-type"], "image/png");
    assert!(logo.body.starts_with(b"\x89PNG\r\n"));
    let unsigned = signed(Form::V5, "GET", "logo", &[]).without("authorization");
    assert_eq!(sim.send(&unsigned).await.unwrap().refusal().0, 40101);
}

#[tokio::test]
async fn the_host_may_be_signed_with_its_port_or_without() {
    let sim = Sim::start(&[]).await;
    let with_port = sign(Form::V5, ("GET", "localhost:8443", "/auth/v2/check"), &[], &date(0));
    assert_eq!(sim.send(&with_port).await.unwrap().status, 200);
    let bare = sign(Form::V5, ("GET", "localhost", "/auth/v2/check"), &[], &date(0));
    assert_eq!(sim.send(&bare.header("host", "LOCALHOST:8443")).await.unwrap().status, 200);
}

#[tokio::test]
async fn chunked_bodies_and_trailing_question_marks_are_read() {
    let sim = Sim::start(&[]).await;
    for (form, _) in FORMS {
        let request = signed(form, "POST", "preauth", &[("username", "alice")]);
        let (head, tail) = request.body.split_at(5);
        let pieces = [head.to_owned(), tail.to_owned()];
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        for piece in pieces {
            sender.send(Bytes::from(piece)).await.unwrap();
        }
        drop(sender);
        let stream = TcpStream::connect(sim.http).await.unwrap();
        let answer = exchange(stream, &request, Body::new(Chunks(receiver))).await.unwrap();
        assert_eq!(answer.response()["result"], "auth");
        let mut check = signed(form, "GET", "check", &[]);
        check.target.push('?');
        assert_eq!(sim.send(&check).await.unwrap().status, 200);
    }
    let entry = sim.look("/sim/requests?endpoint=preauth").await[0].clone();
    assert_eq!(entry["headers"]["transfer-encoding"], "chunked");
}

/// A body of unknown length.
struct Chunks(tokio::sync::mpsc::Receiver<Bytes>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }
}

#[tokio::test]
async fn tls_is_served_under_the_printed_authority() {
    let sim = Sim::start(&["--name", "duo.internal"]).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&sim.authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let request = signed(Form::V5, "GET", "check", &[]);
    for name in [HOST, "localhost", "127.0.0.1", "duo.internal"] {
        let stream = TcpStream::connect(sim.https).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let answer = exchange(stream, &request, Body::empty()).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    let stream = TcpStream::connect(sim.https).await.unwrap();
    let other = ServerName::try_from("other.example").unwrap();
    assert!(connector.connect(other, stream).await.is_err());
    assert_eq!(sim.look("/sim/requests").await[0]["tls"], true);
}

#[tokio::test]
async fn the_keys_may_be_others() {
    let sim = Sim::start(&["--integration-key", "DIOTHER"]).await;
    assert_eq!(sim.get("check", &[]).await.refusal().0, 40102);
    let sim = Sim::start(&["--integration-key", INTEGRATION_KEY, "--secret-key", "other"]).await;
    assert_eq!(sim.get("check", &[]).await.refusal().0, 40103);
}
