//! Faults of `limits.rate_limit_service`.

use super::Row;
use duo_mfa::config::Code;
use serde_json::{Value, json};

const SERVICE: &str = "/limits/rate_limit_service";

fn with(key: &str, value: Value) -> Value {
    let mut service = json!({"cluster": "rate_limit", "domain": "duo"});
    service[key] = value;
    service
}

pub(super) fn faulty() -> Vec<Row> {
    const TIMEOUT: &str = "limits.rate_limit_service.timeout";
    const CLUSTER: &str = "limits.rate_limit_service.cluster";
    const DOMAIN: &str = "limits.rate_limit_service.domain";
    let time = |text: &str| with("timeout", json!(text));
    vec![
        (SERVICE, json!("rate_limit"), Code::WrongType, "limits.rate_limit_service"),
        (SERVICE, json!({"cluster": "rate_limit"}), Code::MissingKey, DOMAIN),
        (SERVICE, json!({"domain": "duo"}), Code::MissingKey, CLUSTER),
        (SERVICE, with("cluster", json!(" ")), Code::InvalidCluster, CLUSTER),
        (SERVICE, with("domain", json!("")), Code::InvalidText, DOMAIN),
        (SERVICE, time("9ms"), Code::InvalidDuration, TIMEOUT),
        (SERVICE, time("5001ms"), Code::InvalidDuration, TIMEOUT),
        (SERVICE, time("1s"), Code::InvalidDuration, TIMEOUT),
        (SERVICE, time("ms"), Code::InvalidDuration, TIMEOUT),
        (SERVICE, with("timeout", json!(250)), Code::WrongType, TIMEOUT),
        (
            SERVICE,
            with("on_error", json!("open")),
            Code::UnknownValue,
            "limits.rate_limit_service.on_error",
        ),
        (SERVICE, with("key", json!("x")), Code::UnknownKey, "limits.rate_limit_service.key"),
    ]
}
