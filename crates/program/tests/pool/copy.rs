//! Copies between two running servers.

use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::types::{
    AmbiguousRoleResolutionType, CognitoIdentityProvider, MappingRule, MappingRuleMatchType, RoleMapping,
    RoleMappingType, RulesConfigurationType,
};

use crate::daypass::{Done, Up, pool};
use crate::faults::{Fault, Faulty};

const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_aaaaaaaaa";
const OIDC: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com";
const ROLE: &str = "arn:aws:iam::000000000000:role/authenticated";

/// As many calls of the target as a whole copy of [`rich_pool`] takes: listing and describing, creating, roles, two
/// tag maps, reading again, and asking for the account.
const CALLS: usize = 15;

struct Two {
    source: Up,
    target: Up,
    id: String,
}

impl Two {
    /// Two servers, and a pool in the first that has something of everything.
    async fn start() -> Self {
        let (source, target) = (Up::start().await, Up::start().await);
        let id = rich_pool(&source.client).await;
        Self { source, target, id }
    }

    async fn copy(&self, more: &[&str]) -> Done {
        let to = ["--to", "us-east-1", "--to-dir", self.target.dir()];
        self.copy_to(&to, more).await
    }

    async fn copy_to(&self, to: &[&str], more: &[&str]) -> Done {
        let from = ["copy", "--from", &self.id, "--from-dir", self.source.dir()];
        pool(&[&from[..], to, more].concat()).await
    }

    /// Through an endpoint with a fault, with the target's own credentials.
    async fn copy_through(&self, faulty: &Faulty, more: &[&str]) -> Done {
        let from = ["copy", "--from", &self.id, "--from-dir", self.source.dir()];
        let to = ["--to", "us-east-1", "--to-endpoint", &faulty.url, "--to-profile", "daypass"];
        let mut command = crate::daypass::command(&[&from[..], &to, more].concat());
        command.env("AWS_CONFIG_FILE", &self.target.ready().aws_config_file);
        command.env("AWS_SHARED_CREDENTIALS_FILE", &self.target.ready().aws_shared_credentials_file);
        crate::daypass::run(command).await
    }
}

async fn rich_pool(client: &Client) -> String {
    let user_pool = CognitoIdentityProvider::builder().provider_name(USER_POOL).client_id("client");
    let created = client
        .create_identity_pool()
        .identity_pool_name("my app")
        .allow_unauthenticated_identities(true)
        .allow_classic_flow(false)
        .developer_provider_name("login.my-app")
        .supported_login_providers("graph.facebook.com", "12345")
        .open_id_connect_provider_arns(OIDC)
        .cognito_identity_providers(user_pool.build())
        .identity_pool_tags("team", "blue")
        .send();
    let id = created.await.expect("a new pool").identity_pool_id;
    let rule = MappingRule::builder()
        .claim("team")
        .match_type(MappingRuleMatchType::StartsWith)
        .value("blue")
        .role_arn("arn:aws:iam::000000000000:role/blue");
    let rules = RulesConfigurationType::builder().rules(rule.build().expect("a rule")).build();
    let mapping = RoleMapping::builder()
        .r#type(RoleMappingType::Rules)
        .ambiguous_role_resolution(AmbiguousRoleResolutionType::Deny)
        .rules_configuration(rules.expect("rules"));
    let roles = client
        .set_identity_pool_roles()
        .identity_pool_id(&id)
        .roles("authenticated", ROLE)
        .role_mappings(format!("{USER_POOL}:client"), mapping.build().expect("a mapping"))
        .send();
    roles.await.expect("roles that are set");
    for (provider, defaults) in [(USER_POOL, true), (OIDC, false)] {
        let map = client.set_principal_tag_attribute_map().identity_pool_id(&id).use_defaults(defaults);
        let map = map.identity_provider_name(provider).principal_tags("team", "custom:team");
        map.send().await.expect("a tag map that is set");
    }
    id
}

/// The pools of a server beside the one it came with.
async fn copies(up: &Up) -> Vec<String> {
    let listed = up.client.list_identity_pools().max_results(60).send().await.expect("a listing");
    let ids = listed.identity_pools.unwrap_or_default().into_iter().filter_map(|pool| pool.identity_pool_id);
    ids.filter(|id| *id != up.ready().identity_pool_id.to_string()).collect()
}

fn assert_success(done: &Done) {
    assert!(done.success, "{}\n{}", done.stdout, done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_changes_nothing() {
    let two = Two::start().await;
    let planned = two.copy(&[]).await;
    assert_success(&planned);
    assert_eq!(copies(&two.target).await, [""; 0]);
    for line in [
        "to    a new pool in us-east-1",
        "  + AllowClassicFlow  false",
        "  + DeveloperProviderName  login.my-app",
        "  + SupportedLoginProviders graph.facebook.com  12345",
        "  + IdentityPoolTags team  blue",
        "the ID of the new pool",
    ] {
        assert!(planned.stdout.contains(line), "{line:?} is not in\n{}", planned.stdout);
    }
    assert!(planned.stderr.contains("Identities and logins are not copied"), "{}", planned.stderr);
    assert!(planned.stderr.contains("Nothing was changed."), "{}", planned.stderr);
    let verified = two.copy(&["--verify"]).await;
    assert!(!verified.success && verified.stderr.contains("there is no copy"), "{}", verified.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_the_same_and_needs_no_second_one() {
    let two = Two::start().await;
    assert_success(&two.copy(&["--apply", "--verify"]).await);
    let [copy] = &copies(&two.target).await[..] else { panic!("one copy") };
    let described = |client: Client, id: String| async move {
        let mut pool = client.describe_identity_pool().identity_pool_id(&id).send().await.unwrap();
        let origin = pool.identity_pool_tags.as_mut().unwrap().remove("daypass:copied-from");
        let roles = client.get_identity_pool_roles().identity_pool_id(&id).send().await.unwrap();
        let map = client.get_principal_tag_attribute_map().identity_pool_id(&id);
        let map = map.identity_provider_name(OIDC).send().await.unwrap();
        let settings = (
            (pool.identity_pool_name, pool.allow_unauthenticated_identities, pool.allow_classic_flow),
            (pool.developer_provider_name, pool.supported_login_providers, pool.identity_pool_tags),
            (pool.open_id_connect_provider_arns, pool.cognito_identity_providers),
            (roles.roles, roles.role_mappings, map.use_defaults, map.principal_tags),
        );
        (origin, settings)
    };
    let (_, source) = described(two.source.client.clone(), two.id.clone()).await;
    let (origin, target) = described(two.target.client.clone(), copy.clone()).await;
    assert_eq!(target, source);
    assert_eq!(origin.as_ref(), Some(&two.id));

    let again = two.copy(&["--apply", "--verify"]).await;
    assert_success(&again);
    assert!(again.stdout.contains("Both are set to the same."), "{}", again.stdout);
    assert!(again.stdout.contains(&format!("\"{}\",\n      \"{copy}\"", two.id)), "{}", again.stdout);
    assert_eq!(copies(&two.target).await, [copy.as_str()]);
}

/// Whatever the call at which the target fails, the same command goes on, and there is one copy.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_copy_goes_on() {
    let two = Two::start().await;
    let mut interrupted = 0;
    for calls in 0.. {
        let faulty = Faulty::start(&two.target.ready().server_url, Fault::RefuseAfter(calls)).await;
        let done = two.copy_through(&faulty, &["--apply"]).await;
        if faulty.calls() <= calls {
            assert_success(&done);
            break;
        }
        interrupted += usize::from(!done.success);
        assert!(copies(&two.target).await.len() <= 1, "after {calls} calls");
        assert!(calls < CALLS, "a copy takes no end of calls");
    }
    assert!(interrupted > 5, "only {interrupted} copies were interrupted");
    assert_success(&two.copy(&["--verify"]).await);
    assert_eq!(copies(&two.target).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_one_too_many_is_made_again() {
    let two = Two::start().await;
    let faulty = Faulty::start(&two.target.ready().server_url, Fault::ThrottleFirst(1)).await;
    assert_success(&two.copy_through(&faulty, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_difference_is_found_and_put_right() {
    let two = Two::start().await;
    assert_success(&two.copy(&["--apply"]).await);
    let [copy] = &copies(&two.target).await[..] else { panic!("one copy") };
    let client = &two.target.client;
    let roles = client.set_identity_pool_roles().identity_pool_id(copy);
    roles.roles("authenticated", ROLE.replace("authenticated", "other")).send().await.unwrap();
    let map = client.set_principal_tag_attribute_map().identity_pool_id(copy);
    map.identity_provider_name("graph.facebook.com").principal_tags("a", "b").send().await.unwrap();
    let tag = client
        .tag_resource()
        .tags("superfluous", "1")
        .resource_arn(format!("arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{copy}"));
    tag.send().await.unwrap();

    let found = two.copy(&["--verify"]).await;
    assert!(!found.success, "{}", found.stdout);
    for line in [
        "  - IdentityPoolTags superfluous  1",
        "  ~ Roles authenticated\n      arn:aws:iam::000000000000:role/other\n      -> arn:",
        "  - PrincipalTags graph.facebook.com a  b",
    ] {
        assert!(found.stdout.contains(line), "{line:?} is not in\n{}", found.stdout);
    }
    assert!(found.stderr.contains(&format!("{} and {copy} differ in ", two.id)), "{}", found.stderr);

    assert_success(&two.copy(&["--apply", "--verify"]).await);
    let pool = client.describe_identity_pool().identity_pool_id(copy).send().await.unwrap();
    assert_eq!(pool.identity_pool_tags.unwrap().len(), 2, "the tag that says whose copy it is has to stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_named_becomes_the_same_or_is_left_alone() {
    let two = Two::start().await;
    let own = two.target.ready().identity_pool_id.to_string();
    let to = ["--to", own.as_str(), "--to-dir", two.target.dir()];
    let refused = two.copy_to(&to, &["--apply"]).await;
    assert!(!refused.success && refused.stderr.contains("cannot be changed once it is set"), "{refused:?}");

    let bare = two.target.client.create_identity_pool().identity_pool_name("bare");
    let bare = bare.allow_unauthenticated_identities(false).send().await.unwrap().identity_pool_id;
    let to = ["--to", bare.as_str(), "--to-dir", two.target.dir()];
    assert_success(&two.copy_to(&to, &["--apply", "--verify"]).await);
    assert_eq!(copies(&two.target).await, [bare]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_alone_leave_roles_as_they_are() {
    let two = Two::start().await;
    assert_success(&two.copy(&["--settings-only", "--apply", "--verify"]).await);
    let [copy] = &copies(&two.target).await[..] else { panic!("one copy") };
    let roles = two.target.client.get_identity_pool_roles().identity_pool_id(copy).send().await.unwrap();
    assert!(roles.roles.is_none_or(|roles| roles.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_pools_one_has_to_be_named() {
    let two = Two::start().await;
    let from = ["copy", "--from", "us-east-1", "--from-dir", two.source.dir()];
    let refused = pool(&[&from[..], &["--to", "us-east-1", "--to-dir", two.target.dir()]].concat()).await;
    assert!(!refused.success && refused.stderr.contains("several pools"), "{refused:?}");
    assert!(refused.stderr.contains(&format!("{}  my app", two.id)), "{}", refused.stderr);
    let same = ["--to", two.id.as_str(), "--to-dir", two.source.dir()];
    let refused = two.copy_to(&same, &[]).await;
    assert!(!refused.success && refused.stderr.contains("source and target at once"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_by_its_address() {
    let two = Two::start().await;
    let to = ["--to", "us-east-1", "--to-endpoint", "http://127.0.0.1:9", "--to-profile", "nobody"];
    let refused = two.copy_to(&to, &[]).await;
    assert!(!refused.success && refused.stderr.contains("http://127.0.0.1:9"), "{refused:?}");
}
