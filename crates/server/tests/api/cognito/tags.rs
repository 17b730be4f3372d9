//! TagResource, UntagResource and ListTagsForResource: the tags of a pool itself.

use futures::future::join_all;
use serde_json::{Map, Value, json};

use super::UNKNOWN;
use crate::harness::{Answer, Backend, Daypass};

fn arn(daypass: &Daypass) -> String {
    format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{}", daypass.pool_id())
}

async fn tag(daypass: &Daypass, tags: Value) -> Answer {
    daypass.signed("TagResource", json!({"ResourceArn": arn(daypass), "Tags": tags})).await
}

async fn tags(daypass: &Daypass) -> Value {
    daypass.call("ListTagsForResource", json!({"ResourceArn": arn(daypass)})).await["Tags"].clone()
}

fn numbered(numbers: std::ops::Range<usize>) -> Value {
    numbers.map(|number| (format!("tag {number}"), json!("x"))).collect::<Map<_, _>>().into()
}

#[tokio::test]
async fn tags_are_added_replaced_and_taken_away() {
    let daypass = Daypass::start().await;
    assert_eq!(tags(&daypass).await, json!({}));
    assert_eq!(tag(&daypass, json!({"team": "games", "stage": ""})).await.body, "{}");
    tag(&daypass, json!({"team": "films", "Team": "other"})).await;
    assert_eq!(tags(&daypass).await, json!({"team": "films", "stage": "", "Team": "other"}));

    let input = json!({"ResourceArn": arn(&daypass), "TagKeys": ["team", "nobody has it"]});
    assert_eq!(daypass.signed("UntagResource", input).await.body, "{}");
    assert_eq!(tags(&daypass).await, json!({"stage": "", "Team": "other"}));
    let described = daypass.call("DescribeIdentityPool", json!({"IdentityPoolId": daypass.pool_id()})).await;
    assert_eq!(described["IdentityPoolTags"], json!({"stage": "", "Team": "other"}));
}

#[tokio::test]
async fn a_pool_has_fifty_tags_however_many_calls_they_come_in() {
    let daypass = Daypass::start().await;
    for start in [0, 20, 40] {
        assert_eq!(tag(&daypass, numbered(start..(start + 20).min(50))).await.status, 200);
    }
    let message = "An identity pool has at most 50 tags.";
    tag(&daypass, numbered(50..51)).await.assert_exception("InvalidParameterException", message);
    assert_eq!(tag(&daypass, json!({"tag 7": "another value"})).await.status, 200);
    assert_eq!(tags(&daypass).await.as_object().unwrap().len(), 50);
    let settings = json!({"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": false,
        "IdentityPoolTags": numbered(0..51)});
    let answer = daypass.signed("CreateIdentityPool", settings).await;
    answer.assert_exception("InvalidParameterException", message);
}

#[tokio::test]
async fn tags_set_at_once_are_all_there() {
    let daypass = Daypass::start().on(Backend::sqlite()).with_oidc_hosts(&[]).await;
    let answers = join_all((0..6).map(|number| tag(&daypass, numbered(number..number + 1)))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(tags(&daypass).await, numbered(0..6));
}

#[tokio::test]
async fn keys_of_amazon_are_reserved() {
    let daypass = Daypass::start().await;
    let message = "Tag keys that begin with aws: are reserved.";
    for key in ["aws:x", "AWS:x", "aws:"] {
        let answer = tag(&daypass, json!({key: "x", "fine": "x"})).await;
        answer.assert_exception("InvalidParameterException", message);
    }
    assert_eq!(tags(&daypass).await, json!({}));
}

#[tokio::test]
async fn an_arn_of_something_else_is_refused() {
    let daypass = Daypass::start().await;
    let pool_id = daypass.pool_id();
    let foreign = [
        format!("arn:aws:cognito-identity:us-east-1:111111111111:identitypool/{pool_id}"),
        format!("arn:aws:cognito-identity:eu-west-1:000000000000:identitypool/{pool_id}"),
        format!("arn:aws-cn:cognito-identity:us-east-1:000000000000:identitypool/{pool_id}"),
        format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool_id}"),
        format!("{}/identity/{pool_id}", arn(&daypass)),
    ];
    for arn in foreign {
        let input = json!({"ResourceArn": arn, "Tags": {"a": "b"}, "TagKeys": ["a"]});
        for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
            let answer = daypass.signed(operation, input.clone()).await;
            answer.assert_code("InvalidParameterException");
        }
    }
    assert_eq!(tags(&daypass).await, json!({}));
}

#[tokio::test]
async fn an_unknown_pool_has_no_tags() {
    let daypass = Daypass::start().await;
    let arn = format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{UNKNOWN}");
    let input = json!({"ResourceArn": arn, "Tags": {"a": "b"}, "TagKeys": ["a"]});
    for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
        let message = format!("IdentityPool '{UNKNOWN}' not found.");
        daypass
            .signed(operation, input.clone())
            .await
            .assert_exception("ResourceNotFoundException", &message);
    }
}
