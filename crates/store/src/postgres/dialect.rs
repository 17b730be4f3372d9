//! Which of the databases that speak PostgreSQL's protocol it is, and what the names of AWS's hosts say.

use serde::Deserialize;

use super::dsql;
use super::statements::{POSTGRESQL, Statements};

/// What a database understands, and how it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostgresDialect {
    /// PostgreSQL, and what does as it does.
    Postgresql,
    /// Amazon Aurora DSQL, which has no locks, and no keys of bytes.
    Dsql,
}

impl PostgresDialect {
    /// That of a host: DSQL's are `CLUSTER.dsql.REGION.on.aws`, or `dsql-` and some letters behind an interface endpoint.
    pub(super) fn of_host(name: &str) -> Self {
        match labels(name)[..] {
            [.., service, _, "on", "aws"] if service == "dsql" || service.starts_with("dsql-") => Self::Dsql,
            _ => Self::Postgresql,
        }
    }

    pub(super) fn statements(self) -> &'static Statements {
        match self {
            Self::Postgresql => &POSTGRESQL,
            Self::Dsql => &dsql::STATEMENTS,
        }
    }
}

/// The Region that a host of RDS or DSQL has in its name.
pub(super) fn region_of_host(name: &str) -> Option<&str> {
    match labels(name)[..] {
        [.., region, "rds", "amazonaws", "com"]
        | [.., region, "rds", "amazonaws", "com", "cn"]
        // China has both.
        | [.., "rds", region, "amazonaws", "com", "cn"] => Some(region),
        [.., region, "on", "aws"] if PostgresDialect::of_host(name) == PostgresDialect::Dsql => Some(region),
        _ => None,
    }
}

fn labels(name: &str) -> Vec<&str> {
    name.split('.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_host_tells_dialect_and_region() {
        use PostgresDialect::{Dsql, Postgresql};
        for (name, dialect, region) in [
            ("abc.dsql.eu-west-1.on.aws", Dsql, Some("eu-west-1")),
            ("abc.dsql-fnh4.us-east-1.on.aws", Dsql, Some("us-east-1")),
            ("db.abc.eu-west-1.rds.amazonaws.com", Postgresql, Some("eu-west-1")),
            ("db.cluster-abc.us-gov-west-1.rds.amazonaws.com", Postgresql, Some("us-gov-west-1")),
            ("db.abc.rds.cn-north-1.amazonaws.com.cn", Postgresql, Some("cn-north-1")),
            ("db.abc.cn-north-1.rds.amazonaws.com.cn", Postgresql, Some("cn-north-1")),
            ("db.proxy-abc.eu-west-1.rds.amazonaws.com", Postgresql, Some("eu-west-1")),
            ("abc.notdsql.eu-west-1.on.aws", Postgresql, None),
            ("abc.dsql.eu-west-1.on.aws.example.com", Postgresql, None),
            ("db.example.com", Postgresql, None),
            ("localhost", Postgresql, None),
        ] {
            assert_eq!((PostgresDialect::of_host(name), region_of_host(name)), (dialect, region), "{name}");
        }
    }
}
