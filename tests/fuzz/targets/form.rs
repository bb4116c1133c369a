//! The parameters of a query and of a form.

use super::parts::Lines;
use duo_mfa::http::Parameters;
use form_urlencoded::{Serializer, parse};

pub(crate) fn target(bytes: &[u8]) {
    let mut lines = Lines::of(bytes);
    let (target, form) = (lines.next(), lines.rest());
    let parameters = Parameters::of(target).with_form(form);
    let query = target.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    let query = if query.len() > 8_192 { &[] } else { query };
    let sent: Vec<_> = parse(query).chain(parse(form)).collect();
    let names = sent.iter().take(8).map(|(name, _)| name.as_ref());
    for name in names.chain(["return_to", "factor"]) {
        let values: Vec<_> = sent.iter().filter(|(n, _)| n == name).map(|(_, v)| v).collect();
        let only = if let [value] = values[..] { Some(value) } else { None };
        assert_eq!(parameters.value(name).as_ref(), only);
        assert_eq!(parameters.has(name), !values.is_empty());
        let posted = parse(form).filter(|(n, _)| n == name).map(|(_, value)| value);
        assert!(parameters.posted(name).eq(posted));
    }
    if let Some(fields) = Parameters::fields(form) {
        // A page that sends the form again sends the same fields.
        let again = Serializer::new(String::new()).extend_pairs(&fields).finish();
        assert_eq!(Parameters::fields(again.as_bytes()), Some(fields));
    }
}
