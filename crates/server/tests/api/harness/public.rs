//! Public providers, which stand beside the one whose logins the broker exchanges: two OIDC providers, a user
//! pool and Google sign ID tokens, Facebook and Amazon are asked about access tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::ground::clock::ManualClock;
use daypass_core::login::public::testing::{AMAZON, FACEBOOK, FakeHttp, GOOGLE, Issuer};
use serde_json::{Map, Value, json};

use super::{AUTHENTICATED_ROLE, DEVELOPER_PROVIDER, Daypass, GUEST_ROLE};

/// The key in `Logins` of an OIDC provider.
pub const OIDC: &str = "login.example.com";
/// What the pool calls it.
pub const OIDC_ARN: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com";
/// The key of another one.
pub const OTHER_OIDC: &str = "id.example.org";
/// Our client at the OIDC providers.
pub const CLIENT: &str = "our-client";
pub const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_aBcDeFgHi";
pub const USER_POOL_CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
pub const GOOGLE_APP: &str = "407408718192.apps.googleusercontent.com";
pub const FACEBOOK_APP: &str = "7346241598935555";
pub const AMAZON_APP: &str = "amzn1.application-oa2-client.f00";

/// The ARN of an OIDC provider.
pub fn oidc_arn(host: &str) -> String {
    format!("arn:aws:iam::000000000000:oidc-provider/{host}")
}

/// Whoever signs ID tokens, by their keys in `Logins`.
pub struct Issuers(BTreeMap<String, Arc<Issuer>>);

impl Issuers {
    pub fn new(oidc_hosts: &[&str], clock: &Arc<ManualClock>) -> Self {
        let hosts = oidc_hosts.iter().copied().chain([USER_POOL]);
        let issuer = |host: &str| (host.to_owned(), Issuer::new(&format!("https://{host}"), clock.clone()));
        let google = (GOOGLE.to_owned(), Issuer::google(clock.clone()));
        Self(hosts.map(issuer).chain([google]).collect())
    }

    /// Where all of them publish their keys.
    pub fn network(&self) -> FakeHttp {
        self.0.values().fold(FakeHttp::new(), FakeHttp::with_issuer)
    }
}

impl Daypass {
    pub fn issuer(&self, key: &str) -> &Issuer {
        &self.issuers.0[key]
    }

    /// A fresh ID token of somebody for our client.
    pub fn id_token(&self, key: &str, user: &str) -> Value {
        self.id_token_with(key, user, json!({}))
    }

    /// The same with more claims, or with others.
    pub fn id_token_with(&self, key: &str, user: &str, claims: Value) -> Value {
        let client = match key {
            USER_POOL => USER_POOL_CLIENT,
            GOOGLE => GOOGLE_APP,
            _ => CLIENT,
        };
        self.issuer(key).id_token(user, client, claims).expose().into()
    }

    /// `Logins` with a fresh ID token for each provider and user.
    pub fn logins(&self, people: &[(&str, &str)]) -> Value {
        let login = |(key, user): &(&str, &str)| ((*key).to_owned(), self.id_token(key, user));
        people.iter().map(login).collect::<Map<_, _>>().into()
    }

    /// An access token that Facebook gave an app for somebody.
    pub fn facebook_token(&self, app: &str, user: &str) -> Value {
        let token = format!("facebookaccesstokenof{user}");
        let (app, person) = (json!({"id": app}), json!({"id": user}));
        let ask = |path: &str, answer: Value| {
            let url = format!("https://graph.facebook.com/{path}access_token={token}");
            self.network.answer(&url, 200, answer.to_string());
        };
        ask("app?", app);
        ask("me?fields=id&", person);
        token.into()
    }

    /// An access token that Amazon gave our app for somebody.
    pub fn amazon_token(&self, user: &str) -> Value {
        let token = format!("amazonaccesstokenof{user}");
        let url = format!("https://api.amazon.com/auth/o2/tokeninfo?access_token={token}");
        let answer = json!({"aud": AMAZON_APP, "user_id": user});
        self.network.answer(&url, 200, answer.to_string());
        token.into()
    }

    /// From now on the configured pool takes guests and the logins of every public provider, and has a role
    /// for both.
    pub async fn accept_public_logins(&self) {
        self.update_pool(json!({})).await;
        self.set_roles(json!({})).await;
    }

    /// Accepts public logins, with other settings in some respect.
    pub async fn update_pool(&self, settings: Value) {
        let hosts = self.issuers.0.keys().filter(|key| ![GOOGLE, USER_POOL].contains(&key.as_str()));
        let arns: Vec<String> = hosts.map(|host| oidc_arn(host)).collect();
        let mut input = json!({
            "IdentityPoolId": self.pool_id(),
            "IdentityPoolName": "test",
            "AllowUnauthenticatedIdentities": true,
            "DeveloperProviderName": DEVELOPER_PROVIDER,
            "OpenIdConnectProviderARNs": arns,
            "CognitoIdentityProviders": [{"ProviderName": USER_POOL, "ClientId": USER_POOL_CLIENT}],
            "SupportedLoginProviders": {GOOGLE: GOOGLE_APP, FACEBOOK: FACEBOOK_APP, AMAZON: AMAZON_APP},
        });
        input.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.call("UpdateIdentityPool", input).await;
    }

    /// Gives the configured pool its two roles and these mappings.
    pub async fn set_roles(&self, mappings: Value) {
        let roles = json!({"authenticated": AUTHENTICATED_ROLE, "unauthenticated": GUEST_ROLE});
        let input = json!({"IdentityPoolId": self.pool_id(), "Roles": roles, "RoleMappings": mappings});
        self.call("SetIdentityPoolRoles", input).await;
    }

    /// GetId with public logins, which has to succeed.
    pub async fn get_id(&self, logins: &Value) -> Value {
        let input = json!({"IdentityPoolId": self.pool_id(), "Logins": logins});
        let answer = self.public("GetId", input).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["IdentityId"].clone()
    }

    /// DescribeIdentity.
    pub async fn describe(&self, id: &Value) -> Value {
        self.call("DescribeIdentity", json!({"IdentityId": id})).await
    }

    /// Everybody in the configured pool who is not disabled.
    pub async fn enabled_identities(&self) -> Vec<Value> {
        let input = json!({"IdentityPoolId": self.pool_id(), "MaxResults": 60, "HideDisabled": true});
        let listed = self.call("ListIdentities", input).await;
        let identities = listed["Identities"].as_array().unwrap();
        identities.iter().map(|identity| identity["IdentityId"].clone()).collect()
    }
}
