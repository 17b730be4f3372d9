//! Parameters as a query and a form carry them (`application/x-www-form-urlencoded`, WHATWG URL section 5).

use std::collections::BTreeMap;

/// The parameters by name. `None` if one stands there twice (RFC 6749 section 3.1 forbids it): of two, the one that
/// somebody checked need not be the one that counts.
#[must_use]
pub fn read(text: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_there_once_however_it_is_written() {
        let parameters = read(b"code=a%2Fb+c&state=&flag").unwrap();
        assert_eq!(parameters["code"], "a/b c");
        assert_eq!((&*parameters["state"], &*parameters["flag"]), ("", ""));
        for twice in ["code=1&code=2", "code=1&c%6Fde=1", "code=1&code", "=1&="] {
            assert_eq!(read(twice.as_bytes()), None, "{twice}");
        }
    }
}
