//! The table of traces.

use std::collections::BTreeMap;

use super::audit::headers;
use super::{Key, Kind, Table};
use crate::config::traces::Ratio;
use crate::secrets::SecretReference;

pub(super) static TRACES: Table = Table::of(
    "Who gets traces of requests: a collector of OpenTelemetry, by HTTP and JSON.",
    &[
        Key::new::<String>(
            "url",
            Kind::Text,
            "The whole address, such as `https://collector.example.com/v1/traces`; `http://` only on loopback and at hosts of \
             `allow_private`.",
        )
        .required(),
        Key::new::<BTreeMap<String, SecretReference>>(
            "headers",
            Kind::SecretByName,
            "Headers to send along, such as `authorization`: names, and where the values are.",
        )
        .read_by(headers),
        Key::new::<Ratio>(
            "ratio",
            Kind::Ratio,
            "Of how many requests there are traces: `1` is all of them. Who stands in `trusted_proxies` decides by \
             `traceparent` itself.",
        )
        .or("0.01"),
    ],
);
