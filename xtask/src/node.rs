//! Node.js and the npm packages of a folder: of `sdk/`, which has no dependencies itself, the compiler that
//! checks its types and the driver of the browser; of `tests/aws-sdk-js/`, the AWS SDK and
//! clients of OpenID Connect; of `tests/s3/js/`, that and others; of `tests/identity-servers/`, the servers; of
//! `examples/`, what the apps are made of.

use std::process::Command;

use crate::process::{answer, on_path, run};
use crate::{Outcome, Workspace, debian, stamp};

/// What Debian 12 ships, and the first release whose test runner and WebCrypto are usable.
const OLDEST: u32 = 18;

/// An npm command in `folder`, on a machine where Node.js and the locked packages are in place.
pub(crate) fn npm(workspace: &Workspace, folder: &str, arguments: &str) -> Outcome<Command> {
    prepare(workspace, folder)?;
    let mut npm = workspace.command("npm");
    npm.current_dir(workspace.source(folder)).args(arguments.split_whitespace());
    Ok(npm)
}

/// Puts Node.js and the locked packages of `folder` in place.
pub(crate) fn prepare(workspace: &Workspace, folder: &str) -> Outcome {
    let _one_at_a_time = stamp::installing();
    install_node(workspace)?;
    let directory = workspace.source(folder);
    let recipe = format!(
        "{}\n{}",
        answer(Command::new("node").arg("--version")).unwrap_or_default(),
        stamp::recipe(&directory.join("package-lock.json"))?
    );
    let modules = directory.join("node_modules");
    if stamp::is_current(&modules, &recipe) {
        return Ok(());
    }
    workspace.say(&format!("{folder}: installing the locked npm packages"));
    run(workspace.command("npm").current_dir(directory).args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::create_dir_all(&modules)?;
    stamp::set(&modules, &recipe)
}

fn install_node(workspace: &Workspace) -> Outcome {
    let node = major(answer(Command::new("node").arg("--version")));
    if let Some(found) = node.filter(|found| *found < OLDEST) {
        return Err(format!("node on the PATH is version {found}; the tests need {OLDEST} or newer").into());
    }
    match (node, on_path("npm")) {
        (Some(_), Some(_)) => Ok(()),
        (Some(_), None) => debian::install(workspace, &["npm"], "there is no npm on the PATH"),
        (None, _) => debian::install(workspace, &["nodejs", "npm"], "there is no node on the PATH"),
    }
}

/// The major version in what `node --version` prints, `v20.1.2`.
fn major(version: Option<String>) -> Option<u32> {
    version?.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_version_is_read_or_absent() {
        assert_eq!(major(Some("v20.20.2".to_owned())), Some(20));
        assert_eq!(major(Some("20.20.2".to_owned())), None);
        assert_eq!(major(Some("v".to_owned())), None);
        assert_eq!(major(None), None);
    }
}
