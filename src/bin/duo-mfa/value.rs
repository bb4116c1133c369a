//! Look-ups in the objects of Envoy and Kubernetes.

use serde_json::Value;
use std::time::Duration;

/// A member by its name in snake case, or by the camel-case name that protobuf's JSON also allows.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).or_else(|| value.get(camel_case(name)))
}

/// A member of a member, and so on.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| member(value, name))
}

/// A text at a path.
pub(crate) fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str()
}

/// Whether there is `true` at a path.
pub(crate) fn is_set(value: &Value, path: &[&str]) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or(false)
}

/// The entries of a list at a path; empty if there is no list.
pub(crate) fn list_at<'v>(value: &'v Value, path: &[&str]) -> &'v [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A duration as protobuf's JSON writes it, `1.5s`; `None` if the text is not one.
pub(crate) fn duration_at(value: &Value, path: &[&str]) -> Option<Duration> {
    let seconds: f64 = text_at(value, path)?.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The type of an extension's configuration, and the configuration itself: of a `typed_config`, or
/// of a `TypedStruct` in its place.
pub(crate) fn extension(typed_config: &Value) -> Option<(&str, &Value)> {
    let name = |url: &'_ str| url.rfind('/').and_then(|at| at.checked_add(1)).unwrap_or(0);
    let url = typed_config.get("@type")?.as_str()?;
    let (url, value) = if url.ends_with(".TypedStruct") {
        (text_at(typed_config, &["type_url"])?, typed_config.get("value")?)
    } else {
        (url, typed_config)
    };
    Some((url.get(name(url)..)?, value))
}

/// Calls `look` with every value inside a value, itself included.
pub(crate) fn each<'v>(value: &'v Value, look: &mut dyn FnMut(&'v Value)) {
    look(value);
    match value {
        Value::Array(list) => list.iter().for_each(|value| each(value, look)),
        Value::Object(members) => members.values().for_each(|value| each(value, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_is_found_by_both_of_its_names() {
        for written in [json!({"vm_config": {"vm_id": "x"}}), json!({"vmConfig": {"vmId": "x"}})] {
            assert_eq!(text_at(&written, &["vm_config", "vm_id"]), Some("x"));
        }
    }

    #[test]
    fn a_typed_struct_is_what_it_holds() {
        let plain = json!({"@type": "type.googleapis.com/a.b.C", "x": 1});
        let typed = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": "type.googleapis.com/a.b.C", "value": {"x": 1}});
        for written in [plain, typed] {
            let (name, value) = extension(&written).unwrap();
            assert_eq!((name, &value["x"]), ("a.b.C", &json!(1)));
        }
    }

    #[test]
    fn times_are_read_as_protobuf_writes_them() {
        let written = json!({"a": "1.5s", "b": "90s", "c": "1m", "d": 5});
        assert_eq!(duration_at(&written, &["a"]), Some(Duration::from_millis(1500)));
        assert_eq!(duration_at(&written, &["b"]), Some(Duration::from_secs(90)));
        assert_eq!(duration_at(&written, &["c"]), None);
        assert_eq!(duration_at(&written, &["d"]), None);
    }
}
