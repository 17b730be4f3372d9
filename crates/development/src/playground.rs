//! The playground page and the browser SDK, as `daypass up` serves them. The files are those in the
//! repository: what is read there is what runs here.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use daypass_core::ground::ids::RequestId;
use serde_json::{Value, json};

use daypass_server::error::{ApiError, Dialect};
use daypass_server::installation::Embedded;
use daypass_server::routes::{Pages, sdk};

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!($folder, $name)))),+]
    };
}

type Files = &'static [(&'static str, &'static str)];

const PAGE: &str = include_str!("playground/index.html");

const PAGE_FILES: Files = files!("playground/":
    "app.js", "countdown.js", "devices.js", "dom.js", "folder.js", "jwt.js", "offers.js", "pass.js", "people.js",
    "plain-words.js", "style.css", "wire-log.js",
);

/// What the page has to know.
pub struct Playground {
    /// The pool that it plays with.
    pub embedded: Arc<Embedded>,
    /// Where the server answers, by the name that its tokens bear.
    pub server_url: String,
    /// Where S3 answers.
    pub s3_url: String,
    /// The bucket with everybody's folder.
    pub bucket: String,
    /// Where the sandbox identity provider answers.
    pub sandbox_url: String,
}

impl Playground {
    /// The page at `/`, and its files.
    #[must_use]
    pub fn pages(self) -> Pages {
        let policy = HeaderValue::from_str(&content_security_policy(&self))
            .unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let headers = HeaderMap::from_iter([
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        ]);
        let files = Router::new()
            .route("/playground/config.json", get(config))
            .route("/playground/{file}", get(page_file))
            .route("/playground/sdk/{file}", get(sdk_file))
            .with_state(Arc::new(self));
        Pages { home: (headers, PAGE), files }
    }
}

/// The page holds credentials: it may talk to us and to S3, show the sandbox's pictures, and nothing else.
fn content_security_policy(playground: &Playground) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {} {}; img-src 'self' {} \
         data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        playground.server_url, playground.s3_url, playground.sandbox_url
    )
}

async fn config(State(playground): State<Arc<Playground>>) -> Json<Value> {
    let Playground { embedded, server_url, s3_url, bucket, sandbox_url } = &*playground;
    Json(json!({
        "region": embedded.pools.region,
        "identity_pool_id": embedded.pool_id,
        "server_url": server_url,
        "s3_url": s3_url,
        "bucket": bucket,
        "sandbox_url": sandbox_url,
    }))
}

async fn page_file(id: Extension<RequestId>, Path(name): Path<String>) -> Response {
    fresh(page_part(&name), &id)
}

/// The SDK as it is now: the page goes with the server that it came from.
async fn sdk_file(id: Extension<RequestId>, Path(name): Path<String>) -> Response {
    fresh(sdk::module(&name), &id)
}

fn page_part(name: &str) -> Option<Response> {
    let (name, text) = PAGE_FILES.iter().find(|(known, _)| *known == name)?;
    let style = *name == "style.css";
    let content_type = if style { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    let headers = [(header::CONTENT_TYPE, content_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Some((headers, *text).into_response())
}

/// A file that a browser asks for anew each time.
fn fresh(file: Option<Response>, id: &RequestId) -> Response {
    let Some(mut file) = file else { return ApiError::not_found().answer(Dialect::Problem, id) };
    file.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/playground");
        let mut listed: Vec<String> = PAGE_FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        let entries =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut present: Vec<String> = entries.filter(|name| name != "index.html").collect();
        listed.sort();
        present.sort();
        assert_eq!(listed, present);
    }
}
