//! The URL of a table of DynamoDB's.

use std::fmt;

use serde::Deserialize;

/// `dynamodb:TABLE?PARAMETERS`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DynamoUrl {
    pub(super) table: String,
    /// That of the environment, unless it is said.
    pub(super) region: Option<String>,
    /// AWS's, unless it is said.
    pub(super) endpoint: Option<String>,
}

/// How this machine is called.
const NEAR: [&str; 5] = ["localhost:", "localhost/", "127.", "[::1]:", "[::1]/"];

const FORM: &str = "write \"dynamodb:TABLE\", where TABLE has 3 to 255 letters, digits and _.-";
const PARAMETERS: &str = "after the ? stands what is not known; known are region and endpoint, each with = and a value, and & in \
                          between";

impl TryFrom<String> for DynamoUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        parse(&url).map_err(|wrong| format!("a store in DynamoDB: {wrong}"))
    }
}

fn parse(url: &str) -> Result<DynamoUrl, &'static str> {
    let rest = url.strip_prefix("dynamodb:").ok_or(FORM)?;
    let (table, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !(3..=255).contains(&table.len()) || !table.chars().all(is_letter) {
        return Err(FORM);
    }
    let mut parsed = DynamoUrl { table: table.to_owned(), region: None, endpoint: None };
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) =
            parameter.split_once('=').filter(|(_, value)| !value.is_empty()).ok_or(PARAMETERS)?;
        match name {
            "region" => parsed.region = Some(value.to_owned()),
            "endpoint" if is_endpoint(value) => parsed.endpoint = Some(value.to_owned()),
            "endpoint" => return Err("endpoint is https://HOST, or http://HOST:PORT of an emulator"),
            _ => return Err(PARAMETERS),
        }
    }
    Ok(parsed)
}

/// Nobody is let in by what stands in it.
fn is_endpoint(value: &str) -> bool {
    (value.starts_with("https://") || value.starts_with("http://")) && !value.contains('@')
}

impl DynamoUrl {
    /// The name of the table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The Region, if it is said.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Whether what is asked and answered travels to another machine as it is.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        let host = self.endpoint.as_deref().and_then(|endpoint| endpoint.strip_prefix("http://"));
        host.is_some_and(|host| !NEAR.iter().any(|near| host.starts_with(near)))
    }
}

/// Where it is.
impl fmt::Display for DynamoUrl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "DynamoDB table {}", self.table)?;
        if let Some(region) = &self.region {
            write!(to, " in {region}")?;
        }
        if let Some(endpoint) = &self.endpoint {
            write!(to, " at {endpoint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<DynamoUrl, String> {
        DynamoUrl::try_from(text.to_owned())
    }

    #[test]
    fn a_url_names_a_table_and_may_say_where_it_is() {
        let plain = url("dynamodb:daypass").unwrap();
        assert_eq!((plain.region, plain.endpoint), (None, None));
        let there = url("dynamodb:my-table_1.x?region=eu-west-1&endpoint=http://127.0.0.1:8000").unwrap();
        assert_eq!(there.to_string(), "DynamoDB table my-table_1.x in eu-west-1 at http://127.0.0.1:8000");
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_shown() {
        for wrong in [
            "dynamodb:",
            "dynamodb:ab",
            "dynamodb:a/b/c",
            "dynamodb:daypass?key=hunter2",
            "dynamodb:daypass?region",
            "dynamodb:daypass?endpoint=localhost",
            "dynamodb:daypass?endpoint=http://me:hunter2@localhost",
        ] {
            let refused = url(wrong).unwrap_err();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn an_emulator_on_another_machine_is_in_the_clear() {
        let is_clear =
            |endpoint: &str| url(&format!("dynamodb:daypass{endpoint}")).unwrap().is_in_the_clear();
        assert!(is_clear("?endpoint=http://db.example.com:8000"));
        for not in ["", "?endpoint=https://db.example.com", "?endpoint=http://localhost:8000"] {
            assert!(!is_clear(not), "{not}");
        }
    }
}
