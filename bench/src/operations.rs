//! What each operation costs the server, as a multiple of one bare signature and of one token for a developer
//! user. Each round measures the signature and then every operation once, so that whatever slows the machine down
//! for a while slows down all of them.

use serde_json::{Value, json};

use crate::crowd::Person;
use crate::requests::{Request, send_all};
use crate::scene::{Bearer, CONNECTIONS, PAGE, Scene, exchange, settings};
use crate::signature::Yardstick;
use crate::size::Size;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, cpu, progress};

/// How many tokens for a developer user an operation may cost.
const TARGET_TOKENS: f64 = 1.5;
/// How many times as many requests measure what is to cost less than a signature.
const MORE_OF_SMALL: usize = 4;
const TOKEN: &str = "GetOpenIdTokenForDeveloperIdentity";
const ROLE_ARN: &str = "arn:aws:iam::000000000000:role/authenticated";
const COGNITO: &str = "cognito-identity";

/// What an operation is held to.
#[derive(Clone, Copy)]
enum Target {
    None,
    Tokens,
    /// So many bare signatures: what apps call for each person.
    Signatures(f64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    SignedJson,
    PublicJson,
    SignedQuery,
    PublicQuery,
    /// A login of an app, at a path of its own.
    Exchange,
}

/// Makes the inputs of so many requests, and whatever they are to find. Not measured.
type Prepare = fn(&Scene, usize) -> Outcome<Vec<Value>>;

struct Row {
    operation: &'static str,
    /// Which of several ways to call it this is.
    way: &'static str,
    protocol: Protocol,
    target: Target,
    /// Heavy ones are measured with fewer requests.
    divisor: usize,
    prepare: Prepare,
}

const fn signed(operation: &'static str, way: &'static str, prepare: Prepare) -> Row {
    Row { operation, way, protocol: Protocol::SignedJson, target: Target::Tokens, divisor: 1, prepare }
}

const fn public(operation: &'static str, way: &'static str, prepare: Prepare) -> Row {
    Row { protocol: Protocol::PublicJson, ..signed(operation, way, prepare) }
}

const ROWS: &[Row] = &[
    Row {
        target: Target::None,
        ..signed(TOKEN, "", |scene, count| each(count, |number| developer_login(scene, number)))
    },
    Row {
        target: Target::None,
        ..signed("CreateIdentityPool", "", |scene, count| each(count, |_| settings(&scene.issuer.arn())))
    },
    Row {
        divisor: 20,
        ..signed("DeleteIdentities", "60", |scene, count| {
            let people = scene.fresh_people(count * PAGE)?;
            let page = |page: &[_]| json!({"IdentityIdsToDelete": ids(page)});
            Ok(people.chunks(PAGE).map(page).collect())
        })
    },
    signed("DeleteIdentities", "1", |scene, count| {
        let people = scene.fresh_people(count)?;
        Ok(people.chunks(1).map(|one| json!({"IdentityIdsToDelete": ids(one)})).collect())
    }),
    signed("DeleteIdentityPool", "", |scene, count| {
        Ok(scene.fresh_pools(count)?.iter().map(|pool| json!({"IdentityPoolId": pool})).collect())
    }),
    signed("DescribeIdentity", "", |scene, count| {
        each(count, |number| json!({"IdentityId": of(&scene.people, number).identity_id}))
    }),
    signed("DescribeIdentityPool", "", pool_only),
    fast("GetCredentialsForIdentity", "developer token", 0.4, |scene, count| {
        each(count, |number| {
            let bearer = of(&scene.developer_tokens, number);
            json!({
                "IdentityId": bearer.identity_id,
                "Logins": {"cognito-identity.amazonaws.com": bearer.token},
            })
        })
    }),
    public("GetCredentialsForIdentity", "guest", guest),
    fast("GetCredentialsForIdentity", "OIDC login", 0.45, person),
    fast("GetId", "guest", 0.2, |scene, count| {
        each(count, |_| json!({"IdentityPoolId": scene.developer.pool_id}))
    }),
    fast("GetId", "OIDC login", 0.4, |scene, count| {
        each(count, |number| {
            let token = &of(&scene.logged_in, number).token;
            json!({"IdentityPoolId": scene.developer.pool_id, "Logins": {scene.issuer.name.clone(): token}})
        })
    }),
    signed("GetIdentityPoolRoles", "", pool_only),
    public("GetOpenIdToken", "guest", guest),
    public("GetOpenIdToken", "OIDC login", person),
    signed("GetPrincipalTagAttributeMap", "", |scene, count| {
        each(
            count,
            |_| json!({"IdentityPoolId": scene.developer.pool_id, "IdentityProviderName": scene.issuer.arn()}),
        )
    }),
    Row {
        divisor: 5,
        ..signed("ListIdentities", "60", |scene, count| {
            each(count, |_| json!({"IdentityPoolId": scene.full_pool, "MaxResults": PAGE}))
        })
    },
    Row {
        divisor: 5,
        ..signed("ListIdentityPools", "60", |_, count| each(count, |_| json!({"MaxResults": PAGE})))
    },
    signed("ListTagsForResource", "", |scene, count| {
        each(count, |number| json!({"ResourceArn": arn(own_pool(scene, number))}))
    }),
    signed("LookupDeveloperIdentity", "", |scene, count| {
        each(count, |number| {
            let user = &of(&scene.people, number).user;
            json!({"IdentityPoolId": scene.developer.pool_id, "DeveloperUserIdentifier": user})
        })
    }),
    signed("MergeDeveloperIdentities", "", |scene, count| {
        let people = scene.fresh_people(2 * count)?;
        let merge = |pair: &[Person]| {
            json!({
                "IdentityPoolId": scene.developer.pool_id, "DeveloperProviderName": scene.developer.provider,
                "SourceUserIdentifier": pair[0].user, "DestinationUserIdentifier": pair[1].user,
            })
        };
        Ok(people.chunks(2).map(merge).collect())
    }),
    signed("SetIdentityPoolRoles", "", |scene, count| {
        each(
            count,
            |number| json!({"IdentityPoolId": own_pool(scene, number), "Roles": {"authenticated": ROLE_ARN}}),
        )
    }),
    signed("SetPrincipalTagAttributeMap", "", |scene, count| {
        each(count, |number| {
            json!({
                "IdentityPoolId": own_pool(scene, number), "IdentityProviderName": scene.issuer.arn(),
                "PrincipalTags": {"email": "email", "user": format!("sub{number}")},
            })
        })
    }),
    signed("TagResource", "", |scene, count| {
        each(
            count,
            |number| json!({"ResourceArn": arn(own_pool(scene, number)), "Tags": {"stage": number.to_string()}}),
        )
    }),
    signed("UnlinkDeveloperIdentity", "", |scene, count| {
        let unlink = |person: &Person| {
            json!({
                "IdentityPoolId": scene.developer.pool_id, "DeveloperProviderName": scene.developer.provider,
                "IdentityId": person.identity_id, "DeveloperUserIdentifier": person.user,
            })
        };
        Ok(scene.fresh_people(count)?.iter().map(unlink).collect())
    }),
    public("UnlinkIdentity", "", |scene, count| {
        let unlink = |bearer: &Bearer| {
            json!({
                "IdentityId": bearer.identity_id, "Logins": {scene.issuer.name.clone(): bearer.token},
                "LoginsToRemove": [scene.issuer.name],
            })
        };
        Ok(scene.fresh_logins(count)?.iter().map(unlink).collect())
    }),
    signed("UntagResource", "", |scene, count| {
        let pools = scene.fresh_pools(count)?;
        Ok(pools.iter().map(|pool| json!({"ResourceArn": arn(pool), "TagKeys": ["stage"]})).collect())
    }),
    signed("UpdateIdentityPool", "", |scene, count| {
        each(count, |number| {
            let mut input = settings(&scene.issuer.arn());
            input["IdentityPoolId"] = json!(own_pool(scene, number));
            input
        })
    }),
    Row {
        protocol: Protocol::PublicQuery,
        ..fast("AssumeRoleWithWebIdentity", "", 0.4, |scene, count| {
            each(count, |number| {
                let token = &of(&scene.developer_tokens, number).token;
                json!({"RoleArn": ROLE_ARN, "RoleSessionName": "bench", "WebIdentityToken": token})
            })
        })
    },
    Row {
        protocol: Protocol::Exchange,
        ..fast("exchange", "ID token, key known", 1.5, |scene, count| {
            each(count, |number| exchange(&of(&scene.logged_in, number).token))
        })
    },
    Row {
        protocol: Protocol::SignedQuery,
        ..signed("GetCallerIdentity", "", |_, count| each(count, |_| json!({})))
    },
];

const fn fast(operation: &'static str, way: &'static str, signatures: f64, prepare: Prepare) -> Row {
    Row { target: Target::Signatures(signatures), ..public(operation, way, prepare) }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what `Prepare` answers, and others fail")]
fn each(count: usize, input: impl Fn(usize) -> Value) -> Outcome<Vec<Value>> {
    Ok((0..count).map(input).collect())
}

fn of<T>(items: &[T], number: usize) -> &T {
    &items[number % items.len()]
}

/// The pool of the connection that the request goes over.
fn own_pool(scene: &Scene, number: usize) -> &str {
    &scene.pools[number % scene.pools.len()]
}

fn arn(pool_id: &str) -> String {
    format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{pool_id}")
}

fn ids(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.identity_id.as_str()).collect()
}

fn developer_login(scene: &Scene, number: usize) -> Value {
    let user = of(&scene.people, number).user.clone();
    json!({"IdentityPoolId": scene.developer.pool_id, "Logins": {scene.developer.provider.clone(): user}})
}

fn pool_only(scene: &Scene, count: usize) -> Outcome<Vec<Value>> {
    each(count, |_| json!({"IdentityPoolId": scene.developer.pool_id}))
}

fn guest(scene: &Scene, count: usize) -> Outcome<Vec<Value>> {
    each(count, |number| json!({"IdentityId": of(&scene.guests, number)}))
}

fn person(scene: &Scene, count: usize) -> Outcome<Vec<Value>> {
    each(count, |number| {
        let bearer = of(&scene.logged_in, number);
        json!({"IdentityId": bearer.identity_id, "Logins": {scene.issuer.name.clone(): bearer.token}})
    })
}

impl Row {
    /// CPU seconds of the server for one request.
    fn measure(&self, scene: &Scene, requests: usize) -> Outcome<f64> {
        // The kernel counts in hundredths of a second, which takes many of what costs little.
        let times = if matches!(self.target, Target::Signatures(_)) { MORE_OF_SMALL } else { 1 };
        let inputs = (self.prepare)(scene, (requests * times).div_ceil(self.divisor))?;
        let requests = inputs.iter().map(|input| self.request(scene, input)).collect::<Outcome<Vec<_>>>()?;
        let before = cpu::seconds_of(scene.server.process_id())?;
        send_all(&scene.developer.url, &requests, CONNECTIONS)
            .map_err(|error| format!("{}: {error}", self.label()))?;
        let used = cpu::seconds_since(scene.server.process_id(), before)?;
        Ok(used / f64::from(u32::try_from(requests.len())?))
    }

    fn request(&self, scene: &Scene, input: &Value) -> Outcome<Request> {
        match self.protocol {
            Protocol::SignedJson => scene.developer.signed(COGNITO, Request::json(self.operation, input)),
            Protocol::PublicJson => Ok(Request::json(self.operation, input)),
            Protocol::SignedQuery => scene.developer.signed("sts", Request::query(self.operation, input)),
            Protocol::PublicQuery => Ok(Request::query(self.operation, input)),
            Protocol::Exchange => Ok(Request::exchange(input)),
        }
    }

    fn label(&self) -> String {
        if self.way.is_empty() {
            self.operation.to_owned()
        } else {
            format!("{} ({})", self.operation, self.way)
        }
    }

    /// Its figures: microseconds, signatures and tokens.
    fn cells(&self, rounds: &[Round], number: usize) -> [Option<Cell>; 3] {
        let cell = |figure: &dyn Fn(&Round) -> f64| Cell::of(rounds.iter().map(figure));
        let microseconds = cell(&|round| round.operations[number] * 1e6);
        let signatures = cell(&|round| round.operations[number] / round.signature);
        let tokens = cell(&|round| round.operations[number] / round.operations[0]);
        let (signatures, tokens) = match self.target {
            Target::None => (signatures, tokens),
            Target::Tokens => (signatures, tokens.at_most(TARGET_TOKENS)),
            Target::Signatures(limit) => (signatures.at_most(limit), tokens),
        };
        [microseconds, signatures, tokens].map(Some)
    }
}

/// What one round measured, in CPU seconds: the signature, and each of [`ROWS`].
struct Round {
    signature: f64,
    operations: Vec<f64>,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let scene = Scene::set(size.requests_per_operation)?;
    let yardstick = Yardstick::new()?;
    let measure = |round: u32| -> Outcome<Round> {
        progress::say(&format!("operations, round {} of {}", round + 1, size.rounds));
        let signature = yardstick.measure(size.signatures_per_round / 2)?;
        let operation = |row: &Row| row.measure(&scene, size.requests_per_operation);
        Ok(Round { signature, operations: ROWS.iter().map(operation).collect::<Outcome<_>>()? })
    };
    let rounds = (0..size.rounds).map(measure).collect::<Outcome<Vec<_>>>()?;
    scene.server.stop()?;
    let columns =
        [Column::less("CPU", "µs", 0), Column::less("signatures", "", 2), Column::less("tokens", "", 2)];
    let title = format!("CPU of the server for each operation, {CONNECTIONS} connections");
    let mut table = Table::new("operations", &title, columns)
        .note("As multiples of a bare RSA-2048 signature, and of a token for a developer user, both of the same round.");
    for (number, row) in ROWS.iter().enumerate() {
        table.row(row.label(), row.cells(&rounds, number));
    }
    Ok(vec![table])
}
