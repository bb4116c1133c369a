//! The requests and assertions that Duo's own clients signed, at the time of signing.

use serde_json::Value;

use super::{JwtError, check_expiry, opened, signed};

const VECTORS: &str = include_str!("../../../../../tests/data/duo-universal-vectors.json");

struct Vectors {
    secret: String,
    client_id: String,
    signed: Vec<Value>,
}

fn vectors() -> Vectors {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let main = &file["applications"]["main"];
    Vectors {
        secret: main["client_secret"].as_str().unwrap().to_owned(),
        client_id: main["client_id"].as_str().unwrap().to_owned(),
        signed: file["signed"].as_array().unwrap().clone(),
    }
}

#[test]
fn every_jwt_of_the_official_clients_is_opened_and_made_again() {
    let vectors = vectors();
    assert_eq!(vectors.signed.len(), 28);
    for vector in &vectors.signed {
        let (jwt, id) = (vector["jwt"].as_str().unwrap(), &vector["id"]);
        let payload = vector["payload"].as_str().unwrap();
        let claims = opened(jwt, &vectors.secret).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(Value::Object(claims.clone()), serde_json::from_str::<Value>(payload).unwrap());
        assert_eq!(claims["iss"], *vectors.client_id, "{id}");
        let now = vector["now"].as_f64().unwrap();
        assert_eq!(check_expiry(&claims, now), Ok(()), "{id}");
        assert_eq!(check_expiry(&claims, now + 301.0), Err(JwtError::Expiry), "{id}");
        let header = vector["header"].as_str().unwrap();
        assert_eq!(signed("HS512", header, payload, &vectors.secret), jwt, "{id}");
    }
}

#[test]
fn a_changed_jwt_is_refused() {
    let vectors = vectors();
    let jwt = vectors.signed[0]["jwt"].as_str().unwrap();
    assert_eq!(opened(jwt, "x").unwrap_err(), JwtError::Signature);
    let (rest, signature) = jwt.rsplit_once('.').unwrap();
    assert_eq!(opened(rest, &vectors.secret).unwrap_err(), JwtError::Malformed);
    assert_eq!(opened(&format!("{jwt}."), &vectors.secret).unwrap_err(), JwtError::Malformed);
    assert_eq!(opened(&format!("{jwt}="), &vectors.secret).unwrap_err(), JwtError::Malformed);
    let (header, _) = rest.split_once('.').unwrap();
    let moved = format!("{header}.e30.{signature}");
    assert_eq!(opened(&moved, &vectors.secret).unwrap_err(), JwtError::Signature);
    for algorithm in ["HS256", "HS384", "none"] {
        let header = format!("{{\"alg\":\"{algorithm}\"}}");
        let jwt = signed(algorithm, &header, "{}", &vectors.secret);
        assert_eq!(opened(&jwt, &vectors.secret).unwrap_err(), JwtError::Algorithm);
    }
}

#[test]
fn exp_may_be_a_number_a_fraction_or_text_up_to_an_hour_ahead() {
    let expiry = |text: &str| {
        let claims = serde_json::from_str(&format!("{{\"exp\":{text}}}")).unwrap();
        check_expiry(&claims, 1000.0).is_ok()
    };
    assert!(["1001", "1000.5", "\"1300\"", "4600"].into_iter().all(expiry));
    assert!(!["1000", "999.9", "4601", "\"x\"", "null", "true", "[]"].into_iter().any(expiry));
}
