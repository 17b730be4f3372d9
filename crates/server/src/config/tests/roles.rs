//! Whose a role is to give.

use super::of_up::{POLICY, laid_over, of_up};
use super::*;

#[test]
fn a_role_is_the_configured_pools_to_give_or_that_of_all_that_name_it() {
    let role = |more: &str| format!("[[role]]\nname = \"editor\"\npolicy = \"editor.json\"\n{more}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("more.toml");
    std::fs::write(dir.path().join("editor.json"), POLICY).unwrap();
    let trust = |more: &str| {
        std::fs::write(&file, role(more)).unwrap();
        let config = of_up(&file).unwrap();
        config.load_roles(&IdentityPoolId::parse("us-east-1:aa").unwrap()).unwrap().remove(0).trust
    };
    assert!(matches!(trust(""), RoleTrust::Pool { .. }));
    assert!(matches!(trust("pools = \"configured\""), RoleTrust::Pool { .. }));
    assert!(matches!(trust("pools = \"naming\""), RoleTrust::NamingPools { amr: "authenticated" }));
    for (more, mistake) in [
        ("pools = \"all\"", "pools"),
        ("pools = \"naming\"\ntrust = \"trust.json\"", "pools: goes without `trust`"),
    ] {
        let refused = laid_over(&role(more)).unwrap_err().to_string();
        assert!(refused.contains(mistake), "{refused}");
    }
}
