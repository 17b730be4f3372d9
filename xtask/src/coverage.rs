//! Coverage counters in what is ours. libFuzzer lives by them, and a stable compiler puts them in; but cargo can give
//! flags only to every crate, and would compile all that others wrote once more. So cargo asks xtask instead of the
//! compiler (`RUSTC_WRAPPER`), and xtask adds the flags where the package is one of ours.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::Outcome;

/// In the environment of a cargo that asks for counters.
const ASKED: &str = "DAYPASS_XTASK_COVERAGE";

/// What `cargo fuzz` asks of the compiler, but for what the profile in fuzz/Cargo.toml says.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
];

/// Has cargo put counters into what is ours.
pub(crate) fn ask_of(cargo: &mut Command) -> Outcome<&mut Command> {
    Ok(cargo.env("RUSTC_WRAPPER", std::env::current_exe()?).env(ASKED, "1"))
}

/// Whether cargo asks us instead of the compiler.
pub(crate) fn is_asked() -> bool {
    std::env::var_os(ASKED).is_some()
}

/// Becomes the compiler, whose program and arguments cargo gives us.
pub(crate) fn compile(arguments: &[String]) -> ExitCode {
    let Some((compiler, arguments)) = arguments.split_first() else {
        eprintln!("xtask: cargo names no compiler");
        return ExitCode::FAILURE;
    };
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let flags = if is_ours(&package) { &FLAGS[..] } else { &[] };
    let failure = Command::new(compiler).args(arguments).args(flags).exec();
    eprintln!("xtask: {compiler} could not be started: {failure}");
    ExitCode::FAILURE
}

/// Each package of ours has a profile of its own in fuzz/Cargo.toml, which keeps it apart from the release build.
fn is_ours(package: &str) -> bool {
    package == "daypass" || package.starts_with("daypass-")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_ours;

    #[test]
    fn what_others_wrote_has_no_counters() {
        assert!(is_ours("daypass") && is_ours("daypass-core") && is_ours("daypass-fuzz"));
        assert!(!is_ours("daypassport") && !is_ours("serde_json") && !is_ours(""));
    }

    /// Without one, cargo would take a crate with counters for that of the release build, or the other way round.
    #[test]
    fn every_package_with_counters_has_a_profile_of_its_own() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
        let (lock, manifest) = (read("fuzz/Cargo.lock"), read("fuzz/Cargo.toml"));
        let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let ours: Vec<&str> = names.filter(|name| is_ours(name)).collect();
        assert!(ours.contains(&"daypass-core"), "{ours:?}");
        for package in ours {
            let heading = format!("[profile.release.package.{package}]\n");
            let profile = manifest.split_once(&heading).unwrap_or_else(|| panic!("no {heading}")).1;
            let profile = profile.split("\n[").next().unwrap_or_default();
            assert!(profile.contains("debug-assertions = true"), "{package}: {profile}");
        }
    }

    /// Otherwise the fuzz targets are right all the same, and minutes longer in the making.
    #[test]
    fn what_others_wrote_is_the_same_for_the_fuzz_targets() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let versions = |file: &str| -> Vec<String> {
            let lock = std::fs::read_to_string(root.join(file)).unwrap();
            let packages = lock.split("[[package]]\n").skip(1).filter(|it| it.contains("\nsource = "));
            packages.map(|it| it.lines().take(2).collect::<Vec<_>>().join(" ")).collect()
        };
        let own = ["libfuzzer-sys", "arbitrary"];
        let all = versions("Cargo.lock");
        let mut strays = versions("fuzz/Cargo.lock");
        strays.retain(|it| !all.contains(it) && own.iter().all(|own| !it.contains(&format!("\"{own}\""))));
        assert!(
            strays.is_empty(),
            "only fuzz/Cargo.lock has {strays:?}; `cargo update` there, by name and version"
        );
    }
}
