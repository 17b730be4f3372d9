//! What a pool is set to, in a form in which two pools can be compared line by line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;

use aws_sdk_cognitoidentity::operation::describe_identity_pool::DescribeIdentityPoolOutput;
use aws_sdk_cognitoidentity::types::{
    CognitoIdentityProvider, MappingRule, RoleMapping, RulesConfigurationType,
};

/// The tag by which a copy is found again.
pub const COPIED_FROM: &str = "daypass:copied-from";

/// Tags of this prefix are AWS's own: nobody else can set them.
const RESERVED: &str = "aws:";

/// All that a pool is set to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configuration {
    pub name: String,
    pub guests: bool,
    pub classic_flow: Option<bool>,
    pub developer_provider: Option<String>,
    pub login_providers: HashMap<String, String>,
    pub oidc_arns: Vec<String>,
    pub user_pools: Vec<CognitoIdentityProvider>,
    pub saml_arns: Vec<String>,
    /// Without those that are AWS's or that say where the pool was copied from.
    pub tags: HashMap<String, String>,
    pub roles: HashMap<String, String>,
    pub role_mappings: HashMap<String, RoleMapping>,
    /// Provider → its principal tag map. One that makes no tags is not there.
    pub tag_maps: BTreeMap<String, TagMap>,
}

/// A principal tag map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagMap {
    pub use_defaults: bool,
    pub tags: BTreeMap<String, String>,
}

/// The parts of a pool that are written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// By UpdateIdentityPool.
    Settings,
    /// By UpdateIdentityPool too, and by TagResource where that does not take them.
    Tags,
    /// By SetIdentityPoolRoles.
    Roles,
    /// By SetPrincipalTagAttributeMap, for each provider.
    TagMaps,
}

/// A line in which two pools differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub part: Part,
    /// The member of the API, and where in it.
    pub path: String,
    /// What the source has.
    pub source: Option<String>,
    /// What the target has.
    pub target: Option<String>,
}

impl Configuration {
    /// What DescribeIdentityPool says. Some who answer it say "" or null of what is not there.
    pub fn new(pool: DescribeIdentityPoolOutput) -> Self {
        let tags = pool.identity_pool_tags.unwrap_or_default().into_iter();
        Self {
            name: pool.identity_pool_name,
            guests: pool.allow_unauthenticated_identities,
            classic_flow: pool.allow_classic_flow,
            developer_provider: pool.developer_provider_name.filter(|name| !name.is_empty()),
            login_providers: pool.supported_login_providers.unwrap_or_default(),
            oidc_arns: pool.open_id_connect_provider_arns.unwrap_or_default(),
            user_pools: pool.cognito_identity_providers.unwrap_or_default(),
            saml_arns: pool.saml_provider_arns.unwrap_or_default(),
            tags: tags.filter(|(key, _)| is_copied(key)).collect(),
            ..Self::default()
        }
    }

    /// Every name under which a provider of the pool can have a principal tag map. An OIDC provider goes by
    /// its ARN or by its issuer.
    pub fn providers(&self) -> BTreeSet<String> {
        let user_pools = self.user_pools.iter().filter_map(|client| client.provider_name.clone());
        let issuer = |arn: &String| arn.split_once(":oidc-provider/").map(|(_, issuer)| issuer.to_owned());
        let oidc = self.oidc_arns.iter().flat_map(|arn| [Some(arn.clone()), issuer(arn)]).flatten();
        let others = self.login_providers.keys().chain(&self.developer_provider).chain(&self.saml_arns);
        user_pools.chain(oidc).chain(others.cloned()).collect()
    }

    /// Every role that the pool names.
    pub fn role_arns(&self) -> BTreeSet<String> {
        let of_rules = self.role_mappings.values().flat_map(rules).map(|rule| rule.role_arn.clone());
        self.roles.values().cloned().chain(of_rules).collect()
    }

    /// The lines in which `target` is not yet as this one, the source.
    pub fn differences(&self, target: &Self) -> Vec<Difference> {
        let (source, target) = (self.lines(), target.lines());
        let keys: BTreeSet<_> = source.keys().chain(target.keys()).collect();
        let difference = |key: &(usize, String)| {
            let (source, target) = (source.get(key).cloned(), target.get(key).cloned());
            let (group, path) = key;
            (source != target).then(|| Difference { part: part(*group), path: path.clone(), source, target })
        };
        keys.into_iter().filter_map(difference).collect()
    }

    /// Everything as text, under its place in the order of the API and its path.
    fn lines(&self) -> BTreeMap<(usize, String), String> {
        let mut lines = Lines::default();
        lines.add(0, "IdentityPoolName", &self.name);
        lines.add(0, "AllowUnauthenticatedIdentities", self.guests);
        self.classic_flow.iter().for_each(|flag| lines.add(0, "AllowClassicFlow", flag));
        self.developer_provider.iter().for_each(|name| lines.add(0, "DeveloperProviderName", name));
        lines.add_all(0, "SupportedLoginProviders", &self.login_providers);
        self.oidc_arns.iter().for_each(|arn| lines.add(0, &format!("OpenIdConnectProviderARNs {arn}"), ""));
        self.user_pools.iter().for_each(|client| lines.add_user_pool(client));
        self.saml_arns.iter().for_each(|arn| lines.add(0, &format!("SamlProviderARNs {arn}"), ""));
        lines.add_all(1, "IdentityPoolTags", &self.tags);
        lines.add_all(2, "Roles", &self.roles);
        self.role_mappings.iter().for_each(|(provider, mapping)| lines.add_mapping(provider, mapping));
        for (provider, map) in &self.tag_maps {
            lines.add(3, &format!("PrincipalTags {provider}"), format!("defaults {}", map.use_defaults));
            lines.add_all(3, &format!("PrincipalTags {provider}"), &map.tags);
        }
        lines.0
    }
}

/// Whether a tag of the source is one of the copy too.
pub fn is_copied(key: &str) -> bool {
    key != COPIED_FROM && !key.to_ascii_lowercase().starts_with(RESERVED)
}

fn rules(mapping: &RoleMapping) -> &[MappingRule] {
    mapping.rules_configuration.as_ref().map(RulesConfigurationType::rules).unwrap_or_default()
}

fn part(group: usize) -> Part {
    [Part::Settings, Part::Tags, Part::Roles, Part::TagMaps][group]
}

#[derive(Default)]
struct Lines(BTreeMap<(usize, String), String>);

impl Lines {
    fn add(&mut self, group: usize, path: &str, value: impl Display) {
        self.0.insert((group, path.to_owned()), value.to_string());
    }

    fn add_all<'a>(
        &mut self,
        group: usize,
        path: &str,
        values: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) {
        values.into_iter().for_each(|(key, value)| self.add(group, &format!("{path} {key}"), value));
    }

    fn add_user_pool(&mut self, client: &CognitoIdentityProvider) {
        let (name, id) = (client.provider_name(), client.client_id());
        let path = format!("CognitoIdentityProviders {} {}", name.unwrap_or("-"), id.unwrap_or("-"));
        let check = client.server_side_token_check.unwrap_or_default();
        self.add(0, &path, format!("ServerSideTokenCheck {check}"));
    }

    fn add_mapping(&mut self, provider: &str, mapping: &RoleMapping) {
        let path = format!("RoleMappings {provider}");
        let ambiguous = mapping.ambiguous_role_resolution.as_ref().map_or("unset", |it| it.as_str());
        self.add(2, &path, format!("{}, otherwise {ambiguous}", mapping.r#type().as_str()));
        for (rule, number) in rules(mapping).iter().zip(1..) {
            let MappingRule { claim, match_type, value, role_arn, .. } = rule;
            let text = format!("{claim:?} {} {value:?}: {role_arn}", match_type.as_str());
            self.add(2, &format!("{path} rule {number:03}"), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentity::types::RoleMappingType;

    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn configuration() -> Configuration {
        let client = CognitoIdentityProvider::builder().provider_name("up/1").client_id("c");
        let rule =
            MappingRule::builder().claim("team").match_type("Equals".into()).value("a").role_arn("arn:r");
        let rules = RulesConfigurationType::builder().rules(rule.build().unwrap()).build().unwrap();
        let mapping = RoleMapping::builder().r#type(RoleMappingType::Rules).rules_configuration(rules);
        Configuration {
            name: "app".into(),
            user_pools: vec![client.build()],
            oidc_arns: vec!["arn:aws:iam::1:oidc-provider/issuer/x".into(), "arn:odd".into()],
            login_providers: texts(&[("graph.facebook.com", "1")]),
            developer_provider: Some("login.app".into()),
            tags: texts(&[("team", "a")]),
            roles: texts(&[("authenticated", "arn:a")]),
            role_mappings: [("up/1:c".to_owned(), mapping.build().unwrap())].into(),
            tag_maps: [("up/1".to_owned(), TagMap { use_defaults: true, ..TagMap::default() })].into(),
            ..Configuration::default()
        }
    }

    /// Each of these is one change to the target and has to be one difference or more.
    #[test]
    fn every_member_counts() {
        type Change = fn(&mut Configuration);
        let changes: [(Part, Change); 15] = [
            (Part::Settings, |it| it.name.push('2')),
            (Part::Settings, |it| it.guests = true),
            (Part::Settings, |it| it.classic_flow = Some(false)),
            (Part::Settings, |it| it.developer_provider = None),
            (Part::Settings, |it| it.login_providers.clear()),
            (Part::Settings, |it| it.oidc_arns.push("arn:other".into())),
            (Part::Settings, |it| it.user_pools[0].server_side_token_check = Some(true)),
            (Part::Settings, |it| it.user_pools[0].client_id = None),
            (Part::Settings, |it| it.saml_arns.push("arn:saml".into())),
            (Part::Tags, |it| drop(it.tags.insert("team".into(), "b".into()))),
            (Part::Roles, |it| drop(it.roles.insert("unauthenticated".into(), "arn:b".into()))),
            (Part::Roles, |it| it.role_mappings.clear()),
            (Part::Roles, |it| {
                let mapping = it.role_mappings.values_mut().next().unwrap();
                mapping.rules_configuration.as_mut().unwrap().rules[0].value.push('b');
            }),
            (Part::TagMaps, |it| it.tag_maps.clear()),
            (Part::TagMaps, |it| {
                let map = it.tag_maps.values_mut().next().unwrap();
                map.tags.insert("k".into(), "claim".into());
            }),
        ];
        for (number, (part, change)) in changes.into_iter().enumerate() {
            let mut target = configuration();
            change(&mut target);
            let differences = configuration().differences(&target);
            assert!(!differences.is_empty(), "change {number} is not seen");
            assert!(differences.iter().all(|it| it.part == part), "change {number}: {differences:?}");
        }
        assert_eq!(configuration().differences(&configuration()), []);
    }

    #[test]
    fn the_order_of_lists_and_an_unset_check_are_no_difference() {
        let mut target = configuration();
        target.oidc_arns.reverse();
        target.user_pools[0].server_side_token_check = Some(false);
        assert_eq!(configuration().differences(&target), []);
    }

    #[test]
    fn tag_maps_are_asked_for_under_every_name_of_a_provider() {
        let names = [
            "arn:aws:iam::1:oidc-provider/issuer/x",
            "arn:odd",
            "graph.facebook.com",
            "issuer/x",
            "login.app",
            "up/1",
        ];
        assert_eq!(configuration().providers().into_iter().collect::<Vec<_>>(), names);
    }

    #[test]
    fn roles_are_those_of_the_pool_and_of_its_rules() {
        assert_eq!(configuration().role_arns().into_iter().collect::<Vec<_>>(), ["arn:a", "arn:r"]);
    }

    #[test]
    fn tags_of_aws_and_of_a_copy_are_not_copied() {
        let pool = DescribeIdentityPoolOutput::builder()
            .identity_pool_id("r:1")
            .identity_pool_name("app")
            .allow_unauthenticated_identities(false)
            .developer_provider_name("")
            .identity_pool_tags("aws:cloudformation:stack-name", "x")
            .identity_pool_tags(COPIED_FROM, "r:0")
            .identity_pool_tags("awsome", "yes")
            .build()
            .unwrap();
        let configuration = Configuration::new(pool);
        assert_eq!(configuration.tags, texts(&[("awsome", "yes")]));
        assert_eq!(configuration.developer_provider, None);
    }
}
