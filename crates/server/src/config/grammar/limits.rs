//! The table of limits.

use std::collections::BTreeMap;

use super::{Key, Kind, Table};
use crate::config::{OperationName, Rate};

pub(super) static LIMITS: Table = Table::of(
    "How often somebody may ask, such as `20/s`, `600/m` or `1000/h`: as many at once, and as many again in that time. Each \
     server counts for itself.",
    &[
        Key::new::<Rate>(
            "address",
            Kind::Text,
            "One address of the public internet (of IPv6, its /64), at all paths but `/healthz` and `/readyz`.",
        )
        .or("as often as they like")
        .read_again(),
        Key::new::<Rate>(
            "app",
            Kind::Text,
            "One app of `[[app]]`, by the `client_id` that it names at `/oauth2/token`, `/oauth2/device_authorization` and `/v1/exchange`.",
        )
        .or("as often as they like")
        .read_again(),
        Key::new::<Rate>("access_key", Kind::Text, "One developer access key that signs requests.")
            .for_driver("embedded")
            .or("as often as they like")
            .read_again(),
        Key::new::<Rate>(
            "person",
            Kind::Text,
            "Tokens for one developer user identifier, whoever asks for them.",
        )
        .or("as often as they like")
        .read_again(),
        Key::new::<BTreeMap<OperationName, Rate>>(
            "operations",
            Kind::TextByName,
            "Everybody together, for one operation of the AWS API, under its name: `GetId = \"25/s\"`.",
        )
        .for_driver("embedded")
        .read_again(),
    ],
);
