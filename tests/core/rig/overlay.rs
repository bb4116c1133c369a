//! Changes to a configuration.

use serde_json::Value;

/// Puts changes over a JSON value, object by object; `null` removes a key.
pub(crate) fn overlay(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, value) in changes {
                if value.is_null() {
                    base.remove(&key);
                } else {
                    overlay(base.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (base, changes) => *base = changes,
    }
}
