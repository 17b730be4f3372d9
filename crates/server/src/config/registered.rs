//! `[[oidc_provider]]` and `[[user_pool]]`: whom the operator vouches for beside the providers that everybody knows.

use std::collections::BTreeSet;

use daypass_core::login::plain_hosts::PlainHosts;
use daypass_core::login::public::{OidcProvider, RegistrationError, UserPool};

use super::document::Place;
use super::mistakes::Mistake;
use super::reading::{At, Reading};

const TWICE: &str = "stands there twice; describe each provider once";

/// Reads the OIDC providers and user pools. Of two descriptions of one, nobody could say which one counts.
pub(super) fn read(reading: &mut Reading<'_>, plain: &PlainHosts) -> (Vec<OidcProvider>, Vec<UserPool>) {
    let oidc_providers = reading.each::<OidcProvider>("oidc_provider");
    let user_pools = reading.each::<UserPool>("user_pool");
    let (mut seen, mut mistakes) = (BTreeSet::new(), Vec::new());
    for At { place, value } in &oidc_providers {
        mistakes.extend(value.check(plain).err().map(|error| mistake(place, error)));
        if !seen.insert(value.login_key()) {
            mistakes.push(place.below("issuer", TWICE));
        }
    }
    for At { place, value } in &user_pools {
        mistakes.extend(value.check(plain).err().map(|error| mistake(place, error)));
        if !seen.insert(&value.name) {
            mistakes.push(place.below("name", TWICE));
        }
    }
    reading.note(mistakes);
    let values = user_pools.into_iter().map(|pool| pool.value);
    (oidc_providers.into_iter().map(|provider| provider.value).collect(), values.collect())
}

fn mistake(place: &Place, RegistrationError { key, cure }: RegistrationError) -> Mistake {
    place.below(key, cure)
}
