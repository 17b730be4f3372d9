//! Which route an event is for. Before the path of the route there can stand the stage of an API, and the base path
//! of a custom domain or a rule, and each source of events leaves in its paths what it likes.

use std::collections::BTreeMap;

/// The stage of an API that has none in its URL.
const DEFAULT_STAGE: &str = "$default";

/// The path of a URL without a trailing slash: nothing, for most.
pub(super) fn of_url(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or("", |start| after_scheme[start..].trim_end_matches('/'))
}

/// A path of payload format 2.0. It begins with the stage, even behind a custom domain that does not show it;
/// of a custom domain's mapping it has nothing.
pub(super) fn of_http_api<'a>(path: &'a str, stage: &str, base: &str) -> &'a str {
    if stage == DEFAULT_STAGE {
        return without(path, base).unwrap_or(path);
    }
    let stage = format!("/{stage}");
    let path = without(path, &stage).unwrap_or(path);
    let base = without(base, &stage).map_or(base, |rest| rest.trim_end_matches('/'));
    without(path, base).unwrap_or(path)
}

/// A path of payload format 1.0: as the browser asked for it, with the stage or a custom domain's base path, or as
/// API Gateway passes it on. Who came by another way than the public URL is led by the resource that
/// API Gateway found.
pub(super) fn of_rest_api<'a>(
    asked: Option<&'a str>,
    passed_on: &'a str,
    base: &str,
    resource: Option<&str>,
) -> &'a str {
    let of_resource = |resource| passed_on.strip_suffix(resource).map(|before| &passed_on[before.len()..]);
    asked
        .and_then(|asked| without(asked, base))
        .or_else(|| resource.and_then(of_resource))
        .unwrap_or(passed_on)
}

/// The path of a load balancer, which knows no stages.
pub(super) fn of_load_balancer<'a>(path: &'a str, base: &str) -> &'a str {
    without(path, base).unwrap_or(path)
}

/// A resource of a REST API with its parameters filled in: `/{proxy+}` becomes `/v1/exchange`.
pub(super) fn filled(resource: &str, parameters: &BTreeMap<String, String>) -> Option<String> {
    let fill = |segment: &str| match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => parameters.get(name.trim_end_matches('+')).cloned(),
        None => Some(segment.to_owned()),
    };
    let segments: Option<Vec<String>> = resource.split('/').map(fill).collect();
    segments.map(|segments| segments.join("/")).filter(|path| path.starts_with('/') && path != "/")
}

/// What comes after a prefix that ends where a segment ends.
fn without<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    match path.strip_prefix(prefix).filter(|_| !prefix.is_empty())? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_base_path_is_that_of_the_public_url() {
        for (url, base) in [
            ("https://login.example.com", ""),
            ("https://login.example.com/", ""),
            ("https://x.execute-api.us-east-1.amazonaws.com/prod", "/prod"),
            ("https://example.com/a/b", "/a/b"),
        ] {
            assert_eq!(of_url(url), base, "{url}");
        }
    }

    #[test]
    fn an_http_api_says_its_stage_once() {
        for (path, stage, base, route) in [
            ("/v1/exchange", "$default", "", "/v1/exchange"),
            ("/prod/v1/exchange", "prod", "/prod", "/v1/exchange"),
            ("/prod", "prod", "/prod", "/"),
            ("/prod/", "prod", "/prod", "/"),
            ("/production/v1", "prod", "/prod", "/production/v1"),
            ("/v1/v1/exchange", "v1", "/v1", "/v1/exchange"),
            ("/prod/v1/exchange", "prod", "", "/v1/exchange"),
            ("/prod/v1/exchange", "prod", "/auth", "/v1/exchange"),
            ("/prod/auth/v1/exchange", "prod", "/prod/auth", "/v1/exchange"),
            ("/auth/v1/exchange", "$default", "/auth", "/v1/exchange"),
        ] {
            assert_eq!(of_http_api(path, stage, base), route, "{path} of {stage} at {base}");
        }
    }

    #[test]
    fn the_public_url_or_the_resource_says_where_a_route_begins() {
        let exchange = Some("/v1/exchange");
        for (asked, passed_on, base, resource, route) in [
            // By the public URL: a stage, a stage that is called like a route, mappings of custom domains.
            ("/prod/v1/exchange", "/v1/exchange", "/prod", exchange, "/v1/exchange"),
            ("/v1/v1/exchange", "/v1/exchange", "/v1", exchange, "/v1/exchange"),
            ("/v1/exchange", "/v1/exchange", "", exchange, "/v1/exchange"),
            ("/auth/v1/exchange", "/auth/v1/exchange", "/auth", exchange, "/v1/exchange"),
            ("/v1/v1/exchange", "/v1/v1/exchange", "/v1", exchange, "/v1/exchange"),
            ("/prod/auth/healthz", "/auth/healthz", "/prod/auth", Some("/auth/healthz"), "/healthz"),
            ("/auth", "/auth", "/auth", None, "/"),
            // By another way.
            ("/prod/v1/exchange", "/v1/exchange", "", exchange, "/v1/exchange"),
            ("/prod/v1/exchange", "/v1/exchange", "/v1", exchange, "/v1/exchange"),
            ("/other/v1/exchange", "/other/v1/exchange", "", exchange, "/v1/exchange"),
            ("/prod/v1/exchange", "/v1/exchange", "", None, "/v1/exchange"),
        ] {
            assert_eq!(of_rest_api(Some(asked), passed_on, base, resource), route, "{asked} at {base}");
        }
        assert_eq!(of_rest_api(None, "/v1/exchange", "/prod", None), "/v1/exchange");
    }

    #[test]
    fn a_load_balancers_rule_can_have_a_base_path() {
        assert_eq!(of_load_balancer("/auth/healthz", "/auth"), "/healthz");
        assert_eq!(of_load_balancer("/healthz", "/auth"), "/healthz");
        assert_eq!(of_load_balancer("/authentic", "/auth"), "/authentic");
    }

    #[test]
    fn a_resource_is_filled_with_its_parameters() {
        let proxy = parameters(&[("proxy", "v1/exchange")]);
        assert_eq!(filled("/{proxy+}", &proxy).as_deref(), Some("/v1/exchange"));
        let provider = parameters(&[("provider", "snapchat")]);
        assert_eq!(
            filled("/login/{provider}/callback", &provider).as_deref(),
            Some("/login/snapchat/callback")
        );
        assert_eq!(filled("/{gone}", &provider), None);
        assert_eq!(filled("$default", &provider), None);
        assert_eq!(filled("/", &provider), None);
    }
}
