//! What conditions and refusals give away, and what cannot be said of an object.

use daypass_server::origin::Peer;

use super::*;

#[tokio::test]
async fn who_may_only_write_learns_nothing_of_what_is_there() {
    let s3 = S3::start().await;
    let tag = s3.ask(request("PUT", "/bucket/there", "a secret")).await.header("etag").to_owned();
    let writes = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "*"}
    ]});
    let writer = developer(&s3.daypass, "writer", &writes.to_string()).await;
    for path in ["/bucket/there", "/bucket/nowhere"] {
        for (method, body) in [("GET", ""), ("HEAD", ""), ("PUT", "another"), ("DELETE", "")] {
            for wanted in ["*", &tag, "\"00000000000000000000000000000000\""] {
                let mut odd = request(method, path, body);
                odd.headers_mut().insert("if-match", wanted.parse().unwrap());
                let answer = s3.send(signed(&writer, odd)).await;
                assert_eq!(answer.status, 403, "{method} {path} {wanted}: {answer:?}");
            }
        }
    }
    let mut fresh = request("PUT", "/bucket/fresh", "new");
    fresh.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
    assert_eq!(s3.send(signed(&writer, fresh)).await.status, 200, "that it is free is theirs to ask");
}

#[tokio::test]
async fn a_copy_is_put_only_where_it_may() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/from", "new")).await;
    s3.ask(request("PUT", "/bucket/to", "kept")).await;
    let other = "\"00000000000000000000000000000000\"";
    for (name, value, status) in [
        ("if-none-match", "*", 412),
        ("if-match", other, 412),
        ("if-none-match", other, 501),
        ("x-amz-write-offset-bytes", "4", 501),
    ] {
        let mut odd = copy("/bucket/from", "/bucket/to");
        odd.headers_mut().insert(name, HeaderValue::from_static(value));
        assert_eq!(s3.send(signed(&s3.daypass.key, odd)).await.status, status, "{name}: {value}");
        assert_eq!(s3.ask(request("GET", "/bucket/to", "")).await.body, "kept");
    }
    let mut free = copy("/bucket/from", "/bucket/free");
    free.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
    s3.ask(free).await;
    assert_eq!(s3.ask(request("GET", "/bucket/free", "")).await.body, "new");
}

#[tokio::test]
async fn what_no_answer_could_say_of_an_object_is_not_kept() {
    let s3 = S3::start().await;
    for query in ["x-amz-meta-a%20b=c", "x-amz-meta-%C3%BC=c", "x-amz-meta-a=b%0D%0Ac"] {
        let put = request("PUT", &format!("/bucket/odd?{query}"), "text");
        assert_refused(&s3.send(signed(&s3.daypass.key, put)).await, 400, "InvalidArgument");
        assert!(!s3.holds("odd").await, "{query}");
    }
    s3.ask(request("PUT", "/bucket/even?x-amz-meta-a=b%20c", "text")).await;
    assert_eq!(s3.ask(request("GET", "/bucket/even", "")).await.header("x-amz-meta-a"), "b c");
}

#[tokio::test]
async fn a_change_that_is_not_known_changes_nothing() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "kept")).await;
    s3.objects.ensure("empty").unwrap();
    for (method, path) in [
        ("DELETE", "/empty?abac"),
        ("PUT", "/new?metadataInventoryTable"),
        ("DELETE", "/bucket/a?acl"),
        ("PUT", "/bucket/a?renameObject"),
        ("DELETE", "/bucket/a?versionId=1"),
        ("GET", "/bucket?abac"),
        ("GET", "/bucket?metadataConfiguration="),
        ("GET", "/bucket/a?annotation&annotationName=x"),
    ] {
        let odd = signed(&s3.daypass.key, request(method, path, ""));
        assert_refused(&s3.send(odd).await, 501, "NotImplemented");
    }
    for reads in ["/bucket/a", "/bucket/a?v=1", "/bucket/a?x-id=GetObject"] {
        assert_eq!(s3.ask(request("GET", reads, "")).await.body, "kept");
    }
    for lists in ["/bucket?prefix&delimiter=", "/bucket?list-type=2&start-after=&prefix="] {
        assert!(s3.ask(request("GET", lists, "")).await.body.contains("<Key>a</Key>"));
    }
    let buckets = s3.ask(request("GET", "/", "")).await.body;
    assert!(buckets.contains("<Name>empty</Name>") && !buckets.contains("<Name>new</Name>"), "{buckets}");
}

#[tokio::test]
async fn a_refusal_says_where_it_came_from_and_what_by() {
    let s3 = S3::start().await;
    let reader = developer(&s3.daypass, "reader", &allow("s3:GetObject")).await;
    let from = Peer { address: "203.0.113.9".parse().unwrap(), over_tls: false };
    for credentials in [&reader, &Credentials::of_developer("AKIA0000000000000000", "a guess")] {
        let mut put = request("PUT", "/bucket/a", "text");
        put.headers_mut().insert("user-agent", HeaderValue::from_static("rclone/1.60"));
        let mut put = signed(credentials, put);
        put.extensions_mut().insert(from);
        assert_eq!(s3.send(put).await.status, 403);
    }
    let events = s3.daypass.audit_events();
    let refused: Vec<_> = events.iter().filter(|event| event["action"] == "s3_request").collect();
    assert_eq!(refused.len(), 2);
    for event in refused {
        assert_eq!(
            (&event["source_ip"], &event["user_agent"]),
            (&json!("203.0.113.9"), &json!("rclone/1.60")),
            "{event}"
        );
    }
}

#[tokio::test]
async fn a_condition_that_would_be_passed_over_is_refused() {
    let s3 = S3::start().await;
    s3.ask(request("PUT", "/bucket/a", "kept")).await;
    let (past, any) = ("Mon, 01 Jan 2024 00:00:00 GMT", "*");
    for (method, name, value) in [
        ("PUT", "if-unmodified-since", past),
        ("PUT", "if-modified-since", past),
        ("DELETE", "if-unmodified-since", past),
        ("DELETE", "if-none-match", any),
    ] {
        let mut odd = request(method, "/bucket/a", "");
        odd.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        assert_refused(&s3.send(signed(&s3.daypass.key, odd)).await, 501, "NotImplemented");
    }
    assert_eq!(s3.ask(request("GET", "/bucket/a", "")).await.body, "kept");
}
