//! The AWS SDK for Rust, unmodified, goes from a login to S3 through a real `daypass up`.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod clients;
mod login;
mod pool_credentials;
mod server;
mod session;
#[path = "../../../../docs/examples/upload.rs"]
#[expect(dead_code, clippy::print_stdout, reason = "its main is for people, who have a session of their own")]
mod upload;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentity::operation::RequestId;
use aws_sdk_cognitoidentity::operation::get_credentials_for_identity::GetCredentialsForIdentityError;
use aws_sdk_s3::config::IdentityCache;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityOutput;
use daypass_client::{Clock, SystemClock};

use crate::clients::{cognito, credentials_of, developer, s3, s3_config, sts};
use crate::login::{Person, log_in};
use crate::pool_credentials::{ISSUED_BY_POOL, PoolCredentials};
use crate::server::Daypass;
use crate::session::{session, sign_in};

/// Writes an object into the person's own folder, reads it back, and lists the folder.
async fn use_own_folder(daypass: &Daypass, s3: &aws_sdk_s3::Client, person: &Person) {
    let (bucket, folder) = (daypass.says("bucket"), format!("{}/", person.identity_id));
    let key = format!("{folder}a note & +1 ünï.txt");
    let body = "line one\nlíne two".as_bytes().to_vec();
    s3.put_object().bucket(bucket).key(&key).body(body.clone().into()).send().await.unwrap();
    let read = s3.get_object().bucket(bucket).key(&key).send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), body);
    let listed = s3.list_objects_v2().bucket(bucket).prefix(&folder).send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, [key]);
}

/// Sees S3 refuse to read, write and list in a folder.
async fn assert_folder_is_closed(daypass: &Daypass, s3: &aws_sdk_s3::Client, folder: &str) {
    let (bucket, key) = (daypass.says("bucket"), format!("{folder}/diary.txt"));
    assert_denied(s3.get_object().bucket(bucket).key(&key).send().await);
    assert_denied(s3.put_object().bucket(bucket).key(&key).send().await);
    assert_denied(s3.list_objects_v2().bucket(bucket).prefix(format!("{folder}/")).send().await);
}

fn assert_denied<T, E>(answer: Result<T, SdkError<E>>)
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = answer.err().expect("it is refused");
    assert_eq!(error.raw_response().expect("an answer").status().as_u16(), 403);
    assert_eq!(error.code(), Some("AccessDenied"), "{error:?}");
}

#[tokio::test]
async fn a_login_becomes_a_folder_of_ones_own() {
    let daypass = Daypass::start();
    let ada = log_in(&daypass, "ada").await;
    let s3 = s3(&daypass, credentials_of(&daypass, &ada).await);
    use_own_folder(&daypass, &s3, &ada).await;
}

#[tokio::test]
async fn another_persons_folder_is_closed() {
    let daypass = Daypass::start();
    let (ada, grace) = (log_in(&daypass, "ada").await, log_in(&daypass, "grace").await);
    let s3 = s3(&daypass, credentials_of(&daypass, &ada).await);
    assert_folder_is_closed(&daypass, &s3, &grace.identity_id).await;
}

async fn assume_role(daypass: &Daypass, person: &Person) -> AssumeRoleWithWebIdentityOutput {
    let request = sts(daypass).await.assume_role_with_web_identity();
    let request = request.role_arn(daypass.says("role_arn")).role_session_name("on-a-phone");
    request.web_identity_token(&person.token).send().await.unwrap()
}

#[tokio::test]
async fn the_classic_flow_leads_to_the_same_folder() {
    let daypass = Daypass::start();
    let ada = log_in(&daypass, "ada").await;
    let assumed = assume_role(&daypass, &ada).await;
    assert_eq!(assumed.subject_from_web_identity_token(), Some(&*ada.identity_id));
    let given = assumed.credentials().unwrap();
    let token = Some(given.session_token().to_owned());
    let credentials =
        Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "assumed role");
    use_own_folder(&daypass, &s3(&daypass, credentials.clone()), &ada).await;
    let as_ada =
        aws_sdk_sts::config::Builder::from(&developer(&daypass).await).credentials_provider(credentials);
    let caller = aws_sdk_sts::Client::from_conf(as_ada.build()).get_caller_identity().send().await.unwrap();
    assert_eq!(caller.arn(), assumed.assumed_role_user().map(aws_sdk_sts::types::AssumedRoleUser::arn));
    assert!(caller.arn().unwrap().ends_with("/authenticated/on-a-phone"), "{caller:?}");
}

/// How the SDK reads a refusal of GetCredentialsForIdentity.
async fn refusal(daypass: &Daypass, identity_id: &str, token: &str) -> GetCredentialsForIdentityError {
    let request = cognito(daypass).await.get_credentials_for_identity().identity_id(identity_id);
    let error = request.logins(ISSUED_BY_POOL, token).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    assert!(error.request_id().is_some(), "{error:?}");
    error.into_service_error()
}

#[tokio::test]
async fn refusals_are_the_types_of_the_sdk() {
    let daypass = Daypass::start();
    let (ada, grace) = (log_in(&daypass, "ada").await, log_in(&daypass, "grace").await);
    let refused = refusal(&daypass, &ada.identity_id, &tampered(&ada.token)).await;
    assert!(refused.is_not_authorized_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some("Invalid login token. Couldn't verify signed token."));
    let refused = refusal(&daypass, &ada.identity_id, &grace.token).await;
    assert!(refused.is_not_authorized_exception(), "{refused:?}");
    let unknown = "us-east-1:00000000-0000-4000-8000-000000000000";
    let refused = refusal(&daypass, unknown, &ada.token).await;
    assert!(refused.is_resource_not_found_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some(&*format!("Identity '{unknown}' not found.")));
}

/// The token with another signature of the same length.
fn tampered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

#[tokio::test]
async fn sts_names_the_refusal_of_a_tampered_token() {
    let daypass = Daypass::start();
    let ada = log_in(&daypass, "ada").await;
    let request = sts(&daypass).await.assume_role_with_web_identity().role_arn(daypass.says("role_arn"));
    let request = request.role_session_name("on-a-phone").web_identity_token(tampered(&ada.token));
    let refused = request.send().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_identity_token_exception(), "{refused:?}");
}

/// Counts how often the SDK asks for credentials.
#[derive(Debug)]
struct Counting {
    provider: PoolCredentials,
    asked: Arc<AtomicUsize>,
}

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.provider.provide_credentials()
    }
}

/// How often a client asks that makes two requests and wants credentials to last `buffer` longer.
async fn asked_in_two_requests(daypass: &Daypass, person: &Person, buffer: Duration) -> usize {
    let asked = Arc::new(AtomicUsize::new(0));
    let provider = Counting { provider: credentials_of(daypass, person).await, asked: asked.clone() };
    let cache = IdentityCache::lazy().buffer_time(buffer).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3_config(daypass, provider).identity_cache(cache).build());
    for _ in 0..2 {
        let listing = s3.list_objects_v2().bucket(daypass.says("bucket"));
        listing.prefix(format!("{}/", person.identity_id)).send().await.unwrap();
    }
    asked.load(Ordering::Relaxed)
}

#[tokio::test]
async fn credentials_are_asked_for_again_when_they_run_out_and_not_before() {
    let daypass = Daypass::start();
    let ada = log_in(&daypass, "ada").await;
    assert_eq!(asked_in_two_requests(&daypass, &ada, Duration::from_mins(5)).await, 1);
    assert_eq!(asked_in_two_requests(&daypass, &ada, Duration::from_hours(2)).await, 2);
}

#[tokio::test]
async fn the_developer_vouches_for_a_user_of_their_own() {
    let daypass = Daypass::start();
    let cognito = aws_sdk_cognitoidentity::Client::new(&developer(&daypass).await);
    let request = cognito.get_open_id_token_for_developer_identity();
    let request = request.identity_pool_id(daypass.says("identity_pool_id"));
    let answer = request.logins(daypass.says("developer_provider"), "user 42").send().await.unwrap();
    let (identity_id, token) = (answer.identity_id().unwrap().to_owned(), answer.token().unwrap().to_owned());
    let user = Person { identity_id, token };
    use_own_folder(&daypass, &s3(&daypass, credentials_of(&daypass, &user).await), &user).await;
}

#[tokio::test]
async fn guests_are_off_unless_asked_for() {
    let daypass = Daypass::start();
    let request = cognito(&daypass).await.get_id().identity_pool_id(daypass.says("identity_pool_id"));
    let refused = request.send().await.unwrap_err().into_service_error();
    assert!(refused.is_not_authorized_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some("Unauthenticated access is not supported for this identity pool."));
}

/// Turns guests on, and gives them the role that is made for them. Both calls replace what was there.
async fn let_guests_in(daypass: &Daypass) {
    let cognito = aws_sdk_cognitoidentity::Client::new(&developer(daypass).await);
    let pool_id = daypass.says("identity_pool_id");
    let pool = cognito.describe_identity_pool().identity_pool_id(pool_id).send().await.unwrap();
    let update = cognito.update_identity_pool().identity_pool_id(pool_id);
    let update = update.identity_pool_name(pool.identity_pool_name()).allow_unauthenticated_identities(true);
    update.set_developer_provider_name(pool.developer_provider_name).send().await.unwrap();
    let roles = cognito.set_identity_pool_roles().identity_pool_id(pool_id);
    let roles = roles.roles("authenticated", daypass.says("role_arn"));
    roles.roles("unauthenticated", daypass.says("guest_role_arn")).send().await.unwrap();
}

#[tokio::test]
async fn a_guest_reads_the_public_folder_and_no_other() {
    let daypass = Daypass::start();
    let_guests_in(&daypass).await;
    let (bucket, key) = (daypass.says("bucket"), "public/hello.txt");
    let developers = aws_sdk_s3::config::Builder::from(&developer(&daypass).await).force_path_style(true);
    let developers = aws_sdk_s3::Client::from_conf(developers.build());
    developers.put_object().bucket(bucket).key(key).body(b"hello".to_vec().into()).send().await.unwrap();

    let cognito = cognito(&daypass).await;
    let guest = cognito.get_id().identity_pool_id(daypass.says("identity_pool_id")).send().await.unwrap();
    let identity_id = guest.identity_id().unwrap().to_owned();
    let s3 = s3(&daypass, PoolCredentials { cognito, identity_id: identity_id.clone(), token: None });
    let read = s3.get_object().bucket(bucket).key(key).send().await.unwrap();
    assert_eq!(read.body.collect().await.unwrap().to_vec(), b"hello");
    s3.list_objects_v2().bucket(bucket).prefix("public/").send().await.unwrap();
    assert_denied(s3.put_object().bucket(bucket).key(key).send().await);
    assert_folder_is_closed(&daypass, &s3, &identity_id).await;
}

/// The machine's clock, some seconds fast, or slow.
#[derive(Debug, Clone)]
struct Off(Arc<AtomicI64>);

impl Off {
    fn by(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds)))
    }
}

impl Clock for Off {
    fn now(&self) -> u64 {
        SystemClock.now().checked_add_signed(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

#[tokio::test]
async fn a_session_is_a_provider_of_the_sdk_that_refreshes_itself() {
    let daypass = Daypass::start();
    let dir = tempfile::tempdir().unwrap();
    let now = session(&daypass, dir.path(), Arc::new(SystemClock));
    let ada = Person { identity_id: sign_in(&now, "ada").await, token: String::new() };
    let first = now.provide_credentials().await.unwrap();
    assert_eq!(now.provide_credentials().await.unwrap(), first);
    assert_eq!(now.fallback_on_interrupt(), Some(first.clone()));
    use_own_folder(&daypass, &s3(&daypass, now), &ada).await;

    let later = session(&daypass, dir.path(), Arc::new(Off::by(2800)));
    let second = later.provide_credentials().await.unwrap();
    assert_ne!(second.access_key_id(), first.access_key_id());
    let (bucket, prefix) = (daypass.says("bucket"), format!("{}/", ada.identity_id));
    s3(&daypass, later).list_objects_v2().bucket(bucket).prefix(prefix).send().await.unwrap();

    let other = session(&daypass, dir.path(), Arc::new(Off::by(2800)));
    assert_eq!(other.provide_credentials().await.unwrap().access_key_id(), second.access_key_id());
    assert!(other.sign_out(false).await.unwrap().untold.is_none());
    let error = other.provide_credentials().await.unwrap_err();
    let cause = error.source().expect("what the client says").to_string();
    assert!(cause.contains("type `daypass login http://127.0.0.1:"), "{cause}");
    assert_eq!(other.fallback_on_interrupt(), None);
}

/// A part of an upload, but for the last, has to have as much.
const PART: usize = 5 * 1024 * 1024;

/// Each part is signed with what the provider has then: by a clock that is an hour slow, the SDK keeps nothing.
#[tokio::test]
async fn an_upload_in_parts_goes_on_with_other_credentials() {
    let daypass = Daypass::start();
    let dir = tempfile::tempdir().unwrap();
    let clock = Off::by(-3595);
    let session = session(&daypass, dir.path(), Arc::new(clock.clone()));
    let identity_id = sign_in(&session, "ada").await;
    let s3 = s3(&daypass, session.clone());
    let (bucket, key) = (daypass.says("bucket"), format!("{identity_id}/parts"));
    let begun = s3.create_multipart_upload().bucket(bucket).key(&key).send().await.unwrap();
    let upload_id = begun.upload_id().unwrap();
    let (mut parts, mut keys) = (CompletedMultipartUpload::builder(), BTreeSet::new());
    for number in 1..=4 {
        let part = s3.upload_part().bucket(bucket).key(&key).upload_id(upload_id).part_number(number);
        let tag = part.body(vec![b'x'; PART].into()).send().await.unwrap().e_tag.unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).e_tag(tag).build());
        keys.insert(session.kept().await.unwrap().access_key_id().to_owned());
        clock.0.fetch_add(1500, Ordering::SeqCst);
    }
    let complete = s3.complete_multipart_upload().bucket(bucket).key(&key).upload_id(upload_id);
    complete.multipart_upload(parts.build()).send().await.unwrap();
    let there = s3.head_object().bucket(bucket).key(&key).send().await.unwrap();
    assert_eq!(there.content_length(), i64::try_from(4 * PART).ok());
    assert!(keys.len() > 1, "{keys:?}");
}

#[tokio::test]
async fn the_example_of_the_docs_uploads_into_ones_own_folder() {
    let daypass = Daypass::start();
    let dir = tempfile::tempdir().unwrap();
    let session = session(&daypass, dir.path(), Arc::new(SystemClock));
    let identity_id = sign_in(&session, "ada").await;
    let key = upload::upload(session, daypass.says("s3_url")).await.unwrap();
    assert_eq!(key, format!("{identity_id}/hello-from-rust.txt"));
}
