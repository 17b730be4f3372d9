//! The person's browser, if there is one to open here.

use std::ffi::OsString;
use std::process::{Command, Stdio};

/// Commands that open an address, of which the first that is there counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Browser(Vec<Vec<String>>);

/// What stands for the address in `$BROWSER`.
const ADDRESS: &str = "%s";

impl Browser {
    /// What `$BROWSER` names, or what the system opens addresses with. Over SSH, and without a display, a window would open
    /// where nobody sees it, if at all.
    pub(super) fn of_environment() -> Option<Self> {
        Self::of(std::env::consts::OS, |name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn of(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let is_set = |name: &str| variable(name).is_some();
        let named = variable("BROWSER").and_then(|named| named.into_string().ok());
        let is_remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| is_set(name));
        let has_display = matches!(system, "macos" | "windows")
            || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| is_set(name));
        let of_system = (!is_remote && has_display).then(|| words(opener(system)));
        let commands: Vec<_> =
            named.iter().flat_map(|named| named.split(':')).map(words).chain(of_system).collect();
        let commands: Vec<_> = commands.into_iter().filter(|command| !command.is_empty()).collect();
        (!commands.is_empty()).then_some(Self(commands))
    }

    /// Opens an address, and answers whether anything was there to do so. What it says is not for this terminal.
    pub(super) fn open(&self, address: &str) -> bool {
        self.0.iter().any(|command| {
            let (program, arguments) = invocation(command, address);
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().is_ok()
        })
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn opener(system: &str) -> &'static str {
    match system {
        "macos" => "open",
        "windows" => "rundll32 url.dll,FileProtocolHandler",
        _ => "xdg-open",
    }
}

/// The program and its arguments. No shell reads the address.
fn invocation(command: &[String], address: &str) -> (String, Vec<String>) {
    let has_place = command.iter().any(|word| word.contains(ADDRESS));
    let mut words: Vec<String> = command.iter().map(|word| word.replace(ADDRESS, address)).collect();
    if !has_place {
        words.push(address.to_owned());
    }
    (words.remove(0), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(system: &str, variables: &[(&str, &str)]) -> Option<Vec<String>> {
        let known = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let browser = Browser::of(system, |name| known(name).map(|(_, value)| value.into()))?;
        Some(browser.0.iter().map(|command| command.join(" ")).collect())
    }

    #[test]
    fn a_browser_opens_where_somebody_sees_it() {
        let (ssh, display) = (("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22"), ("DISPLAY", ":0"));
        for (system, variables, expected) in [
            ("linux", &[][..], None),
            ("linux", &[display], Some(vec!["xdg-open"])),
            ("linux", &[("WAYLAND_DISPLAY", "wayland-0")], Some(vec!["xdg-open"])),
            ("linux", &[display, ssh], None),
            ("macos", &[], Some(vec!["open"])),
            ("macos", &[ssh], None),
            ("windows", &[], Some(vec!["rundll32 url.dll,FileProtocolHandler"])),
            ("linux", &[ssh, ("BROWSER", "code --open")], Some(vec!["code --open"])),
            ("linux", &[display, ("BROWSER", "firefox:w3m %s")], Some(vec!["firefox", "w3m %s", "xdg-open"])),
        ] {
            let expected = expected.map(|it| it.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(found(system, variables), expected, "{system} {variables:?}");
        }
    }

    #[test]
    fn the_address_is_one_argument() {
        let address = "https://login.example.com/oauth2/authorize?a=1&b=$(touch x)";
        let of = |command: &str| invocation(&words(command), address);
        assert_eq!(of("firefox --new-tab"), ("firefox".into(), vec!["--new-tab".into(), address.into()]));
        assert_eq!(of("w3m %s -o x"), ("w3m".into(), vec![address.into(), "-o".into(), "x".into()]));
    }

    #[test]
    fn what_is_not_there_opens_nothing() {
        assert!(!Browser(vec![words("/nowhere/a-browser")]).open("https://login.example.com"));
        assert!(Browser(vec![words("/nowhere/a-browser"), words("true")]).open("https://login.example.com"));
    }
}
