//! What a definition must not say although each of its words is known: contradictions, and anything that
//! would weaken the proof. Every refusal names the key and the cure.

mod mutable;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::definition::{
    Binding, BindingCall, Call, CallAuthentication, CallMethod, ClientAuthentication, ClientName, Definition,
    Exchange, NonceMode, ParametersIn, Pkce, ProofKind,
};
use super::pointer::Subject;
use super::template::{Name, Template};
use crate::login::plain_hosts::PlainHosts;

/// Checks a definition whose variables are filled in.
pub(super) fn check(definition: &Definition, plain: &PlainHosts) -> Result<(), String> {
    check_proofs(definition)?;
    check_binding(definition)?;
    check_urls(definition, plain)?;
    check_names(definition)?;
    check_subjects(definition)
}

fn check_proofs(definition: &Definition) -> Result<(), String> {
    let accepts = |kind| definition.accept.contains(&kind);
    let distinct: BTreeSet<String> = definition.accept.iter().map(ToString::to_string).collect();
    refuse_if(definition.accept.is_empty(), "accept: name at least one kind of proof")?;
    refuse_if(distinct.len() != definition.accept.len(), "accept: name each kind of proof once")?;
    let code = accepts(ProofKind::Code);
    refuse_if(code && definition.exchange.is_none(), "accept: a code needs [exchange]")?;
    refuse_if(code && definition.authorize.is_none(), "accept: a code needs [authorize]")?;
    let reads_id_token = definition.exchange.as_ref().is_some_and(|exchange| exchange.reads_id_token);
    refuse_if(
        code && !reads_id_token && definition.profile.is_none(),
        "accept: a code needs [profile], or exchange.reads_id_token = true with [id_token]",
    )?;
    refuse_if(reads_id_token && definition.id_token.is_none(), "exchange.reads_id_token: needs [id_token]")?;
    refuse_if(
        accepts(ProofKind::AccessToken) && definition.profile.is_none(),
        "accept: an access token needs [profile]",
    )?;
    refuse_if(
        accepts(ProofKind::IdToken) && definition.id_token.is_none(),
        "accept: an ID token needs [id_token]",
    )?;
    let signed = definition.signed_fields.is_some() || definition.openid2.is_some();
    refuse_if(
        accepts(ProofKind::SignedFields) != signed,
        "accept: signed_fields goes with [signed_fields] or [openid2], and they with it",
    )?;
    refuse_if(
        definition.signed_fields.is_some() && definition.openid2.is_some(),
        "[signed_fields] and [openid2] are two ways to sign: keep one",
    )
}

fn check_binding(definition: &Definition) -> Result<(), String> {
    let accepts = |kind| definition.accept.contains(&kind);
    let tokens = accepts(ProofKind::AccessToken);
    match &definition.binding {
        // Bare tokens are refused by the engine then, unless the operator accepts them in so many words.
        Binding::None => Ok(()),
        Binding::IdToken => refuse_if(
            definition.id_token.is_none() || tokens,
            "binding: kind id_token needs [id_token], and takes no access_token in `accept`",
        ),
        Binding::Signature => refuse_if(
            !accepts(ProofKind::SignedFields) || tokens,
            "binding: kind signature needs signed_fields in `accept`, and takes no access_token",
        ),
        Binding::Profile(_) => {
            refuse_if(definition.profile.is_none(), "binding: kind profile needs [profile]")
        }
        Binding::Endpoint(binding) => {
            refuse_if(
                binding.call.auth == CallAuthentication::ClientBasic,
                "binding: an endpoint that takes our client's credentials is of the kind client_auth_endpoint",
            )?;
            refuse_if(
                binding.client.is_none(),
                "binding: an endpoint that names no client binds nothing: say where, by `client = { at = … }`",
            )?;
            shows_token("binding", &binding.call)
        }
        Binding::ClientAuthEndpoint(binding) => {
            shows_token("binding", &binding.call)?;
            check_introspection(binding)?;
            refuse_if(
                !shows_secret(&binding.call),
                "binding: a client_auth_endpoint has to be shown {client_secret}, or auth = \"client_basic\"",
            )
        }
    }
}

/// An introspection answers any of its clients, about tokens of others as well, and answers an inactive one with
/// status 200 (RFC 7662 section 2.2). Either must fail by what the block asks for, and not by the good will of the far end.
fn check_introspection(binding: &BindingCall) -> Result<(), String> {
    let about_our_client = binding.call.url.names_in_path().any(|name| *name == Name::ClientId);
    refuse_if(
        binding.client.is_none() && !(about_our_client && binding.user.is_some()),
        "binding: nothing says that the token is our client's: say where the answer names the client, by \
         `client = { at = … }`, or have {client_id} in the path of the URL and name the `user`",
    )
}

impl Definition {
    /// Whether its logins are those of a client. OpenID 2.0 knows none.
    #[must_use]
    pub fn needs_client(&self) -> bool {
        self.openid2.is_none()
    }

    /// Whether something of what it accepts is confirmed with the secret of our client.
    #[must_use]
    pub fn needs_client_secret(&self) -> bool {
        let accepts = |kind| self.accept.contains(&kind);
        let redeems = accepts(ProofKind::Code) && self.exchange.as_ref().is_some_and(shows_client);
        let asks =
            (accepts(ProofKind::Code) || accepts(ProofKind::AccessToken)) && self.calls_need_client_secret();
        let reads_id_tokens = accepts(ProofKind::IdToken)
            || accepts(ProofKind::Code) && self.exchange.as_ref().is_some_and(|it| it.reads_id_token);
        let shares_key = self.id_token.as_ref().is_some_and(|it| it.keys.are_shared());
        let signed = accepts(ProofKind::SignedFields) && self.signed_fields.is_some();
        redeems || asks || signed || reads_id_tokens && shares_key
    }

    /// Whether a call about an access token needs a secret of our client, or what is made with it.
    pub(in crate::login) fn calls_need_client_secret(&self) -> bool {
        let of_secret = |name: &Name| matches!(name, Name::ClientSecret | Name::AppsecretProof);
        let calls = binding_call(self).into_iter().chain(self.profile.iter().map(|profile| &profile.call));
        calls.into_iter().any(|call| {
            let by_template = templates(call).iter().any(|it| it.names().any(of_secret));
            let by_json = call.json.iter().flat_map(|json| json.values()).filter_map(Json::as_str);
            call.auth == CallAuthentication::ClientBasic
                || by_template
                || by_json.filter_map(Name::of_whole).any(|name| of_secret(&name))
        })
    }
}

/// Whether a code is redeemed with a secret of our client.
fn shows_client(exchange: &Exchange) -> bool {
    let written = exchange.parameters.values().chain(exchange.headers.values());
    let by_template = written.flat_map(Template::names).any(|name| *name == Name::ClientSecret);
    exchange.client_auth != ClientAuthentication::None || by_template
}

fn shows_secret(call: &Call) -> bool {
    let by_template = templates(call).iter().any(|it| it.names().any(|name| *name == Name::ClientSecret));
    call.auth == CallAuthentication::ClientBasic || by_template
}

/// A call that never shows the token says nothing about it.
fn shows_token(key: &str, call: &Call) -> Result<(), String> {
    let by_auth = match call.auth {
        CallAuthentication::Bearer | CallAuthentication::Oauth | CallAuthentication::Header(_) => true,
        CallAuthentication::ClientBasic | CallAuthentication::None => false,
    };
    let by_template = templates(call).iter().any(|it| it.names().any(|name| *name == Name::Token));
    let by_json = call.json.iter().flat_map(|json| json.values()).any(is_token);
    refuse_if(
        !(by_auth || by_template || by_json),
        &format!("{key}: never shows the token: put {{token}} into URL, headers or body, or set `auth`"),
    )
}

fn is_token(value: &Json) -> bool {
    value.as_str().and_then(Name::of_whole) == Some(Name::Token)
}

/// What the operator calls our client has to name one, letter by letter.
pub(super) fn check_client(
    definition: &Definition,
    client_id: &str,
    others: &[String],
    app_id: Option<&str>,
) -> Result<(), String> {
    let names_none = |id: &str| id.trim().is_empty() || id == "*" || id.contains(char::is_control);
    refuse_if(
        definition.needs_client() && names_none(client_id),
        "client_id: missing: which client is yours at the provider?",
    )?;
    refuse_if(
        others.iter().any(|id| names_none(id)),
        "other_client_ids: each is the ID of a client of ours, letter by letter; nothing stands for any client",
    )?;
    refuse_if(
        app_id.is_some_and(names_none),
        "app_id: name the app's number at the provider, or leave it out",
    )?;
    let by_app_id = match &definition.binding {
        Binding::Profile(client) => client.is == ClientName::AppId,
        Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => {
            binding.client.as_ref().is_some_and(|client| client.is == ClientName::AppId)
        }
        Binding::None | Binding::IdToken | Binding::Signature => false,
    };
    refuse_if(
        by_app_id && app_id.is_none() && definition.accept.contains(&ProofKind::AccessToken),
        "app_id: an access token is bound to the app's number: set app_id, or `accept` no access_token",
    )
}

/// Secrets travel over TLS only, and the host is nobody's to choose but the definition's.
fn check_urls(definition: &Definition, plain: &PlainHosts) -> Result<(), String> {
    for (key, url) in urls(definition) {
        let beginning = url.beginning();
        let rest = beginning.strip_prefix("https://").or_else(|| plain.strip(beginning));
        let rest = rest.ok_or_else(|| format!("{key}: must begin with https://"))?;
        // One of a page may be of use there; a server is sent none (RFC 6749, section 3.2).
        let has_fragment = key != "authorize.url" && url.as_literal().is_some_and(|url| url.contains('#'));
        refuse_if(has_fragment, &format!("{key}: must have no fragment"))?;
        let host_ends = rest.find(['/', '?', '#']);
        let host = &rest[..host_ends.unwrap_or(rest.len())];
        let whole = host_ends.is_some() || url.as_literal().is_some();
        refuse_if(
            host.is_empty() || host.contains('@') || !whole,
            &format!("{key}: must name its host itself"),
        )?;
    }
    Ok(())
}

fn urls(definition: &Definition) -> Vec<(&'static str, &Template)> {
    let mut urls = Vec::new();
    urls.extend(definition.authorize.iter().map(|authorize| ("authorize.url", &authorize.url)));
    urls.extend(definition.exchange.iter().map(|exchange| ("exchange.url", &exchange.url)));
    urls.extend(definition.profile.iter().map(|profile| ("profile.url", &profile.call.url)));
    urls.extend(binding_call(definition).map(|call| ("binding.url", &call.url)));
    urls.extend(definition.openid2.iter().map(|openid| ("openid2.endpoint", &openid.endpoint)));
    urls.extend(definition.id_token.iter().filter_map(|id_token| id_token.keys.address()));
    urls
}

fn binding_call(definition: &Definition) -> Option<&Call> {
    match &definition.binding {
        Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => Some(&binding.call),
        Binding::None | Binding::IdToken | Binding::Signature | Binding::Profile(_) => None,
    }
}

fn templates(call: &Call) -> Vec<&Template> {
    let form = call.form.iter().flat_map(|form| form.values());
    std::iter::once(&call.url).chain(call.headers.values()).chain(form).collect()
}

/// Every name that is filled in has to have a value when its turn comes. Where nothing of a request is at hand, none has.
fn check_names(definition: &Definition) -> Result<(), String> {
    check_fixed_urls(definition)?;
    check_parameters(definition)?;
    let taken_by_exchange: Vec<&String> = definition.exchange.iter().flat_map(|it| it.take.keys()).collect();
    let taken_by_binding: Vec<&String> =
        binding_call(definition).into_iter().flat_map(|it| it.take.keys()).collect();
    if let Some(exchange) = &definition.exchange {
        check_exchange(definition, exchange)?;
        let all = std::iter::once(&exchange.url)
            .chain(exchange.parameters.values())
            .chain(exchange.headers.values());
        check_known("exchange", all, &[])?;
    }
    if let Some(call) = binding_call(definition) {
        check_known("binding", templates(call).into_iter(), &taken_by_exchange)?;
        check_body("binding", call)?;
    }
    if let Some(profile) = &definition.profile {
        shows_token("profile", &profile.call)?;
        let known: Vec<&String> = taken_by_exchange.iter().chain(&taken_by_binding).copied().collect();
        check_known("profile", templates(&profile.call).into_iter(), &known)?;
        check_body("profile", &profile.call)?;
        let tokens = definition.accept.contains(&ProofKind::AccessToken);
        let from_exchange = |name: &Name| matches!(name, Name::Other(name) if taken_by_exchange.contains(&name) && !taken_by_binding.contains(&name));
        let needs_exchange = templates(&profile.call).iter().any(|it| it.names().any(from_exchange));
        refuse_if(
            tokens && needs_exchange,
            "profile: leans on what the exchange of a code takes, so `accept` can have no access_token",
        )?;
    }
    Ok(())
}

/// URLs that are the same for everybody: only `variables` stand in them, which have their values by now.
fn check_fixed_urls(definition: &Definition) -> Result<(), String> {
    const OF_VARIABLES: &str = "takes no values but those of [variables]";
    let authorize = definition.authorize.as_ref().map(|it| ("authorize.url", &it.url));
    let authorize = authorize.map(|(key, url)| (key, url, "takes no values; use authorize.parameters"));
    let keys = definition.id_token.as_ref().and_then(|it| it.keys.address());
    let openid2 = definition.openid2.as_ref().map(|it| ("openid2.endpoint", &it.endpoint));
    let others = keys.into_iter().chain(openid2).map(|(key, url)| (key, url, OF_VARIABLES));
    for (key, url, cure) in authorize.into_iter().chain(others) {
        refuse_if(url.as_literal().is_none(), &format!("{key}: {cure}"))?;
    }
    Ok(())
}

/// What is set for each login stands nowhere else: no parameter comes twice (RFC 6749, section 3.1).
fn check_parameters(definition: &Definition) -> Result<(), String> {
    const OF_EACH_LOGIN: [&str; 7] = [
        "response_type",
        "client_id",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
        "nonce",
    ];
    let Some(authorize) = &definition.authorize else { return Ok(()) };
    let sent = OF_EACH_LOGIN.map(|name| authorize.rename.get(name).map_or(name, String::as_str));
    let query = authorize.url.as_literal().and_then(|url| url.split('#').next()?.split_once('?'));
    let in_query =
        query.iter().flat_map(|(_, query)| query.split('&')).filter_map(|pair| pair.split('=').next());
    let constant = authorize.parameters.keys().map(String::as_str);
    for (key, name) in in_query.map(|name| ("url", name)).chain(constant.map(|name| ("parameters", name))) {
        refuse_if(
            sent.contains(&name),
            &format!("authorize.{key}: {name} is set for each login: take it out"),
        )?;
    }
    Ok(())
}

fn check_known<'a>(
    key: &str,
    mut templates: impl Iterator<Item = &'a Template>,
    taken: &[&String],
) -> Result<(), String> {
    let unknown = |name: &&Name| matches!(name, Name::Other(name) if !taken.contains(&name));
    match templates.find_map(|template| template.names().find(unknown).cloned()) {
        Some(Name::Other(name)) => Err(format!(
            "{key}: nothing gives {{{name}}} a value: declare it in [variables], or `take` it from an earlier answer"
        )),
        _ => Ok(()),
    }
}

fn check_exchange(definition: &Definition, exchange: &Exchange) -> Result<(), String> {
    let token_too_early = std::iter::once(&exchange.url)
        .chain(exchange.parameters.values())
        .chain(exchange.headers.values())
        .any(|template| template.names().any(|name| matches!(name, Name::Token | Name::AppsecretProof)));
    refuse_if(token_too_early, "exchange: there is no {token} before the exchange")?;
    let secret = exchange.parameters.get("client_secret").and_then(Template::as_literal);
    refuse_if(
        secret.is_some(),
        "exchange.parameters: a secret never stands in the file: take client_secret out, and say where it is by `client_secret` and \
         how it is shown by `client_auth`",
    )?;
    refuse_if(
        exchange.client_auth == ClientAuthentication::None && definition.pkce != Pkce::Required,
        "exchange: client_auth = \"none\" needs pkce = \"required\": nothing else ties a code to whoever started the login",
    )?;
    refuse_if(
        exchange.parameters_in == ParametersIn::Query
            && exchange.client_auth == ClientAuthentication::AppleJwt,
        "exchange: a generated client secret goes into a form",
    )
}

fn check_body(key: &str, call: &Call) -> Result<(), String> {
    refuse_if(call.form.is_some() && call.json.is_some(), &format!("{key}: has either `form` or `json`"))?;
    let body = call.form.is_some() || call.json.is_some();
    refuse_if(body && call.method == CallMethod::Get, &format!("{key}: a body needs method = \"POST\""))
}

fn check_subjects(definition: &Definition) -> Result<(), String> {
    let empty = |subject: &Subject| subject.0.is_empty();
    let id_token = definition.id_token.as_ref();
    refuse_if(
        definition.profile.as_ref().is_some_and(|profile| empty(&profile.subject))
            || id_token.is_some_and(|id_token| empty(&id_token.subject))
            || definition.signed_fields.as_ref().is_some_and(|signed| empty(&signed.subject)),
        "subject: name at least one value",
    )?;
    let joiner = definition.signed_fields.as_ref().map(|signed| signed.joiner.as_str());
    refuse_if(
        joiner.is_some_and(|joiner| joiner == "=" || joiner.chars().count() != 1),
        "signed_fields.joiner: is one character, and not =",
    )?;
    refuse_if(
        id_token.is_some_and(|id_token| id_token.issuers.is_empty()),
        "id_token.issuers: name at least one issuer",
    )?;
    let nonce = id_token.is_some_and(|id_token| id_token.nonce != NonceMode::None);
    let unbound_code = definition.pkce == Pkce::Never
        && definition.accept.contains(&ProofKind::Code)
        && definition.exchange.as_ref().is_some_and(|exchange| exchange.reads_id_token)
        && !nonce;
    refuse_if(unbound_code, "pkce: a code without PKCE needs a nonce in its ID token")?;
    mutable::never_a_mutable_name(definition)
}

fn refuse_if(refused: bool, why: &str) -> Result<(), String> {
    if refused { Err(why.to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
