//! What is counted of requests: by the template of their route, never by what a client wrote, and by the class of their status.

use std::collections::HashMap;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds for the time to an answer, in seconds. None takes longer than 30.
const SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Every route, with the group whose time is told together: what does the same work, and is as slow.
const ROUTES: [(&str, &str); 27] = [
    ("/", "aws"),
    ("/v1/exchange", "exchange"),
    ("/v1/link", "exchange"),
    ("/oauth2/token", "exchange"),
    ("/v1/sessions", "sessions"),
    ("/v1/sessions/{id}", "sessions"),
    ("/oauth2/revoke", "sessions"),
    ("/oauth2/device_authorization", "sign_in"),
    ("/oauth2/authorize", "sign_in"),
    ("/login", "sign_in"),
    ("/login/{provider}", "sign_in"),
    ("/login/{provider}/callback", "sign_in"),
    ("/device", "sign_in"),
    ("/device/login", "sign_in"),
    ("/device/decision", "sign_in"),
    ("/v1/providers", "documents"),
    ("/login/style.css", "documents"),
    ("/login/popup.js", "documents"),
    ("/sdk/{*path}", "documents"),
    ("/.well-known/oauth-authorization-server", "documents"),
    ("/.well-known/openid-configuration", "documents"),
    ("/.well-known/jwks.json", "documents"),
    ("/.well-known/jwks_uri", "documents"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "health"),
    (OTHER, OTHER),
];

/// Whatever has no route of these.
const OTHER: &str = "other";

/// The classes of a status, from 200 on.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InGroup {
    group: &'static str,
}

/// Those of all routes. Each is looked up once a request, and nothing is made for it.
pub(super) struct Requests {
    answered: Family<Answered, Counter>,
    seconds: Family<InGroup, Histogram>,
    routes: HashMap<&'static str, Route>,
}

struct Route {
    answered: [Counter; 4],
    seconds: Histogram,
}

impl Default for Requests {
    fn default() -> Self {
        let answered = Family::<Answered, Counter>::default();
        let seconds: Family<InGroup, Histogram> = Family::new_with_constructor(|| Histogram::new(SECONDS));
        let route = |(route, group)| Route {
            answered: CLASSES.map(|status| answered.get_or_create_owned(&Answered { route, status })),
            seconds: seconds.get_or_create_owned(&InGroup { group }),
        };
        let routes = ROUTES.into_iter().map(|entry| (entry.0, route(entry))).collect();
        Self { answered, seconds, routes }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests that were answered, by the template of their route and the class of their status",
            self.answered.clone(),
        );
        registry.register(
            "request_seconds",
            "How long answers took, by groups of routes",
            self.seconds.clone(),
        );
    }

    pub(super) fn answered(&self, route: &str, status: u16, took: Duration) {
        let Some(route) = self.routes.get(route).or_else(|| self.routes.get(OTHER)) else { return };
        let class = usize::from(status / 100).clamp(2, 5) - 2;
        route.answered[class].inc();
        route.seconds.observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::super::told_of;
    use super::*;

    #[test]
    fn a_route_is_counted_by_its_template_and_everything_else_together() {
        let (requests, took) = (Requests::default(), Duration::from_millis(2));
        for (route, status) in [
            ("/v1/exchange", 200),
            ("/v1/exchange", 503),
            ("/v1/exchange", 502),
            ("/login/{provider}", 303),
            ("/wp-admin/install.php", 404),
            ("-", 404),
        ] {
            requests.answered(route, status, took);
        }
        let told = told_of(|registry| requests.register(registry));
        for line in [
            "requests_total{route=\"/v1/exchange\",status=\"2xx\"} 1",
            "requests_total{route=\"/v1/exchange\",status=\"5xx\"} 2",
            "requests_total{route=\"/login/{provider}\",status=\"3xx\"} 1",
            "requests_total{route=\"other\",status=\"4xx\"} 2",
            "request_seconds_count{group=\"exchange\"} 3",
            "request_seconds_count{group=\"sign_in\"} 1",
            "request_seconds_count{group=\"other\"} 2",
        ] {
            assert!(told.lines().any(|it| it == line), "{line} is not in\n{told}");
        }
        let series = told.lines().filter(|line| line.starts_with("requests_total{")).count();
        assert_eq!(series, ROUTES.len() * CLASSES.len());
    }
}
