//! The URL of a database of PostgreSQL's. There is a password in it: no error shows any of it.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::dialect::{PostgresDialect, region_of_host};

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PostgresUrl {
    pub(super) config: Config,
    /// As many at most.
    pub(super) connections: u16,
    /// Whether statements are prepared on a connection, which a pooler may not let them be.
    pub(super) is_preparing: bool,
    /// A file of certificates to trust beside those of the system.
    pub(super) root_certificates: Option<PathBuf>,
    dialect: PostgresDialect,
    /// Whether tokens of IAM stand for a password.
    is_by_iam: bool,
    /// For which tokens are signed, if it is said.
    region: Option<String>,
}

/// Whom a token of IAM is for.
pub(super) struct IamUser<'a> {
    pub(super) name: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

const CONNECTIONS: u16 = 16;

/// What the client library takes as it is.
const PASSED_ON: [&str; 10] = [
    "application_name",
    "channel_binding",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "user",
];

const FORM: &str = "write \"postgres://USER@HOST:PORT/DATABASE\", with a port up to 65535; in USER and parameters, %40 is @, %3F is ?, %2F is /, \
                    %3A is :, %25 is %";
const PARAMETERS: &str = "after the ? stands what is not known; known are application_name, channel_binding, connections, dbname, \
                          host, hostaddr, options, port, region, sslmode, sslnegotiation, sslrootcert, statements and \
                          user, each with = and a value, and & in between";

const PORT: u16 = 5432;

const NO_IAM: &str =
    "region is for tokens of IAM: leave it out, or write password = { aws = \"iam\" } below [store]";
const NO_TLS: &str = "a token of IAM travels by TLS alone: write sslmode=require";
const NO_USER: &str = "a token of IAM is for a user: write \"postgres://USER@HOST/DATABASE\"";
const NO_HOST: &str = "a token of IAM is for one host: name one alone, as AWS calls it, and no address (that may stand in hostaddr)";

impl PostgresUrl {
    /// Has the relative path of a file start from `base`.
    pub fn start_from(&mut self, base: &Path) {
        if let Some(file) = &mut self.root_certificates {
            *file = base.join(&*file);
        }
    }

    /// Whether a password stands in it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same, with a password.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.config.password(password);
        self.by_password()
    }

    /// The same, for a password that is still to come.
    #[must_use]
    pub fn by_password(mut self) -> Self {
        self.is_by_iam = false;
        self
    }

    /// The same, with tokens of IAM for a password.
    #[must_use]
    pub fn by_iam(mut self) -> Self {
        self.is_by_iam = true;
        self
    }

    /// The same, for a database of this dialect. DSQL lets nobody in but by IAM.
    #[must_use]
    pub fn with_dialect(mut self, dialect: PostgresDialect) -> Self {
        self.dialect = dialect;
        self.is_by_iam = dialect == PostgresDialect::Dsql && !self.has_password();
        self
    }

    /// What it is, by the name of its host if nobody has said it.
    #[must_use]
    pub fn dialect(&self) -> PostgresDialect {
        self.dialect
    }

    /// What is said of IAM and contradicts the rest, with the cure.
    #[must_use]
    pub fn contradiction(&self) -> Option<&'static str> {
        match self.is_by_iam {
            false if self.region.is_some() => Some(NO_IAM),
            true if !self.is_with_tls() => Some(NO_TLS),
            true if self.config.get_user().is_none() => Some(NO_USER),
            true if self.iam_user().is_none() => Some(NO_HOST),
            _ => None,
        }
    }

    /// Whom tokens are for, if IAM lets in, and they can be for anybody.
    pub(super) fn iam_user(&self) -> Option<IamUser<'_>> {
        let ([Host::Tcp(host)], name, true) =
            (self.config.get_hosts(), self.config.get_user()?, self.is_by_iam)
        else {
            return None;
        };
        let port = self.config.get_ports().first().copied().unwrap_or(PORT);
        host.parse::<IpAddr>().is_err().then_some(IamUser { name, host, port })
    }

    /// The Region that tokens are signed for, as far as the URL or the name of the host says it.
    pub(super) fn region(&self) -> Option<&str> {
        let of_host = || region_of_host(self.iam_user()?.host);
        self.region.as_deref().or_else(of_host)
    }

    /// Whether what is asked and answered travels to another machine as it is.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        !self.is_with_tls() && !is_on_this_machine(&self.config)
    }

    pub(super) fn is_with_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }
}

impl TryFrom<String> for PostgresUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        parse(&url).map_err(|wrong| format!("a store in PostgreSQL: {wrong}"))
    }
}

/// Where it is: neither who connects, nor a password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let addresses = self.config.get_hostaddrs().iter().map(IpAddr::to_string);
        let hosts: Vec<String> = if names.len() > 0 { names.collect() } else { addresses.collect() };
        write!(to, "PostgreSQL at {}", hosts.join(","))?;
        for port in self.config.get_ports() {
            write!(to, ", port {port}")?;
        }
        self.config.get_dbname().map_or(Ok(()), |name| write!(to, ", database {name}"))
    }
}

fn parse(url: &str) -> Result<PostgresUrl, &'static str> {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    // The library takes the first @ for the end of the password, wherever it is.
    if !(place.starts_with("postgres://") || place.starts_with("postgresql://"))
        || place.matches('@').count() > 1
        || parameters.contains('@')
    {
        return Err(FORM);
    }
    let (mut passed_on, mut tls, mut connections, mut is_preparing) = (Vec::new(), None, CONNECTIONS, true);
    let (mut root_certificates, mut region) = (None, None);
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) =
            parameter.split_once('=').filter(|(_, value)| !value.is_empty()).ok_or(PARAMETERS)?;
        match name {
            "connections" => connections = number_of_connections(value)?,
            "statements" => is_preparing = are_named(value)?,
            "sslmode" => tls = Some(is_tls_wanted(value)?),
            "sslrootcert" => root_certificates = Some(path(value)?),
            "region" => region = Some(name_of_region(value)?),
            name if PASSED_ON.contains(&name) => passed_on.push(parameter),
            _ => return Err(PARAMETERS),
        }
    }
    let mut config: Config = format!("{place}?{}", passed_on.join("&")).parse().map_err(|_| FORM)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err("it names no host: write \"postgres://USER@HOST:PORT/DATABASE\"");
    }
    let tls = tls.unwrap_or(root_certificates.is_some() || !is_on_this_machine(&config));
    if root_certificates.is_some() && !tls {
        return Err("without TLS there is nobody to trust: leave out sslrootcert or sslmode=disable");
    }
    config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    if config.get_application_name().is_none() {
        config.application_name("daypass");
    }
    let dialect = match config.get_hosts() {
        [Host::Tcp(name)] => PostgresDialect::of_host(name),
        _ => PostgresDialect::Postgresql,
    };
    let url = PostgresUrl {
        config,
        connections,
        is_preparing,
        root_certificates,
        dialect,
        is_by_iam: false,
        region,
    };
    Ok(url.with_dialect(dialect))
}

fn number_of_connections(value: &str) -> Result<u16, &'static str> {
    value.parse().map(NonZeroU16::get).map_err(|_| "connections is a number from 1 to 65535")
}

fn name_of_region(value: &str) -> Result<String, &'static str> {
    let is_name = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    is_name.then(|| value.to_owned()).ok_or("region is a Region of AWS, such as eu-west-1")
}

fn are_named(value: &str) -> Result<bool, &'static str> {
    match value {
        "named" => Ok(true),
        "unnamed" => Ok(false),
        _ => Err(
            "statements is named, or unnamed behind a pooler that gives a connection to others after a transaction",
        ),
    }
}

fn is_tls_wanted(value: &str) -> Result<bool, &'static str> {
    match value {
        // Whoever is asked for a certificate has to have the right one, in any case.
        "require" | "verify-full" => Ok(true),
        "disable" => Ok(false),
        _ => Err(
            "sslmode is require or verify-full, which mean the same, or disable: with anything else, whoever sits \
                  between the two could do away with TLS, or take the server's place",
        ),
    }
}

fn path(value: &str) -> Result<PathBuf, &'static str> {
    percent_decode_str(value).decode_utf8().map(|path| PathBuf::from(path.as_ref())).map_err(|_| FORM)
}

fn is_on_this_machine(config: &Config) -> bool {
    let is_near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    };
    config.get_hosts().iter().all(is_near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<PostgresUrl, String> {
        url.to_owned().try_into()
    }

    #[test]
    fn a_url_says_where_and_how() {
        let url = read("postgresql://ada:p%40ss%3Fw@db1.example,db2.example:6432/daypass").unwrap();
        assert_eq!(
            url.to_string(),
            "PostgreSQL at db1.example,db2.example, port 5432, port 6432, database daypass"
        );
        assert_eq!(url.config.get_password(), Some(&b"p@ss?w"[..]));
        assert_eq!(url.config.get_application_name(), Some("daypass"));
        assert_eq!((url.connections, url.is_preparing, &url.root_certificates), (16, true, &None));
        let mut url = read(
            "postgres://ada@db/d?connections=3&statements=unnamed&sslrootcert=my%20ca.pem&application_name=blue&options=-c%20a%3Db",
        )
        .unwrap();
        url.start_from(Path::new("/etc"));
        assert_eq!((url.connections, url.is_preparing), (3, false));
        assert_eq!(url.root_certificates, Some("/etc/my ca.pem".into()));
        assert_eq!(url.config.get_application_name(), Some("blue"));
        assert_eq!(url.config.get_options(), Some("-c a=b"));
    }

    #[test]
    fn only_a_server_of_this_machine_is_asked_without_tls() {
        for (url, tls) in [
            ("postgres://ada@db.example/d", true),
            ("postgres://ada@10.0.0.1/d", true),
            ("postgres://ada@localhost,db.example/d", true),
            ("postgres://ada@localhost/d?hostaddr=10.0.0.1", true),
            ("postgres://ada@db.example/d?hostaddr=127.0.0.1", true),
            ("postgres://ada@localhost.example/d", true),
            ("postgres://ada@db.example/d?sslmode=verify-full", true),
            ("postgres://ada@db.example/d?sslmode=disable", false),
            ("postgres://ada@localhost/d", false),
            ("postgres://ada@127.0.0.1:6432/d", false),
            ("postgres://ada@[::1]:6432/d", false),
            ("postgres:///d?host=/run/postgresql", false),
            ("postgres://ada@%2Frun%2Fpostgresql/d", false),
            ("postgres://ada@localhost/d?sslmode=require", true),
            ("postgres://ada@localhost/d?sslrootcert=ca.pem", true),
        ] {
            assert_eq!(read(url).unwrap().is_with_tls(), tls, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for (url, told) in [
            ("mysql://ada:hunter2@db/d", "write \"postgres://"),
            ("postgres:ada:hunter2@db/d", "write \"postgres://"),
            ("postgres://ada:hunter2/d", "write \"postgres://"),
            ("postgres://ada:hun@ter2@db/d", "%40 is @"),
            ("postgres://ada:hunter2@db:port/d", "write \"postgres://"),
            ("postgres://ada:hunter2?x@db/d", "%3F is ?"),
            ("postgres://ada:hunter2@/d", "names no host"),
            ("postgres://ada:hunter2@db/d?hunter2=x", "known are application_name"),
            ("postgres://ada:hunter2@db/d?sslmode", "known are application_name"),
            ("postgres://ada:hunter2@db/d?sslrootcert=", "known are application_name"),
            ("postgres://ada:hunter2@db/d?connect_timeout=3", "known are application_name"),
            ("postgres://ada:hunter2@db/d?sslmode=prefer", "require or verify-full"),
            ("postgres://ada:hunter2@db/d?sslmode=allow", "require or verify-full"),
            ("postgres://ada:hunter2@db/d?sslmode=disable&sslrootcert=ca.pem", "nobody to trust"),
            ("postgres://ada:hunter2@db/d?connections=0", "a number from 1"),
            ("postgres://ada:hunter2@db/d?connections=hunter2", "a number from 1"),
            ("postgres://ada:hunter2@db/d?statements=hunter2", "named, or unnamed"),
            ("postgres://ada@db:99999/d", "a port up to 65535"),
            ("postgres://ada:hunter2@db/d?port=hunter2", "write \"postgres://"),
            ("postgres://ada:hunter2@db/d?region=hunter2%2F", "such as eu-west-1"),
        ] {
            let wrong = read(url).unwrap_err();
            assert!(wrong.contains(told), "{url}: {wrong}");
            assert!(!wrong.contains("hunter2"), "{wrong}");
        }
        let url = read("postgres://ada:hunter2@db/d").unwrap();
        assert!(!format!("{url:?} {url}").contains("hunter2"));
    }

    #[test]
    fn a_token_of_iam_is_for_one_user_of_one_host_behind_tls() {
        let asked = |url: &str| read(url).unwrap().by_iam().contradiction();
        for (url, contradiction) in [
            ("postgres://ada@db.example/d", None),
            ("postgres://ada@db.example:6432/d?region=eu-west-1&hostaddr=10.0.0.1", None),
            ("postgres://ada@localhost/d?sslmode=require", None),
            ("postgres://ada@db.example/d?sslmode=disable", Some(NO_TLS)),
            ("postgres://ada@localhost/d", Some(NO_TLS)),
            ("postgres://db.example/d", Some(NO_USER)),
            ("postgres://ada@one.example,two.example/d", Some(NO_HOST)),
            ("postgres://ada@10.0.0.1/d", Some(NO_HOST)),
            ("postgres://ada@/d?hostaddr=10.0.0.1", Some(NO_HOST)),
            ("postgres://ada@%2Frun%2Fpostgresql/d?sslmode=require", Some(NO_HOST)),
        ] {
            assert_eq!(asked(url), contradiction, "{url}");
        }
        let by_password = |url: &str| read(url).unwrap().contradiction();
        assert_eq!(by_password("postgres://ada@db.example/d"), None);
        assert_eq!(by_password("postgres://ada@db.example/d?region=eu-west-1"), Some(NO_IAM));
    }

    #[test]
    fn dsql_is_told_by_its_host_and_lets_in_by_iam() {
        use PostgresDialect::{Dsql, Postgresql};
        let cluster = read("postgres://admin@abc.dsql.eu-west-1.on.aws/postgres").unwrap();
        assert_eq!((cluster.dialect(), cluster.is_by_iam), (Dsql, true));
        let other = cluster.clone().with_password("x");
        assert_eq!((other.dialect(), other.is_by_iam), (Dsql, false));
        let other = cluster.with_dialect(Postgresql);
        assert_eq!((other.dialect(), other.is_by_iam), (Postgresql, false));
        let plain = read("postgres://ada@db.example/d").unwrap();
        assert_eq!((plain.dialect(), plain.is_by_iam), (Postgresql, false));
        let other = plain.clone().with_dialect(Dsql);
        assert_eq!((other.dialect(), other.is_by_iam), (Dsql, true));
        let other = plain.by_iam();
        assert_eq!((other.dialect(), other.is_by_iam), (Postgresql, true));
    }

    #[test]
    fn every_parameter_that_is_passed_on_is_known() {
        // A password is refused with the cure, and nobody is led to write one.
        for name in PASSED_ON.iter().filter(|name| **name != "password") {
            assert!(PARAMETERS.contains(name), "{name}");
        }
    }
}
