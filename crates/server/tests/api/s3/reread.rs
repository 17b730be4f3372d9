//! A configuration that is taken up while somebody uploads.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures::channel::mpsc::unbounded;
use http::Request;
use tower::ServiceExt;

use super::{S3, allow, developer, request, signed};

#[tokio::test]
async fn an_upload_that_is_under_way_ends_well() {
    let mut s3 = S3::start().await;
    // More than is gathered before it is written.
    let half = "film".repeat(1 << 18);
    let (parts, _) = signed(&s3.daypass.key, request("PUT", "/bucket/film", &half.repeat(2))).into_parts();
    let (sender, receiver) = unbounded::<io::Result<Bytes>>();
    sender.unbounded_send(Ok(half.clone().into())).unwrap();
    let upload = Request::from_parts(parts, Body::from_stream(receiver));
    let before = s3.names();
    let upload = tokio::spawn(s3.router.clone().oneshot(upload));
    while s3.names() == before {
        tokio::task::yield_now().await;
    }
    s3.reread().await;
    assert_ne!(s3.names(), before);
    // Another one, which begins now, is not the same file.
    s3.ask(request("PUT", "/bucket/other", "another film")).await;
    sender.unbounded_send(Ok(half.clone().into())).unwrap();
    drop(sender);
    assert_eq!(upload.await.unwrap().unwrap().status(), 200);
    for (name, film) in [("film", &*half.repeat(2)), ("other", "another film")] {
        assert_eq!(s3.ask(request("GET", &format!("/bucket/{name}"), "")).await.body, film);
    }
}

#[tokio::test]
async fn keys_are_good_for_what_they_were() {
    let mut s3 = S3::start().await;
    let reader = developer(&s3.daypass, "reader", &allow("s3:GetObject")).await;
    s3.ask(request("PUT", "/bucket/film", "a film")).await;
    s3.reread().await;
    assert_eq!(s3.send(signed(&reader, request("GET", "/bucket/film", ""))).await.body, "a film");
    let refused = s3.send(signed(&reader, request("PUT", "/bucket/film", "another"))).await;
    assert_eq!(refused.status, 403, "{refused:?}");
}
