//! What is asked of an installation, and what it takes: the same on every store.

use serde_json::json;

use super::meter::{Counted, Meter};
use super::site::{PROVIDER, Site, settle};
use crate::Outcome;
use crate::http::Connection;
use crate::requests::Request;
use crate::scene::exchange;
use crate::server::Server;
use crate::size::Size;

/// An operation, which leaves one as it was before or finds others the next time.
pub(super) struct Operation {
    pub(super) title: &'static str,
    /// Of those for which people have to be made there are fewer.
    divisor: usize,
    /// Whether each leaves an event, which gets its place in the trail of a shared store behind the answer.
    pub(super) leaves_event: bool,
    prepare: fn(&Site, usize) -> Outcome<Vec<Request>>,
}

pub(super) const KNOWN: Operation = Operation {
    title: "GetOpenIdTokenForDeveloperIdentity (known)",
    divisor: 1,
    leaves_event: true,
    prepare: |site, count| each(count, |number| token(site, &site.users[number % site.users.len()])),
};

pub(super) const NEW: Operation = Operation {
    title: "GetOpenIdTokenForDeveloperIdentity (new)",
    divisor: 1,
    leaves_event: true,
    prepare: |site, count| each(count, |_| token(site, &site.draw_name())),
};

pub(super) const CREDENTIALS: Operation = Operation {
    title: "GetCredentialsForIdentity (developer token)",
    divisor: 1,
    leaves_event: true,
    prepare: |site, count| {
        each(count, |number| {
            let bearer = &site.bearers[number % site.bearers.len()];
            let logins = json!({"cognito-identity.amazonaws.com": bearer.token});
            Ok(Request::json(
                "GetCredentialsForIdentity",
                &json!({"IdentityId": bearer.identity_id, "Logins": logins}),
            ))
        })
    },
};

pub(super) const OPERATIONS: [Operation; 8] = [
    KNOWN,
    NEW,
    CREDENTIALS,
    Operation {
        title: "exchange (ID token, key known)",
        divisor: 1,
        leaves_event: true,
        prepare: |site, count| {
            each(count, |number| {
                Ok(Request::exchange(&exchange(&site.id_tokens[number % site.id_tokens.len()])))
            })
        },
    },
    Operation {
        title: "GetId (guest)",
        divisor: 1,
        leaves_event: false,
        prepare: |site, count| {
            each(count, |_| Ok(Request::json("GetId", &json!({"IdentityPoolId": site.developer.pool_id}))))
        },
    },
    Operation {
        title: "LookupDeveloperIdentity",
        divisor: 1,
        leaves_event: false,
        prepare: |site, count| each(count, |number| look_up(site, &site.users[number % site.users.len()])),
    },
    Operation {
        title: "MergeDeveloperIdentities",
        divisor: 4,
        leaves_event: true,
        prepare: |site, count| {
            let merge = |source: &str, destination: &str| {
                site.signed(
                    "MergeDeveloperIdentities",
                    &json!({
                        "IdentityPoolId": site.developer.pool_id, "DeveloperProviderName": PROVIDER,
                        "SourceUserIdentifier": source, "DestinationUserIdentifier": destination,
                    }),
                )
            };
            site.newcomers(2 * count)?.chunks(2).map(|pair| merge(&pair[0].user, &pair[1].user)).collect()
        },
    },
    Operation {
        title: "DeleteIdentities (1)",
        divisor: 2,
        leaves_event: true,
        prepare: |site, count| {
            let delete = |id: &str| site.signed("DeleteIdentities", &json!({"IdentityIdsToDelete": [id]}));
            site.newcomers(count)?.iter().map(|newcomer| delete(&newcomer.identity_id)).collect()
        },
    },
];

impl Operation {
    /// As many as are asked for, or fewer.
    pub(super) fn requests(&self, site: &Site, count: usize) -> Outcome<Vec<Request>> {
        (self.prepare)(site, count.div_ceil(self.divisor))
    }

    /// Waits until everything is done that some of them had a server do.
    pub(super) fn settle(&self, server: &Server) -> Outcome<()> {
        if self.leaves_event { settle(server) } else { Ok(()) }
    }

    /// What is counted of one on the way to the store until it is answered: of some, one after the other, the least. Others have more,
    /// where the server looks after its trail meanwhile, prepares a statement, or reads again what it knows for two seconds.
    pub(super) fn count_one(&self, site: &Site, meter: &Meter, size: &Size) -> Outcome<Counted> {
        let requests = (self.prepare)(site, size.counted_requests)?;
        let mut connection = Connection::open(&site.developer.url)?;
        let counted = requests.iter().map(|request| -> Outcome<Counted> {
            meter.take();
            request.send(&mut connection)?;
            Ok(meter.take())
        });
        let counted = counted.collect::<Outcome<Vec<Counted>>>()?;
        Ok([0, 1].map(|at| counted.iter().map(|counted| counted[at]).fold(f64::INFINITY, f64::min)))
    }
}

/// Asks for a token for a developer user.
pub(super) fn token(site: &Site, user: &str) -> Outcome<Request> {
    site.signed("GetOpenIdTokenForDeveloperIdentity", &site.login(user))
}

pub(super) fn look_up(site: &Site, user: &str) -> Outcome<Request> {
    let input = json!({"IdentityPoolId": site.developer.pool_id, "DeveloperUserIdentifier": user});
    site.signed("LookupDeveloperIdentity", &input)
}

fn each(count: usize, request: impl Fn(usize) -> Outcome<Request>) -> Outcome<Vec<Request>> {
    (0..count).map(request).collect()
}
