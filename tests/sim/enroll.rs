//! Enrollment from the activation code to the first push.

use serde_json::{Value, json};

use crate::client::{Sim, unix_now};

async fn enroll_status(sim: &Sim, user_id: &str, code: &str) -> Value {
    let params = [("user_id", user_id), ("activation_code", code)];
    sim.post("enroll_status", &params).await.response()
}

#[tokio::test]
async fn an_enrollment_waits_until_its_code_is_claimed() {
    let sim = Sim::start(&[]).await;
    let params = [("username", "newcomer"), ("valid_secs", "600")];
    let enrollment = sim.post("enroll", &params).await.response();
    let member = |name: &str| enrollment[name].as_str().unwrap().to_owned();
    let (user_id, code) = (member("user_id"), member("activation_code"));
    assert!(code.starts_with("duo://"), "{code}");
    let barcode = member("activation_barcode");
    assert!(barcode.starts_with("https://api-sim.duo.test/frame/qr?value=duo%3A%2F%2F"));
    assert!(member("activation_url").starts_with("https://m-sim.duo.test/activate/"));
    assert_eq!(member("username"), "newcomer");
    let left = enrollment["expiration"].as_i64().unwrap() - unix_now();
    assert!((595..=600).contains(&left), "{left}");

    assert_eq!(enroll_status(&sim, &user_id, &code).await, "waiting");
    assert_eq!(sim.preauth("newcomer").await["result"], "enroll");
    sim.tell("POST", "/sim/enrollments/claim", json!({"activation_code": code})).await;
    assert_eq!(enroll_status(&sim, &user_id, &code).await, "success");
    assert_eq!(sim.preauth("newcomer").await["result"], "auth");
    let again = json!({"username": "newcomer"});
    assert_eq!(sim.control("POST", "/sim/enrollments/claim", again).await.status, 409);

    let txid = sim.push("newcomer").await;
    sim.act(&txid, "approve").await;
    assert_eq!(sim.status(&txid).await["result"], "allow");
}

#[tokio::test]
async fn a_code_that_ran_out_or_was_never_given_is_invalid() {
    let sim = Sim::start(&[]).await;
    let enrollment = sim.post("enroll", &[("valid_secs", "1")]).await.response();
    let user_id = enrollment["user_id"].as_str().unwrap();
    let code = enrollment["activation_code"].as_str().unwrap();
    assert_eq!(enroll_status(&sim, user_id, "duo://other").await, "invalid");
    assert_eq!(enroll_status(&sim, "DUother", code).await, "invalid");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(enroll_status(&sim, user_id, code).await, "invalid");
    let late = json!({"activation_code": code});
    assert_eq!(sim.control("POST", "/sim/enrollments/claim", late).await.status, 409);
}

#[tokio::test]
async fn a_name_that_duo_knows_cannot_enroll() {
    let sim = Sim::start(&[]).await;
    sim.post("enroll", &[("username", "newcomer"), ("valid_secs", "1")]).await.response();
    sim.tell("DELETE", "/sim/enrollments", json!(null)).await;
    // With a device, without one, and after an enrollment that came to nothing.
    for name in ["alice", "dave", "newcomer"] {
        let taken = sim.post("enroll", &[("username", name)]).await.refusal();
        assert_eq!(taken, (40002, Some("username".to_owned())), "{name}");
    }
    for valid in ["soon", "0", "-5"] {
        let params = [("username", "x"), ("valid_secs", valid)];
        let refusal = sim.post("enroll", &params).await.refusal();
        assert_eq!(refusal, (40002, Some("valid_secs".to_owned())), "{valid}");
    }
}

#[tokio::test]
async fn enroll_status_is_asked_by_post() {
    let sim = Sim::start(&[]).await;
    let refusal = sim.get("enroll_status", &[("user_id", "DU"), ("activation_code", "x")]).await;
    assert_eq!(refusal.refusal(), (40501, None));
    let missing = sim.post("enroll_status", &[("user_id", "DU")]).await.refusal();
    assert_eq!(missing, (40001, Some("activation_code".to_owned())));
}
