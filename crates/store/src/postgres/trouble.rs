//! What keeps PostgreSQL from its work, and the cure: every error that it has, in one place, in words for the operator.

use std::error::Error as StdError;
use std::path::PathBuf;

use daypass_core::store::items::engine::EngineError;
use deadpool::managed::{PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::dialect::PostgresDialect;
use super::iam::IamError;
use super::manager::ConnectError;

/// Why a database of PostgreSQL's cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresOpenError {
    /// There are no tables of ours.
    #[error(
        "there are no tables of Daypass in {place}: start Daypass with it once, or ask `daypass migrate -c FILE`, which make them \
         (the first does not where [store] has migrate = false); or see whether database and search path of the URL are the right \
         ones"
    )]
    NotThere {
        /// Where it was looked for.
        place: String,
    },
    /// They are those of a program that was never released.
    #[error(
        "the tables in {place} are those of a Daypass of before the first release, and this one cannot read what is in them: copy it \
         into a file by that older program (`daypass store copy --to sqlite:FILE`), and from there into a new database by this one; or, \
         if nothing in them is of use, name a new database, or `DROP TABLE IF EXISTS daypass_item, daypass_schema, daypass_migration`"
    )]
    Unreleased {
        /// Where they are.
        place: String,
    },
    /// They are those of an older program, and stay so.
    #[error(
        "the tables in {place} have version {found}, and this Daypass needs version {known}: `daypass migrate -c FILE` brings them \
         there, by a user who may make tables, and so does a start unless [store] has migrate = false"
    )]
    Older {
        /// Where they are.
        place: String,
        /// Their version.
        found: i64,
        /// The version that this program knows.
        known: i64,
    },
    /// A newer Daypass has changed the tables, and this one cannot live with it.
    #[error(
        "the tables in {place} want a Daypass that knows version {wanted}, and this one knows version {known}: run the newer Daypass"
    )]
    Newer {
        /// Where they are.
        place: String,
        /// The version that a program has to know.
        wanted: i64,
        /// The version that this program knows.
        known: i64,
    },
    /// Somebody else is changing the tables.
    #[error(
        "another Daypass changes the tables in {place}, and was not done within {seconds} seconds: see what its log says, and start \
         again. If it ended, its turn is over within a minute; who is at the tables, `pg_stat_activity` tells"
    )]
    Occupied {
        /// Where they are.
        place: String,
        /// For how long they were waited for.
        seconds: u64,
    },
    /// There is no certificate to trust.
    #[error(
        "cannot read {file}, the `sslrootcert` of the store's URL: {source}; it has to be a file of certificates in PEM"
    )]
    RootCertificates {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// TLS has nobody to trust.
    #[error(
        "cannot tell whom to trust in TLS: {0}; install the system's certificates, Debian's `ca-certificates`"
    )]
    Tls(#[from] rustls::Error),
    /// What is said of IAM contradicts the rest of the URL.
    #[error("{place}: {cure}")]
    Contradiction {
        /// Where it is.
        place: String,
        /// What is wrong, and the cure.
        cure: &'static str,
    },
    /// There is no token of IAM to be let in by.
    #[error("{place}: {source}")]
    Iam {
        /// Where it is.
        place: String,
        /// Why not.
        source: IamError,
    },
    /// It does not answer, or refuses.
    #[error(transparent)]
    Trouble(Trouble),
}

impl From<Failure> for PostgresOpenError {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure.trouble)
    }
}

/// What PostgreSQL said, or what was said of it, with the cure.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {cure} (PostgreSQL: {said})")]
pub struct Trouble {
    place: String,
    cure: &'static str,
    said: String,
}

/// Where the trouble is.
pub(super) struct Place {
    /// In words.
    pub(super) name: String,
    pub(super) dialect: PostgresDialect,
    /// Whether tokens of IAM let in.
    pub(super) is_by_iam: bool,
}

impl Place {
    /// Whether the database is away for a moment, as DSQL says it: it may have done what it was asked.
    fn is_away(&self, code: &SqlState) -> bool {
        self.dialect == PostgresDialect::Dsql && *code == SqlState::INTERNAL_ERROR
    }

    /// What the operator can do if nobody is let in.
    fn entrance(&self, code: &SqlState, said: &str) -> Option<&'static str> {
        let is_shut = code.code().starts_with("28")
            || ["access denied", "IAM authentication failed"].iter().any(|words| said.contains(words));
        (self.is_by_iam && is_shut).then_some(match self.dialect {
            PostgresDialect::Postgresql => {
                "it does not accept the token of IAM: the credentials need rds-db:connect for this user, the user needs the role \
                 rds_iam (`GRANT rds_iam TO …`), the instance IAM authentication, and this machine the right time"
            }
            PostgresDialect::Dsql => {
                "it does not accept the token of IAM: the credentials need dsql:DbConnect for the cluster (dsql:DbConnectAdmin for \
                 admin), any other user needs `AWS IAM GRANT`, and this machine the right time"
            }
        })
    }
}

/// A statement without an answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) code: Option<SqlState>,
    trouble: Trouble,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing was done, and asked again it may go well.
    Busy,
    /// It was asked, and nobody knows what became of it.
    Cut,
    /// Nothing was done, because less could be done than is due.
    Short,
    /// Nothing was done, because the statement that was prepared is another connection's.
    Unprepared,
    /// Nothing was done, and asked again it would be the same.
    Refused,
}

impl Failure {
    /// Of the way to a connection: nothing was asked.
    pub(super) fn unreached(place: &Place, error: &PoolError<ConnectError>) -> Self {
        let (code, said) = match error {
            PoolError::Backend(ConnectError::Postgres(error)) => (error.code(), said(error)),
            PoolError::Backend(ConnectError::Iam(error)) => return Self::unsigned(place, error),
            error => (None, error.to_string()),
        };
        let kind = match (error, code) {
            (PoolError::Timeout(TimeoutType::Wait), _) => Kind::Busy,
            (_, Some(code)) if is_busy(code) || place.is_away(code) => Kind::Busy,
            _ => Kind::Refused,
        };
        let cure = match (kind, code) {
            (_, Some(code)) => place.entrance(code, &said).unwrap_or_else(|| cure(code)),
            (Kind::Busy, None) => {
                "every connection is in use: what is asked takes long, or `connections` of the URL is small"
            }
            (_, None) if said.ends_with("password missing") => {
                "it asks for a password: [store] password of a configuration says where that is; where a URL was named, name such a \
                 configuration instead"
            }
            (_, None) if matches!(error, PoolError::Timeout(TimeoutType::Create)) => {
                "it does not answer in time: it hangs, or something on the way to it lets nothing through"
            }
            (_, None) => {
                "it cannot be reached: see whether it runs and lets write, whether host and port of the URL are right, and whether \
                 its certificate is for the host (`sslrootcert=FILE` in the URL has it trusted)"
            }
        };
        Self::new(kind, code, place, cure, said)
    }

    /// Of a token that there is not: nothing was asked.
    fn unsigned(place: &Place, error: &IamError) -> Self {
        let cure = "there is no token of IAM to be let in by; once there is, Daypass goes on by itself";
        Self::new(Kind::Refused, None, place, cure, format!("not asked: {error}"))
    }

    /// Of a statement that was sent.
    pub(super) fn asked(place: &Place, error: &Error) -> Self {
        // With any other severity the session is over, perhaps after the change.
        let refusal = error.as_db_error().filter(|error| error.parsed_severity() == Some(Severity::Error));
        let refusal = refusal.filter(|refusal| !place.is_away(refusal.code()));
        let kind = refusal.map_or(Kind::Cut, |refusal| kind(refusal.code()));
        let cure = error.code().map_or("the connection broke; asked again, it is made anew", cure);
        Self::new(kind, error.code(), place, cure, said(error))
    }

    /// Of a statement that took too long.
    pub(super) fn late(place: &Place) -> Self {
        let cure = "it does not answer in time: it is overloaded, or somebody holds a lock (`pg_stat_activity` tells)";
        Self::new(Kind::Cut, None, place, cure, "no answer".to_owned())
    }

    fn new(kind: Kind, code: Option<&SqlState>, place: &Place, cure: &'static str, said: String) -> Self {
        Self { kind, code: code.cloned(), trouble: Trouble { place: place.name.clone(), cure, said } }
    }

    /// Whether the connection is as good as before.
    pub(super) fn leaves_the_session(&self) -> bool {
        matches!(self.kind, Kind::Busy | Kind::Short)
    }
    /// What it means if it may be asked again.
    pub(super) fn of_reading(self) -> EngineError {
        match self.kind {
            Kind::Busy | Kind::Cut => EngineError::Busy(self.trouble.into()),
            Kind::Short | Kind::Unprepared | Kind::Refused => EngineError::Unavailable(self.trouble.into()),
        }
    }

    /// What it means if it may have been done.
    pub(super) fn of_commit(self) -> EngineError {
        match self.kind {
            Kind::Cut => EngineError::Lost(self.trouble.into()),
            _ => self.of_reading(),
        }
    }
}

/// Of a row that does not say what it should.
pub(super) fn unreadable(error: impl StdError + Send + Sync + 'static) -> EngineError {
    EngineError::Unavailable(Box::new(error))
}

/// What a refusal of a statement means.
fn kind(code: &SqlState) -> Kind {
    match *code {
        SqlState::DIVISION_BY_ZERO => Kind::Short,
        // The last one is what comes of a statement of the same name with other parameters.
        SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::DUPLICATE_PSTATEMENT
        | SqlState::PROTOCOL_VIOLATION => Kind::Unprepared,
        SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN => Kind::Cut,
        ref code if code.code().starts_with("08") => Kind::Cut,
        ref code if is_busy(code) => Kind::Busy,
        _ => Kind::Refused,
    }
}

/// DSQL's `OC000` (somebody has written the same) and `OC001` (a table is another one since) stand in the text of a 40001. Its
/// documentation has them in the place of the code, too.
fn is_conflict(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || matches!(code.code(), "OC000" | "OC001")
}

fn is_busy(code: &SqlState) -> bool {
    is_conflict(code)
        || matches!(
            *code,
            SqlState::T_R_DEADLOCK_DETECTED
                | SqlState::LOCK_NOT_AVAILABLE
                | SqlState::QUERY_CANCELED
                | SqlState::TOO_MANY_CONNECTIONS
                | SqlState::CONFIGURATION_LIMIT_EXCEEDED
                | SqlState::CANNOT_CONNECT_NOW
        )
}

/// What the operator can do about an error.
fn cure(code: &SqlState) -> &'static str {
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "it does not let this user in: see to user and password of the URL, and to its pg_hba.conf"
        }
        SqlState::INVALID_CATALOG_NAME => {
            "there is no such database: make it, or name another one in the URL"
        }
        SqlState::INVALID_SCHEMA_NAME => {
            "the search path leads to no schema that this user may use: make one, or name another one (`options` of the URL)"
        }
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "the user of the URL must be allowed to read and write daypass_item, and to read daypass_schema and daypass_migration; \
             to make them is for the owner of the schema (docs/postgresql.md has the rights)"
        }
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN => {
            "the tables of Daypass are gone or changed: put a backup in their place, and start Daypass again"
        }
        SqlState::SYNTAX_ERROR
        | SqlState::UNDEFINED_FUNCTION
        | SqlState::DATATYPE_MISMATCH
        | SqlState::FEATURE_NOT_SUPPORTED => {
            "it does not understand what it is asked: see whether it has the `dialect` that counts below [store], and whether tables \
             that are there were made for another one"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            "it only lets read: name the server that lets write in the URL"
        }
        SqlState::DISK_FULL => "its disk is full: make space, and Daypass goes on by itself",
        SqlState::OUT_OF_MEMORY => "it has no memory left: give it more, or less to do",
        SqlState::TOO_MANY_CONNECTIONS | SqlState::CONFIGURATION_LIMIT_EXCEEDED => {
            "it takes no more connections: `connections` of the URL, for all processes together, must be below its limit"
        }
        SqlState::CANNOT_CONNECT_NOW
        | SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::DATABASE_DROPPED => "it starts or stops: once it runs, Daypass goes on by itself",
        ref code if is_busy(code) => "others are at the same; asking again helps",
        _ => "it refuses what Daypass asks: its log may tell more; if that does not help, please report this",
    }
}

/// An error with its causes, but without what may show a key (DETAIL of the server's).
fn said(error: &Error) -> String {
    let mut said = error.as_db_error().map_or_else(|| error.to_string(), of_server);
    let mut cause = error.source().filter(|cause| !cause.is::<DbError>());
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

fn of_server(error: &DbError) -> String {
    format!("{} [{}]", error.message(), error.code().code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_means() {
        for (code, expected) in [
            ("22012", Kind::Short),
            ("26000", Kind::Unprepared),
            ("42P05", Kind::Unprepared),
            ("08P01", Kind::Unprepared),
            ("08006", Kind::Cut),
            ("40003", Kind::Cut),
            ("40001", Kind::Busy),
            ("OC000", Kind::Busy),
            ("OC001", Kind::Busy),
            ("40P01", Kind::Busy),
            ("55P03", Kind::Busy),
            ("57014", Kind::Busy),
            ("53300", Kind::Busy),
            ("53400", Kind::Busy),
            ("57P03", Kind::Busy),
            ("25006", Kind::Refused),
            ("42501", Kind::Refused),
            ("53100", Kind::Refused),
            ("54000", Kind::Refused),
            ("XX000", Kind::Refused),
        ] {
            assert_eq!(kind(&SqlState::from_code(code)), expected, "{code}");
        }
    }

    fn place(dialect: PostgresDialect, is_by_iam: bool) -> Place {
        Place { name: "db".to_owned(), dialect, is_by_iam }
    }

    #[test]
    fn dsql_is_away_for_a_moment_where_postgresql_has_a_fault() {
        use PostgresDialect::{Dsql, Postgresql};
        let [fault, other] = ["XX000", "42501"].map(SqlState::from_code);
        assert!(place(Dsql, true).is_away(&fault) && !place(Dsql, true).is_away(&other));
        assert!(!place(Postgresql, false).is_away(&fault));
    }

    #[test]
    fn whoever_is_not_let_in_by_iam_is_told_what_iam_asks_for() {
        use PostgresDialect::{Dsql, Postgresql};
        let cure = |dialect, is_by_iam, code, said| {
            place(dialect, is_by_iam).entrance(&SqlState::from_code(code), said).unwrap_or("none")
        };
        assert!(cure(Postgresql, true, "28000", "PAM authentication failed").contains("rds-db:connect"));
        assert!(cure(Postgresql, true, "28P01", "").contains("rds_iam"));
        assert!(
            cure(Dsql, true, "08006", "unable to accept connection, access denied")
                .contains("dsql:DbConnect")
        );
        assert_eq!(cure(Postgresql, false, "28P01", ""), "none");
        assert_eq!(cure(Dsql, true, "53300", "too many open connections"), "none");
    }
}
