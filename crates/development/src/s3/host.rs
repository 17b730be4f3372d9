//! The bucket in a host's name: `BUCKET.localhost`, which every machine takes for itself (RFC 6761, 6.3), and Amazon's
//! own, which clients sign that cannot be told of another S3: something between leads their requests here.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// What the names of our own hosts with buckets end with.
const LOCALHOST: &str = "localhost";
/// And those of Amazon's.
const AMAZON: &str = ".amazonaws.com";

/// Reads buckets from hosts.
pub(super) struct Localhost;

impl S3Host for Localhost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let of_all = VirtualHost::new(LOCALHOST);
        Ok(match bucket_of(host) {
            Some(bucket) => of_all.with_bucket(bucket),
            None => of_all,
        })
    }
}

/// The bucket that a host is named after. All other hosts have it in the path.
fn bucket_of(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bucket = match name.strip_suffix(AMAZON) {
        Some(name) => name.strip_suffix(".s3").or_else(|| Some(name.rsplit_once(".s3.")?.0)),
        None => name.strip_suffix(LOCALHOST)?.strip_suffix('.'),
    };
    bucket.filter(|bucket| !bucket.is_empty())
}

/// The bucket and the key that a request names.
pub(super) fn place(path: &str, headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path = decoded.strip_prefix('/').unwrap_or(&decoded);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (bucket, key) = match bucket_of(host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (text(bucket), text(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_before_localhost() {
        for (host, bucket) in [
            ("photos.localhost:9401", Some("photos")),
            ("a.b.localhost", Some("a.b")),
            ("localhost:9401", None),
            (".localhost", None),
            ("photos.example.com", None),
            ("photoslocalhost", None),
            ("127.0.0.1:9401", None),
            ("[::1]:9401", None),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }

    #[test]
    fn a_bucket_stands_before_an_s3_of_amazons() {
        for (host, bucket) in [
            ("photos.s3.us-east-1.amazonaws.com", Some("photos")),
            ("photos.s3.amazonaws.com:443", Some("photos")),
            ("a.s3.b.s3.eu-west-1.amazonaws.com", Some("a.s3.b")),
            ("s3.us-east-1.amazonaws.com", None),
            ("s3.amazonaws.com", None),
            (".s3.amazonaws.com", None),
            ("photos.s3.us-east-1.amazonaws.com.example.com", None),
            ("photos.sqs.us-east-1.amazonaws.com", None),
        ] {
            assert_eq!(bucket_of(host), bucket, "{host}");
        }
    }

    #[test]
    fn a_place_is_read_from_path_or_host() {
        let place_at = |host: &'static str, path: &str| {
            place(path, &HeaderMap::from_iter([(HOST, axum::http::HeaderValue::from_static(host))]))
        };
        let photo = (Some("photos".to_owned()), Some("a b/c".to_owned()));
        assert_eq!(place_at("127.0.0.1:1", "/photos/a%20b/c"), photo);
        assert_eq!(place_at("photos.localhost", "/a%20b/c"), photo);
        assert_eq!(place_at("127.0.0.1:1", "/photos"), (Some("photos".to_owned()), None));
        assert_eq!(place_at("127.0.0.1:1", "/"), (None, None));
    }
}
