//! `GET /sdk/{version}/{file}`: the browser SDK, for pages without a build step, of any origin. The files are those in
//! the repository.

use axum::extract::{Extension, Path};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;

use crate::error::{ApiError, Dialect};

/// The version of the SDK, as `sdk/package.json` has it.
pub const VERSION: &str = "0.1.0";

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../sdk/src/", $name)))),+]
    };
}

/// Its modules.
pub const FILES: &[(&str, &str)] = files!(
    "arrivals.js",
    "assembly.js",
    "base64url.js",
    "button.js",
    "called-back.js",
    "capacitor.js",
    "client.js",
    "device.js",
    "dpop.js",
    "endpoint.js",
    "errors.js",
    "events.js",
    "guest.js",
    "http.js",
    "index.js",
    "keeper.js",
    "key.js",
    "lifetime.js",
    "link.js",
    "lock.js",
    "login-error.js",
    "marks.js",
    "patience.js",
    "pkce.js",
    "platform.js",
    "popup.js",
    "react-native.js",
    "react.js",
    "renewal.js",
    "s3.js",
    "session.js",
    "shelf.js",
    "sign-in.js",
    "sigv4.js",
    "wake.js",
    "xml.js",
);

const YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_ALL: HeaderValue = HeaderValue::from_static("cross-origin");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What stands under a version never changes. Of another version than this server's there is nothing.
pub async fn handle(Extension(id): Extension<RequestId>, Path(path): Path<String>) -> Response {
    let file = path.split_once('/').filter(|(version, _)| *version == VERSION).map(|(_, file)| file);
    match file.and_then(module) {
        Some(module) => ([(header::CACHE_CONTROL, YEAR), (RESOURCE_POLICY, FOR_ALL)], module).into_response(),
        None => ApiError::sdk_not_found(VERSION).answer(Dialect::Problem, &id),
    }
}

/// A module by its name, as a browser runs it.
#[must_use]
pub fn module(name: &str) -> Option<Response> {
    let (_, text) = FILES.iter().find(|(known, _)| *known == name)?;
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Some((headers, *text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/");

    #[test]
    fn every_module_is_served() {
        let entries = std::fs::read_dir(format!("{SDK}src")).unwrap();
        let mut present: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        present.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), present);
    }

    #[test]
    fn the_version_is_that_of_the_package() {
        let package = std::fs::read_to_string(format!("{SDK}package.json")).unwrap();
        let package: serde_json::Value = serde_json::from_str(&package).unwrap();
        assert_eq!(package["version"], VERSION);
    }
}
