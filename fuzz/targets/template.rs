//! A template of a definition, filled in by whoever logs in: no value leads to another host.
//!
//! Input: the template, a line feed, and the value of everything that is filled in.

#![no_main]

use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::template::{Name, Template, Values};
use libfuzzer_sys::fuzz_target;

const HOST: &str = "https://idp.example/";

fuzz_target!(|input: &str| {
    let (template, value) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(template) = Template::try_from(format!("{HOST}{template}")) else { return };
    let mut values = Values::default();
    for name in template.names() {
        values.set(name.clone(), Secret::new(value));
    }
    let Ok(url) = template.url(&values) else { return };
    assert!(url.starts_with(template.beginning()) && url.starts_with(HOST), "{url}");
    let places = template.names().count();
    assert!(places > 0 || template.as_literal() == Some(&url), "{url}");
    if let Ok(uri) = url.parse::<http::Uri>() {
        assert_eq!(uri.host(), Some("idp.example"), "{url}");
        let plain = |name: &Name| values.get(name).is_some_and(|it| it.expose().contains(['/', '?', '#']));
        let separators = |text: &str| text.matches(['/', '?', '#']).count();
        if template.names().all(plain) && places > 0 {
            let literal: usize = separators(HOST) + separators(input.split('\n').next().unwrap_or_default());
            assert_eq!(separators(&url), literal, "a value adds no part to {url}");
        }
    }
});
