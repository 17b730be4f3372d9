//! `cargo xtask package`: what AWS Lambda runs, as a directory for `sam deploy` and as a zip file for everything
//! else. Lambda starts `bootstrap`, which is `daypass`, and that finds `daypass.toml` beside itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::answer;
use crate::{Outcome, Workspace, release};

/// Where the template looks for the function.
const DIRECTORY: &str = "deploy/sam/build";
/// The configuration of nobody, to begin with.
const EXAMPLE: &str = "deploy/sam/daypass.toml";
/// The C library of `provided.al2023`. A binary that asks for a newer one does not start there.
const GLIBC: Version = Version(2, 34);

pub(crate) fn run_all(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let options = Options::read(arguments)?;
    let binary = options.binary(workspace)?;
    let config = options.config.unwrap_or_else(|| workspace.source(EXAMPLE));
    let elf = fs::read(&binary).map_err(|error| format!("{}: {error}", binary.display()))?;
    let architecture = architecture(&elf)?;
    check_glibc(&elf)?;

    let directory = workspace.source(DIRECTORY);
    lay_out(&directory, &binary, &config)?;
    let zip = workspace.built("package/daypass-lambda.zip");
    write_zip(&directory, &zip)?;

    println!("{} MiB  {DIRECTORY}/bootstrap, for {architecture}", mebibytes(elf.len() as u64));
    println!("{} MiB  {}", mebibytes(fs::metadata(&zip)?.len()), zip.display());
    if config == workspace.source(EXAMPLE) {
        println!("The configuration in it is the example, {EXAMPLE}; `--config FILE` takes yours.");
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    target: Option<String>,
    binary: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Options {
    fn read(arguments: &[String]) -> Outcome<Self> {
        const USAGE: &str = "usage: cargo xtask package [--target TRIPLE | --binary FILE] [--config FILE]";
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            match pair {
                [flag, value] if flag == "--target" => options.target = Some(value.clone()),
                [flag, value] if flag == "--binary" => options.binary = Some(value.into()),
                [flag, value] if flag == "--config" => options.config = Some(value.into()),
                _ => return Err(USAGE.into()),
            }
        }
        if options.target.is_some() && options.binary.is_some() {
            return Err(USAGE.into());
        }
        Ok(options)
    }

    /// The program, built unless somebody has built it already.
    fn binary(&self, workspace: &Workspace) -> Outcome<PathBuf> {
        match (&self.binary, &self.target) {
            (Some(binary), _) => Ok(binary.clone()),
            (None, target) => {
                target.as_deref().map_or(Ok(()), check_target)?;
                release::lambda_program(workspace, target.as_deref())
            }
        }
    }
}

/// Without the target's standard library, cargo fails late and says little.
fn check_target(target: &str) -> Outcome {
    let libraries = answer(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    if libraries.is_some_and(|directory| Path::new(&directory).is_dir()) {
        return Ok(());
    }
    Err(format!(
        "the target {target} is not installed (`rustup target add {target}`, and a linker for it); or build on a \
         machine of that kind and name the program by `--binary FILE`: docs/deploy-aws.md says how"
    )
    .into())
}

/// Where Lambda has it run, in Lambda's own words.
fn architecture(elf: &[u8]) -> Outcome<&'static str> {
    match (elf.get(..4), elf.get(18..20)) {
        (Some(b"\x7fELF"), Some([0x3e, 0])) => Ok("x86_64"),
        (Some(b"\x7fELF"), Some([0xb7, 0])) => Ok("arm64"),
        _ => Err("the program is neither one for x86_64 nor one for arm64 under Linux".into()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

fn check_glibc(elf: &[u8]) -> Outcome {
    match newest_glibc(elf) {
        Some(Version(major, minor)) if Version(major, minor) > GLIBC => Err(format!(
            "the program needs glibc {major}.{minor}, and Lambda's provided.al2023 has {}.{}. Build it where glibc is \
             no newer, as on Amazon Linux 2023 or Debian 11, or by `cargo zigbuild --target TRIPLE.{}.{}`, and name it \
             by `--binary FILE`",
            GLIBC.0, GLIBC.1, GLIBC.0, GLIBC.1
        )
        .into()),
        // Nothing at all is a program that was linked statically.
        _ => Ok(()),
    }
}

/// The newest of the versions that the program's symbols ask for, which stand in it as `GLIBC_2.34`.
fn newest_glibc(elf: &[u8]) -> Option<Version> {
    const NAME: &[u8] = b"GLIBC_";
    let names = elf.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    names.filter_map(|(place, _)| read_version(&elf[place + NAME.len()..])).max()
}

fn read_version(text: &[u8]) -> Option<Version> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(text.len());
    let mut parts = std::str::from_utf8(&text[..end]).ok()?.split('.');
    Some(Version(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Nothing but the two files gets into the package, whatever lay there before.
fn lay_out(directory: &Path, binary: &Path, config: &Path) -> Outcome {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    for (from, name, mode) in [(binary, "bootstrap", 0o755), (config, "daypass.toml", 0o644)] {
        let to = directory.join(name);
        fs::copy(from, &to).map_err(|error| format!("{}: {error}", from.display()))?;
        fs::set_permissions(&to, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// The same files make the same zip, byte for byte, so that a deployment that changes nothing does nothing.
const WRITE_ZIP: &str = r#"
import pathlib, sys, zipfile
directory, to = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, mode in ("bootstrap", 0o100755), ("daypass.toml", 0o100644):
        entry = zipfile.ZipInfo(name)
        entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, mode << 16
        archive.writestr(entry, (directory / name).read_bytes())
"#;

fn write_zip(directory: &Path, zip: &Path) -> Outcome {
    fs::create_dir_all(zip.parent().ok_or("the zip file lies nowhere")?)?;
    let python = answer(Command::new("python3").args(["-c", WRITE_ZIP]).arg(directory).arg(zip));
    python.map(drop).ok_or_else(|| format!("python3 could not write {}", zip.display()).into())
}

/// With one digit behind the point.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Options::read(&arguments).map_err(|error| error.to_string())
    }

    fn elf(machine: u8, text: &str) -> Vec<u8> {
        let mut bytes = b"\x7fELF".to_vec();
        bytes.resize(18, 0);
        bytes.extend([machine, 0]);
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn options_come_in_pairs_and_two_programs_are_one_too_many() {
        let both = read(&["--binary", "a", "--config", "b"]).unwrap();
        assert_eq!(both, Options { target: None, binary: Some("a".into()), config: Some("b".into()) });
        assert_eq!(read(&[]).unwrap(), Options::default());
        for wrong in [&["--target"][..], &["x"], &["--other", "x"], &["--binary", "a", "--target", "b"]] {
            assert!(read(wrong).unwrap_err().starts_with("usage: "));
        }
    }

    #[test]
    fn a_program_is_for_x86_64_or_for_arm64() {
        assert_eq!(architecture(&elf(0x3e, "")).unwrap(), "x86_64");
        assert_eq!(architecture(&elf(0xb7, "")).unwrap(), "arm64");
        for other in [elf(0x28, ""), b"MZ".to_vec(), Vec::new()] {
            assert!(architecture(&other).is_err());
        }
    }

    #[test]
    fn the_newest_version_counts_and_numbers_are_compared_as_numbers() {
        let newest = |text: &str| newest_glibc(&elf(0x3e, text));
        assert_eq!(newest("GLIBC_2.4\0GLIBC_2.17\0GLIBC_2.2.5\0"), Some(Version(2, 17)));
        assert_eq!(newest("GLIBC_PRIVATE\0GLIBC_2\0GLIBC_"), None);
        assert_eq!(newest("GLIBC_2.36"), Some(Version(2, 36)));
    }

    #[test]
    fn a_program_that_lambda_could_not_start_is_refused_with_the_cure() {
        assert!(check_glibc(&elf(0x3e, "GLIBC_2.34\0")).is_ok());
        assert!(check_glibc(&elf(0x3e, "")).is_ok());
        let refusal = check_glibc(&elf(0x3e, "GLIBC_2.35\0")).unwrap_err().to_string();
        assert!(refusal.contains("needs glibc 2.35") && refusal.contains("--binary FILE"), "{refusal}");
    }

    #[test]
    fn the_package_is_the_same_each_time_and_lambda_may_start_what_is_in_it() {
        let scratch = std::env::temp_dir().join(format!("daypass-package-{}", std::process::id()));
        let (directory, zip) = (scratch.join("build"), scratch.join("package/daypass.zip"));
        fs::create_dir_all(&directory).unwrap();
        let write = |name: &str, text: &str| fs::write(scratch.join(name), text).unwrap();
        write("daypass", "a program");
        write("mine.toml", "a configuration");
        write("build/left-over", "of another time");

        let mut made = Vec::new();
        for _ in 0..2 {
            lay_out(&directory, &scratch.join("daypass"), &scratch.join("mine.toml")).unwrap();
            write_zip(&directory, &zip).unwrap();
            made.push(fs::read(&zip).unwrap());
        }
        let list = "import sys, zipfile\n\
            print([(i.filename, oct(i.external_attr >> 16)) for i in zipfile.ZipFile(sys.argv[1]).infolist()])";
        let listed = answer(Command::new("python3").args(["-c", list]).arg(&zip)).unwrap();
        let mode = fs::metadata(directory.join("bootstrap")).unwrap().permissions().mode();
        fs::remove_dir_all(&scratch).unwrap();

        assert_eq!(listed, "[('bootstrap', '0o100755'), ('daypass.toml', '0o100644')]");
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(made[0], made[1]);
    }

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        assert_eq!(mebibytes(25_333_232), "24.1");
        assert_eq!(mebibytes(0), "0.0");
    }
}
