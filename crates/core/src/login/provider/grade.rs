//! How well a provider can show that a proof was issued to our client, in one letter (docs/reference/providers.md, 2.1).

use std::fmt;

use super::definition::{Binding, Definition, ProofKind};

/// The best evidence that a provider gives. A code is good at every one of them: it is redeemed with our
/// client's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// An ID token whose audience is our client.
    A,
    /// An answer to the access token itself that names the client.
    B,
    /// A call with our client's credentials that turns other clients' tokens away.
    C,
    /// A signature made with a secret of ours.
    D,
    /// Nothing: authorization codes alone are good.
    N,
}

impl Grade {
    /// What the letter stands for, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::A => "an ID token, whose audience is your client",
            Self::B => "an answer to the access token itself, which names your client",
            Self::C => "a call with your client's credentials, which turns other clients' tokens away",
            Self::D => "a signature made with your client's secret",
            Self::N => "nothing but the redemption of a code: a bare access token is anybody's",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::N => "N",
        })
    }
}

impl Definition {
    /// The provider's grade, by its block.
    #[must_use]
    pub fn grade(&self) -> Grade {
        match self.binding {
            _ if self.accept.contains(&ProofKind::IdToken) => Grade::A,
            Binding::IdToken => Grade::A,
            Binding::Profile(_) | Binding::Endpoint(_) => Grade::B,
            Binding::ClientAuthEndpoint(_) => Grade::C,
            Binding::Signature => Grade::D,
            Binding::None => Grade::N,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(accept: &str, more: &str) -> Grade {
        let block = format!(
            r#"
            name = "A"
            register = "Ask."
            id_scope = "global"
            accept = {accept}
            [profile]
            url = "https://a.example.com/me"
            subject = {{ at = "/id" }}
            {more}
            "#
        );
        Definition::from_catalogue("of-our-own", block.parse().unwrap()).unwrap().grade()
    }

    #[test]
    fn the_grade_is_the_best_evidence_that_a_block_describes() {
        let id_token =
            "[id_token]\nissuers = [\"https://a\"]\nkeys = \"client_secret\"\nsubject = { at = \"/sub\" }\n";
        let none = "[binding]\nkind = \"none\"";
        let client = "client = { at = \"/aud\" }";
        let url = "url = \"https://a.example.com/token\"";
        for (accept, more, expected) in [
            ("[\"access_token\", \"id_token\"]", format!("{id_token}{none}"), Grade::A),
            ("[\"id_token\"]", format!("{id_token}[binding]\nkind = \"id_token\""), Grade::A),
            ("[\"access_token\"]", format!("[binding]\nkind = \"profile\"\n{client}"), Grade::B),
            ("[\"access_token\"]", format!("[binding]\nkind = \"endpoint\"\n{url}\n{client}"), Grade::B),
            (
                "[\"access_token\"]",
                format!(
                    "[binding]\nkind = \"client_auth_endpoint\"\nauth = \"client_basic\"\n{url}\n{client}\n\
                     method = \"POST\"\nform = {{ token = \"{{token}}\" }}"
                ),
                Grade::C,
            ),
            (
                "[\"signed_fields\"]",
                "[openid2]\nendpoint = \"https://a.example.com/\"\nidentifier_prefix = \"https://a/\"\n\
                 [binding]\nkind = \"signature\""
                    .to_owned(),
                Grade::D,
            ),
            ("[\"access_token\"]", none.to_owned(), Grade::N),
        ] {
            assert_eq!(grade(accept, &more), expected, "{more}");
        }
    }
}
