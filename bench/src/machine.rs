//! The machine, as far as figures depend on it. Its name and its owner are nobody's business.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    /// Those that this program may use.
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) system: String,
    /// Where the files of the measured programs lie, as the kernel calls the kind of file system.
    pub(crate) file_system: String,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let text = |found: Option<&str>| found.unwrap_or(UNKNOWN).to_owned();
        Self {
            processor: text(value(&read("/proc/cpuinfo"), "model name", ':')),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: gibibytes(&read("/proc/meminfo")),
            kernel: text(Some(read("/proc/sys/kernel/osrelease").trim()).filter(|it| !it.is_empty())),
            system: text(value(&read("/etc/os-release"), "PRETTY_NAME", '=')),
            file_system: file_system(&read("/proc/self/mounts"), &std::env::temp_dir().to_string_lossy()),
        }
    }
}

/// The first value of a name, without quotes.
fn value<'a>(text: &'a str, name: &str, sign: char) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(sign));
    lines.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().trim_matches('"'))
}

/// What the kernel has, to the next GiB: some of the machine's is its own.
fn gibibytes(memory: &str) -> u64 {
    let kibibytes = value(memory, "MemTotal", ':').and_then(|it| it.split(' ').next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0).div_ceil(1024 * 1024)
}

/// The kind of the file system that is mounted closest above a folder.
fn file_system(mounts: &str, folder: &str) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let above = mounts.filter(|(at, _)| *at == "/" || folder == *at || folder.starts_with(&format!("{at}/")));
    above.max_by_key(|(at, _)| at.len()).map_or(UNKNOWN, |(_, kind)| kind).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{file_system, gibibytes, value};

    #[test]
    fn the_kernels_lists_are_read() {
        assert_eq!(value("processor\t: 0\nmodel name\t: A CPU\n", "model name", ':'), Some("A CPU"));
        assert_eq!(value("PRETTY_NAME=\"A System 1\"\n", "PRETTY_NAME", '='), Some("A System 1"));
        assert_eq!(gibibytes("MemTotal:       24683520 kB\n"), 24);
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\ntmpfs /tmpfiles xfs rw 0 0\n";
        assert_eq!(file_system(mounts, "/tmp/some"), "tmpfs");
        assert_eq!(file_system(mounts, "/var"), "ext4");
    }
}
