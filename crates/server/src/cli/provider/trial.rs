//! `daypass provider try`: the real engine against the live provider, each step told. What is told can go into
//! a ticket: tokens are cut short, and our secret is nowhere.

mod trace;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use aws_lc_rs::digest;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use clap::Args;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::ProofKind;
use daypass_core::login::provider::{
    AuthorizeRequest, Engine, ProofError, Provider, UnverifiedProof, VerifiedLogin,
};

use self::trace::Trace;
use crate::cli::print;
use crate::config::{Config, ConfigFile};
use crate::provider_http::{Limits, Reach, ReqwestHttp, loopback};
use crate::secrets::{self, AwsSecrets, Secrets};

/// Which provider, and what it is to confirm.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The provider's ID in the file
    #[arg(value_name = "ID")]
    id: String,
    /// The file with the block of the provider, as `daypass up --config` takes it
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// An authorization code, from the address that the provider sent you back to
    #[arg(long, requires = "redirect_uri", value_parser = secret, allow_hyphen_values = true)]
    code: Option<Secret>,
    /// The verifier that was printed when the login was started
    #[arg(long, value_name = "VERIFIER", requires = "code", value_parser = secret, allow_hyphen_values = true)]
    code_verifier: Option<Secret>,
    /// Where the provider sends you back to, exactly as it is registered there
    #[arg(long, value_name = "URI", required_unless_present_any = ["access_token", "id_token"])]
    redirect_uri: Option<String>,
    /// An access token
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["code", "id_token"], value_parser = secret, allow_hyphen_values = true)]
    access_token: Option<Secret>,
    /// An ID token
    #[arg(long, value_name = "TOKEN", conflicts_with = "code", value_parser = secret, allow_hyphen_values = true)]
    id_token: Option<Secret>,
    /// The nonce that was printed when the login was started
    #[arg(long, value_parser = secret, allow_hyphen_values = true)]
    nonce: Option<Secret>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap wants")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = ConfigFile::read(&arguments.config)?.of_either()?;
    let provider = find(&arguments.id, &config).await?;
    let Some(proof) = proof(&arguments) else {
        let redirect_uri = arguments.redirect_uri.unwrap_or_default();
        return Ok(print(&start(
            &provider,
            &redirect_uri,
            &arguments.config.to_string_lossy(),
            &SystemRandom,
        )?)?);
    };
    let reach = Reach::with(config.network.allow_private.into_iter().chain(loopback()));
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let http = ReqwestHttp::called(config.network.user_agent, Limits::default(), reach, clock, random)?;
    let trace = Trace::new(http, provider.clone(), &proof, print);
    let login = Engine::new(Arc::new(trace), Arc::new(SystemClock)).verify(&provider, proof).await;
    conclude(login)
}

async fn find(id: &str, config: &Config) -> anyhow::Result<Arc<Provider>> {
    let found = config.providers.iter().find(|provider| provider.id == id);
    let config = found.with_context(|| {
        let known: Vec<&str> = config.providers.iter().map(|provider| &*provider.id).collect();
        format!("the file has no [[provider]] with id = {id:?}; it has: {}", known.join(", "))
    })?;
    let store = AwsSecrets::new(Arc::new(SystemClock));
    let secrets = Secrets::fetch(config.placed_secret(), &store, secrets::AT_START).await?;
    Ok(Arc::new(config.load(&secrets)?))
}

fn proof(arguments: &Arguments) -> Option<UnverifiedProof> {
    if let Some(token) = &arguments.access_token {
        return Some(UnverifiedProof::AccessToken(token.clone()));
    }
    let nonce = arguments.nonce.clone();
    if let Some(token) = &arguments.id_token {
        return Some(UnverifiedProof::IdToken { token: token.clone(), nonce });
    }
    Some(UnverifiedProof::Code {
        code: arguments.code.clone()?,
        code_verifier: arguments.code_verifier.clone(),
        redirect_uri: arguments.redirect_uri.clone()?,
        nonce,
        callback: std::collections::BTreeMap::default(),
    })
}

/// The address to sign in at, and the command that tries what comes back.
fn start(provider: &Provider, redirect_uri: &str, file: &str, random: &dyn Random) -> anyhow::Result<String> {
    let verifier = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<32>());
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    let (state, nonce) = (random.guid(), random.guid());
    let request = AuthorizeRequest { redirect_uri, state: &state, nonce: &nonce, code_challenge: &challenge };
    let ends_with_code = provider.definition.accept.contains(&ProofKind::Code);
    let url = provider.authorization_url(&request).filter(|_| ends_with_code);
    let url = url.context("this provider takes no code: try --id-token or --access-token")?;
    Ok(format!(
        "Sign in here:\n\n{url}\n\nThe provider sends you back to {redirect_uri}{joined}code=…&state=…; whether a page is there\n\
         does not matter. The state has to be {state}. Take the code from the address, and soon:\n\n\
         daypass provider try {id} --config {file} --redirect-uri {quoted} \\\n  \
         --code-verifier {verifier} --nonce {nonce} --code …",
        id = quoted(&provider.id),
        file = quoted(file),
        joined = if redirect_uri.contains('?') { '&' } else { '?' },
        quoted = quoted(redirect_uri),
    ))
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''")).into()
}

fn conclude(login: Result<VerifiedLogin, ProofError>) -> anyhow::Result<()> {
    let login = login.map_err(|error| {
        let cure = cure(&error);
        anyhow::anyhow!("{error}\n{cure}")
    })?;
    let shown = |text: Option<&String>| text.map_or("none", String::as_str).to_owned();
    let lines = [
        "It works: this login counts.".to_owned(),
        format!("   user identifier  {}", login.developer_user_identifier()),
        format!("   name             {}", shown(login.user().name.as_ref())),
        format!("   avatar           {}", shown(login.user().avatar.as_ref())),
    ];
    Ok(print(&lines.join("\n"))?)
}

/// What to do about a proof that did not become a login.
fn cure(error: &ProofError) -> &'static str {
    match error {
        ProofError::UnboundAccessToken => {
            "Try --code. To take tokens of any app, set accept_unbound_access_tokens = true; \
             docs/access-tokens-without-binding.md says what that costs."
        }
        ProofError::KindNotAccepted(_) => "`accept` of the block says what is taken.",
        ProofError::AnotherClient => {
            "Compare client_id (and other_client_ids, app_id) with the client that the proof was issued to."
        }
        ProofError::TwoPeople => {
            "Compare `subject` of the profile with `user` of the binding: both have to be the same ID."
        }
        ProofError::VerifierMissing => {
            "Add --code-verifier, or set pkce = \"never\" if the provider does not know PKCE."
        }
        ProofError::NonceMissing => "Add --nonce, as the login was started with it.",
        ProofError::IdToken(_) => {
            "Compare issuers, keys and claims of [id_token] with the token, and mind its age."
        }
        ProofError::Refused => {
            "Get a new code or token: a code works once and for minutes. Compare --redirect-uri with what is \
             registered, and client_auth of [exchange] with the provider's documentation."
        }
        ProofError::ReportedErrors { .. } => {
            "Compare `success` of the call with the answer above; a missing scope is the usual cause."
        }
        ProofError::SubjectMissing => {
            "Compare `subject` (pointer and type) with the answer above; the scope for it may be missing."
        }
        ProofError::SubjectAmbiguous => {
            "Leave `identifier` out: with a colon in it, this ID cannot stand alone."
        }
        ProofError::TimedOut | ProofError::Unavailable(_) => {
            "Check the host of the URL above, the network, and the provider's own status page."
        }
        ProofError::NotAsDefined(_) => "Compare the address above with the provider's documentation.",
        ProofError::OutOfFiles => "Raise the limit of open files, as by `ulimit -n`.",
        ProofError::AnswerTooLarge => "Ask for less: an answer may have 64 KiB.",
        ProofError::AnswerMalformed(_) => "Compare `decode` and the URL of the call with the answer above.",
        ProofError::Misconfigured(_) => {
            "Compare client_id, client_secret and client_auth with what is registered at the provider."
        }
    }
}

#[cfg(test)]
mod tests;
