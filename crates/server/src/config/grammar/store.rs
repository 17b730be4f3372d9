//! The table of the store.

use daypass_store::{PostgresDialect, StoreUrl};
use toml::Value;

use super::secret::store_password;
use super::{Key, Kind, Table};

pub(super) static STORE: Table = Table::of(
    "Where everything is kept.",
    &[
        Key::new::<StoreUrl>(
            "url",
            Kind::Text,
            "`sqlite:FILE`; `postgres://USER@HOST/DATABASE` or `dynamodb:TABLE`, which any number of servers may share; or \
             `memory:`, which is gone with the process. A relative path starts from the configuration.",
        )
        .required(),
        Key::new::<Value>(
            "password",
            Kind::SecretOrIam,
            "The password of the user that the URL of PostgreSQL names; or, in RDS, Aurora and DSQL, a token that is signed for each \
             connection with the AWS credentials that are there.",
        )
        .read_by(store_password)
        .or("of DSQL a token, else none"),
        Key::new::<PostgresDialect>(
            "dialect",
            Kind::Choice(&["postgresql", "dsql"]),
            "Which database it is, if not its host says it: PostgreSQL, or Amazon Aurora DSQL.",
        )
        .or("`dsql` of a host `*.dsql.*.on.aws`, else `postgresql`"),
        Key::new::<bool>(
            "migrate",
            Kind::Flag,
            "Whether a start makes the store where it is missing, and brings an older one to the version of the program. With \
             `false`, `daypass migrate` and `daypass store create` alone do, and a start says so.",
        )
        .or("true"),
    ],
);
