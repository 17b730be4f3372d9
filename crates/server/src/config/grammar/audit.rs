//! The tables of the audit trail.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use super::secret::{reference, secret};
use super::{Key, Kind, Table, duration};
use crate::config::audit::Size;
use crate::config::export::{ExporterName, Kind as ReceiverKind, check_header};
use crate::config::{Beginning, Destination, ExportConfig};
use crate::secrets::SecretReference;

pub(super) static AUDIT: Table = Table::of(
    "What the audit trail has, and where.",
    &[
        Key::new::<bool>(
            "callers",
            Kind::Flag,
            "Whether events say where a request came from, and what the program that sent it calls itself. Both can be \
             personal data.",
        )
        .or("true"),
        Key::new::<Destination>(
            "to",
            Kind::Choice(&["files", "store", "log"]),
            "Where events are kept: in `files` beside the store or in the `store` itself, where `daypass audit` finds them, or \
             in the `log`, which is stdout, by whoever collects that, and nowhere else. Without it: beside a store that is a \
             file, in one that is a database, else the log.",
        ),
        Key::new::<String>(
            "keep",
            Kind::Duration,
            "How old events become where they are kept; `1d` at least. Without it, and without `keep_size`, everything is kept.",
        )
        .read_by(duration),
        Key::new::<Size>(
            "keep_size",
            Kind::Text,
            "How much of the trail is kept, such as `20GiB`; the oldest go. `100MiB` at least.",
        ),
        Key::new::<ExportConfig>(
            "export",
            Kind::Tables(&EXPORT),
            "Who gets the events besides, where they are kept in files or in the store.",
        ),
    ],
);

static EXPORT: Table = Table::of(
    "Who gets the events of the audit trail, in the words of OCSF: at least once each, from where it was left off.",
    &[
        Key::new::<ExporterName>(
            "name",
            Kind::Text,
            "What you call it: lowercase letters, digits, `.`, `_` and `-`. How far it has come is kept under this name.",
        )
        .required(),
        Key::new::<ReceiverKind>(
            "to",
            Kind::Choice(&["otlp", "webhook", "syslog"]),
            "How events are delivered: as logs of OpenTelemetry by HTTP and JSON, by webhooks that are signed as Standard \
             Webhooks says, or by syslog.",
        )
        .required(),
        Key::new::<String>(
            "url",
            Kind::Text,
            "The whole address, such as `https://collector.example.com/v1/logs`, and of syslog `tls://siem.example.com:6514`; \
             `http://` and `tcp://` only on loopback and at hosts of `allow_private`.",
        )
        .required(),
        Key::new::<BTreeMap<String, SecretReference>>(
            "headers",
            Kind::SecretByName,
            "With `to = \"otlp\"`, headers to send along, such as `authorization`: names, and where the values are.",
        )
        .read_by(headers),
        secret("secret", "With `to = \"webhook\"`, what signs: `whsec_`, and 24 to 64 bytes in base64."),
        Key::new::<Beginning>(
            "from",
            Kind::Choice(&["newest", "beginning"]),
            "Where it begins the first time: with what is decided from then on, or with the oldest event that is kept.",
        )
        .or("newest"),
    ],
);

pub(super) fn headers(value: &Value) -> Result<(), String> {
    let named = value.as_table().ok_or("must be a table: write [audit.export.headers], or { … }")?;
    let mut names = BTreeSet::new();
    named.iter().try_for_each(|(name, value)| {
        check_header(name).map_err(|cure| format!("{name:?} {cure}"))?;
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(format!(
                "{name:?} stands there twice: capital and small letters are the same in the name of a header"
            ));
        }
        reference(value).map_err(|cure| format!("{name}: {cure}"))
    })
}
