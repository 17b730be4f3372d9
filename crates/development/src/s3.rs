//! The S3 endpoint of development: `s3s` speaks the protocol, `disk` keeps objects, and every request passes `gate` first and
//! `permission` second. No other way leads to an object.

mod answers;
mod body;
mod codes;
mod conditions;
mod cors;
mod digests;
mod disk;
mod errors;
mod form;
mod gate;
mod host;
mod key;
mod moment;
mod operations;
mod permission;
mod promises;
mod services;
mod spelling;
mod stream;
mod tags;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::Random;
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use self::answers::About;
use self::disk::{Disk, DiskError};
use self::operations::Operations;
use self::services::{LARGEST_DOCUMENT, Services};
use daypass_server::installation::Embedded;
use daypass_server::listen::NoPlace;
use daypass_server::registered_origins::RegisteredOrigins;
use daypass_server::routes::time_to_come_back;

/// The largest file of a form, which `s3s` reads whole before it does anything.
const LARGEST_FORM: u64 = 64 << 20;

/// The buckets in a folder. There is one of them for a folder while a process runs.
#[derive(Clone)]
pub struct Objects {
    disk: Disk,
}

impl Objects {
    /// Opens a folder of buckets. Folders of files that are in it become buckets with objects.
    ///
    /// # Errors
    /// If it cannot be used, or another process uses it.
    pub fn in_folder(root: &Path, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> anyhow::Result<Self> {
        let disk = Disk::open(root, clock, random)
            .map_err(|error| error.context(format!("cannot keep objects in {}", root.display())))?;
        Ok(Self { disk })
    }

    /// Makes a bucket, if it is not there yet.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn ensure(&self, bucket: &str) -> anyhow::Result<()> {
        match self.disk.create_bucket(bucket) {
            Ok(()) | Err(DiskError::BucketExists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The endpoint's service, for whoever an installation gave credentials, for the pages of `origins`, and for those that
    /// a bucket lets in.
    pub fn router(&self, embedded: &Arc<Embedded>, origins: &RegisteredOrigins) -> Router {
        let services = self.services(embedded.callers.region.as_str());
        let admitting = embedded.clone();
        let by_bucket =
            cors::Doors { disk: self.disk.clone(), origins: origins.clone(), embedded: embedded.clone() };
        let answer = move |request| gate::admit(admitting.clone(), services.clone(), request);
        Router::new()
            .fallback(answer)
            .layer(middleware::from_fn_with_state(embedded.clone(), refuse_without_place))
            .layer(cors(origins.allowed()))
            .layer(middleware::from_fn_with_state(by_bucket, cors::by_bucket))
            .layer(CatchPanicLayer::new())
    }

    fn services(&self, region: &str) -> Services {
        let operations = Operations { disk: self.disk.clone(), region: region.to_owned() };
        let mut config = S3Config::default();
        config.xml_max_body_size = LARGEST_DOCUMENT;
        config.post_object_max_file_size = LARGEST_FORM;
        let mut builder = S3ServiceBuilder::new(operations);
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        builder.set_host(host::Localhost);
        // Without it, `s3s` asks nobody whether an operation is permitted.
        builder.set_auth(GateKeeper);
        builder.set_access(permission::Permission);
        Services { s3: builder.build(), clock: self.disk.clock() }
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
    let request_id = RequestId::generate(embedded.clock.now(), &*embedded.random);
    let method = request.method().clone();
    let about = About { method, bucket: None, key: None, request_id, is_form: false };
    let message = "Please reduce your request rate.";
    let mut response = answers::error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", message, None, &about);
    let seconds = time_to_come_back(&*embedded.random).as_secs();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// The pages of registered apps may reach S3 from the browser: objects are the app's own people's, and any other page that
/// got hold of a presigned URL cannot read what is behind it, unless the bucket's rules let it.
fn cors(origins: AllowOrigin) -> CorsLayer {
    // By `Date`, the AWS SDK for JavaScript finds out that a clock is off.
    let exposed = ["accept-ranges", "content-range", "date", "last-modified", "x-amz-request-id"];
    let exposed = exposed.map(HeaderName::from_static).into_iter().chain([header::ETAG, header::RETRY_AFTER]);
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed.collect::<Vec<_>>())
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderValue, Request};
    use axum::routing::any;
    use tower::ServiceExt;

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
