//! The built-in cast, users from a file, unknown users, remembered devices.

use serde_json::{Value, json};

use crate::client::Sim;

#[tokio::test]
async fn each_of_the_built_in_users_shows_one_case() {
    let sim = Sim::start(&[]).await;
    for (username, expected) in [
        ("alice", "auth"),
        ("bob", "auth"),
        ("carol", "auth"),
        ("peter", "auth"),
        ("tom", "auth"),
        ("two", "auth"),
        ("dave", "enroll"),
        ("mallory", "deny"),
        ("eve", "deny"),
        ("bella", "allow"),
        ("nobody", "enroll"),
    ] {
        let answer = sim.preauth(username).await;
        assert_eq!(answer["result"], expected, "{username}: {answer}");
        assert!(answer["status_msg"].is_string());
        assert_eq!(answer.get("devices").is_some(), expected == "auth", "{username}");
        let portal = answer.get("enroll_portal_url").map(|url| url.as_str().unwrap());
        assert_eq!(portal.is_some(), expected == "enroll", "{username}");
        assert!(portal.is_none_or(|url| url.starts_with("https://api-sim.duo.test/portal?code=")));
    }
    let token = sim.preauth("tom").await["devices"][0].clone();
    assert_eq!(token.as_object().unwrap().len(), 3, "a token has nothing else: {token}");
    assert_eq!((&token["type"], &token["name"]), (&json!("token"), &json!("401234")));
    assert!(token["device"].as_str().unwrap().starts_with("DH"));
    assert_eq!(sim.preauth("two").await["devices"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn auth_follows_the_standing_of_the_user() {
    let sim = Sim::start(&[]).await;
    let params = |username| [("username", username), ("factor", "push"), ("device", "auto")];
    for (username, result, status) in
        [("bella", "allow", "bypass"), ("mallory", "deny", "deny"), ("eve", "deny", "locked_out")]
    {
        let answer = sim.post("auth", &params(username)).await.response();
        assert_eq!((&answer["result"], &answer["status"]), (&json!(result), &json!(status)));
    }
    for username in ["dave", "nobody"] {
        let refusal = sim.post("auth", &params(username)).await.refusal();
        assert_eq!(refusal, (40002, Some("username".to_owned())), "{username}");
    }
    assert_eq!(sim.look("/sim/counters").await["deliveries"]["pushes"], 0);
}

#[tokio::test]
async fn the_policy_for_unknown_users_is_a_choice() {
    for (policy, result) in [("allow", "allow"), ("deny", "deny"), ("enroll", "enroll")] {
        let sim = Sim::start(&["--new-user-policy", policy]).await;
        assert_eq!(sim.preauth("nobody").await["result"], result);
        assert_eq!(sim.preauth("alice").await["result"], "auth");
    }
}

#[tokio::test]
async fn users_come_from_a_file() {
    let file = std::env::temp_dir().join(format!("duo-sim-users-{}.yaml", std::process::id()));
    let yaml = "users:\n- username: zoë\n  aliases: [z@example.com]\n  passcodes: ['42']\n  \
                devices:\n  - {platform: iOS, capabilities: [push]}\n";
    std::fs::write(&file, yaml).unwrap();
    let sim = Sim::start(&["--users", file.to_str().unwrap()]).await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(sim.preauth("zoë").await["devices"][0]["display_name"], "iOS");
    assert_eq!(sim.preauth("z@example.com").await["result"], "auth");
    assert_eq!(sim.passcode("z@example.com", "42").await["result"], "allow");
    assert_eq!(sim.preauth("alice").await["result"], "enroll", "the built-in cast is away");
    let user_id = sim.look("/sim/users").await[0]["user_id"].as_str().unwrap().to_owned();
    let by_id = sim.post("preauth", &[("user_id", &user_id)]).await.response();
    assert_eq!(by_id["result"], "auth");
}

#[tokio::test]
async fn a_user_can_be_changed_while_it_runs() {
    let sim = Sim::start(&[]).await;
    sim.tell("PUT", "/sim/users", json!({"username": "alice", "status": "denied"})).await;
    assert_eq!(sim.preauth("alice").await["result"], "deny");
    let misspelt = json!({"username": "alice", "statuss": "denied"});
    assert_eq!(sim.control("PUT", "/sim/users", misspelt).await.status, 422);
}

#[tokio::test]
async fn exactly_one_of_username_and_user_id_is_wanted() {
    let sim = Sim::start(&[]).await;
    let none = sim.post("preauth", &[]).await.refusal();
    assert_eq!(none, (40001, Some("username".to_owned())));
    let both = sim.post("preauth", &[("username", "alice"), ("user_id", "DU1")]).await.refusal();
    assert_eq!(both.0, 40002);
}

#[tokio::test]
async fn a_remembered_device_is_allowed_for_its_own_user_only() {
    let sim = Sim::start(&[]).await;
    let txid = sim.push("rita").await;
    sim.act(&txid, "approve").await;
    let approved = sim.status(&txid).await;
    let token = approved["trusted_device_token"].as_str().unwrap();
    let preauth = async |username, token| {
        let params = [("username", username), ("trusted_device_token", token)];
        sim.post("preauth", &params).await.response()["result"].clone()
    };
    assert_eq!(preauth("rita", token).await, "allow");
    assert_eq!(preauth("rita", "TDmade-up").await, "auth");
    assert_eq!(preauth("alice", token).await, "auth");
    assert!(sim.passcode("rita", "123456").await["trusted_device_token"].is_string());
    assert!(sim.passcode("alice", "123456").await.get("trusted_device_token").is_none());
    sim.tell("DELETE", "/sim/remembered", Value::Null).await;
    assert_eq!(preauth("rita", token).await, "auth");
}
