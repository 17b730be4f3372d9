//! CPU time as the kernel accounts it, for the server and for ourselves from the same counter, so that a
//! ratio of the two does not depend on how it counts.

use std::collections::BTreeMap;
use std::ops::Sub;

use crate::Outcome;

/// `USER_HZ`: what Linux shows to programs on every architecture we build for (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Used {
    /// In the program itself, and in its libraries.
    pub(crate) user: f64,
    /// In the kernel, on its behalf.
    pub(crate) kernel: f64,
}

impl Used {
    pub(crate) fn total(self) -> f64 {
        self.user + self.kernel
    }
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { user: self.user - before.user, kernel: self.kernel - before.kernel }
    }
}

/// Seconds of CPU that a process has used, all its threads together, those that ended included.
pub(crate) fn seconds_of(process: u32) -> Outcome<f64> {
    Ok(of(process)?.total())
}

/// What a process has used since then. What the kernel has not yet counted is taken for the least that it counts, so that nothing
/// is divided by nothing.
pub(crate) fn seconds_since(process: u32, before: f64) -> Outcome<f64> {
    Ok((seconds_of(process)? - before).max(1.0 / TICKS_PER_SECOND))
}

/// The same, by where they were spent.
pub(crate) fn of(process: u32) -> Outcome<Used> {
    let (_, used) = read(&format!("/proc/{process}/stat"))?;
    Ok(used)
}

/// What the threads of a process that run now have used, by their names. Threads of one name are counted together.
pub(crate) fn of_threads(process: u32) -> Outcome<BTreeMap<String, Used>> {
    let mut threads = BTreeMap::<String, Used>::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may have ended since it was listed.
        let Ok((name, used)) = read(&task?.path().join("stat").to_string_lossy()) else { continue };
        let all = threads.entry(name).or_default();
        *all = Used { user: all.user + used.user, kernel: all.kernel + used.kernel };
    }
    Ok(threads)
}

fn read(path: &str) -> Outcome<(String, Used)> {
    let stat = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    parse(&stat).ok_or_else(|| format!("{path} has another form than proc(5) says").into())
}

/// Reads the name, and `utime` and `stime`, fields 14 and 15. The second field, the name, may hold anything, so
/// counting starts after its closing parenthesis.
fn parse(stat: &str) -> Option<(String, Used)> {
    let (start, rest) = stat.rsplit_once(')')?;
    let name = start.split_once('(')?.1.to_owned();
    let mut fields = rest.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some((name, Used { user: user / TICKS_PER_SECOND, kernel: kernel / TICKS_PER_SECOND }))
}

#[cfg(test)]
mod tests {
    use super::{Used, parse};

    #[test]
    fn the_name_of_the_program_does_not_confuse_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 120 0 0 0 150 50 0 0 20 0 1 0 1 3 2 1";
        assert_eq!(parse(stat), Some(("a) b (c".to_owned(), Used { user: 1.5, kernel: 0.5 })));
        assert_eq!(parse("7 (short) S 1 2"), None);
    }
}
