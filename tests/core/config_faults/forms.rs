//! `cross_site_forms`: the paths of forms of other sites.

use super::document::with_all;
use super::{found, parse};
use duo_mfa::config::Code;
use serde_json::{Value, json};

#[test]
fn paths_of_foreign_forms_are_whole_paths() {
    let naming =
        |paths: Value| with_all(&[("/request_bodies", json!(true)), ("/cross_site_forms", paths)]);
    parse(&naming(json!([]))).unwrap();
    let config = parse(&naming(json!(["/saml/acs", "/"]))).unwrap();
    assert_eq!(config.cross_site_forms, ["/saml/acs", "/"]);
    let number = naming(json!([1]));
    assert_eq!(found(&number), [(Code::WrongType, "cross_site_forms[0]".to_owned())]);
    for path in ["", "saml", "/saml/*", "/a?b=c", "/a#b", "/a;b", "//evil.example", "/a/../b", "/ä"]
    {
        let faulty = naming(json!(["/", path]));
        let expected = [(Code::InvalidPattern, "cross_site_forms[1]".to_owned())];
        assert_eq!(found(&faulty), expected, "{path}");
    }
}
