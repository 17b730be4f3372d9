//! The S3 endpoint of development: `s3s` speaks the protocol, `s3s-fs` keeps objects in a folder, and every
//! request passes `gate` first and `permission` second. No other way leads to an object.

mod body;
mod folder;
mod gate;
mod permission;
mod promises;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, Method, Request, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use daypass_server::installation::Embedded;
use daypass_server::listen::NoPlace;
use daypass_server::registered_origins::RegisteredOrigins;
use daypass_server::routes::time_to_come_back;
use daypass_server::xml;

/// The buckets in a folder. There is one of them for a folder while a process runs: what opens the folder takes unfinished
/// uploads for those of a process that ended.
#[derive(Clone)]
pub struct Objects(S3Service);

impl Objects {
    /// Opens a folder, in which each folder is a bucket.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn in_folder(root: &Path) -> anyhow::Result<Self> {
        let folder = s3s_fs::FileSystem::new(root)
            .map_err(|error| anyhow::anyhow!("cannot keep objects in {}: {error:?}", root.display()))?;
        let mut builder = S3ServiceBuilder::new(folder);
        builder.set_auth(GateKeeper);
        builder.set_access(permission::Permission::new(root));
        Ok(Self(builder.build()))
    }

    /// The endpoint's service, for whoever an installation gave credentials and for the pages of `origins`.
    pub fn router(&self, embedded: &Arc<Embedded>, origins: &RegisteredOrigins) -> Router {
        let service = self.0.clone();
        let answer = move |request| answer(service.clone(), request);
        Router::new()
            .fallback(answer)
            .layer(middleware::from_fn_with_state(embedded.clone(), gate::admit))
            .layer(middleware::from_fn_with_state(embedded.clone(), refuse_without_place))
            .layer(cors(origins.allowed()))
            .layer(CatchPanicLayer::new())
    }
}

/// Refuses what the listener has no place for. SDKs wait after this code, and try again.
async fn refuse_without_place(
    State(embedded): State<Arc<Embedded>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    if request.extensions().get::<NoPlace>().is_none() {
        return next.run(request).await;
    }
    let id = RequestId::generate(embedded.clock.now(), &*embedded.random);
    let message = "Please reduce your request rate.";
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", message, None, &id);
    let seconds = time_to_come_back(&*embedded.random).as_secs();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

async fn answer(service: S3Service, request: Request<Body>) -> Response {
    match service.oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(error) => {
            tracing::error!(?error, "the S3 service failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The pages of registered apps may reach S3 from the browser, and no others: objects are the app's own
/// people's, and a page that got hold of a presigned URL cannot read what is behind it.
fn cors(origins: AllowOrigin) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::ETAG, header::RETRY_AFTER, HeaderName::from_static("x-amz-request-id")])
        .max_age(Duration::from_mins(10))
}

/// Hands `s3s` the secret that the gate found, so that it can verify the signature of the request and of
/// every chunk of its body.
struct GateKeeper;

#[async_trait]
impl S3Auth for GateKeeper {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let bearer = gate::bearer().ok_or_else(|| s3_error!(AccessDenied))?;
        if bearer.access_key_id.as_str() == access_key {
            Ok(SecretKey::from(bearer.secret.expose()))
        } else {
            Err(s3_error!(InvalidAccessKeyId))
        }
    }
}

/// S3's form of an error (S3 API Reference, "Error responses").
fn error(
    status: StatusCode,
    code: &str,
    message: &str,
    detail: Option<(&str, String)>,
    request_id: &RequestId,
) -> Response {
    let detail = detail.map(|(name, text)| format!("<{name}>{}</{name}>", xml::escape(&text)));
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{}</Message>{}\
         <RequestId>{request_id}</RequestId></Error>",
        xml::escape(message),
        detail.unwrap_or_default(),
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::routing::any;

    use super::*;

    const REGISTERED: &str = "https://app.example.com";
    const ALLOWED: HeaderName = header::ACCESS_CONTROL_ALLOW_ORIGIN;

    async fn ask(method: Method, origin: &str) -> Response {
        let router = Router::new()
            .fallback(any(|| async { "an object" }))
            .layer(cors(AllowOrigin::list([HeaderValue::from_static(REGISTERED)])));
        let request = Request::builder()
            .method(method)
            .uri("/bucket/key")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,x-amz-date")
            .body(Body::empty());
        router.oneshot(request.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_page_of_a_registered_app_may_send_and_read() {
        let preflight = ask(Method::OPTIONS, REGISTERED).await;
        assert_eq!(preflight.headers()[&ALLOWED], REGISTERED);
        assert_eq!(preflight.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "authorization,x-amz-date");
        let answer = ask(Method::GET, REGISTERED).await;
        assert_eq!(answer.headers()[&ALLOWED], REGISTERED);
        assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[tokio::test]
    async fn no_other_page_may() {
        let others = [
            "https://evil.example",
            "null",
            "http://app.example.com",
            "https://app.example.com.evil.example",
        ];
        for origin in others {
            for method in [Method::OPTIONS, Method::GET, Method::PUT] {
                let answer = ask(method.clone(), origin).await;
                assert!(!answer.headers().contains_key(&ALLOWED), "{method} {origin}");
            }
        }
    }
}
