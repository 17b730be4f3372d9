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

/// Seconds of CPU that a process and all that come from it have used, those included that it has waited for.
pub(crate) fn seconds_of_family(founder: u32) -> Outcome<f64> {
    let mut everybody = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        // What is no process, or has ended since it was listed, is none of them.
        let stat = std::fs::read_to_string(entry?.path().join("stat")).unwrap_or_default();
        everybody.extend(Relative::parse(&stat));
    }
    if everybody.iter().all(|relative| relative.process != founder) {
        return Err(format!("there is no process {founder}").into());
    }
    Ok(family_of(founder, &everybody).map(|relative| relative.seconds).sum())
}

/// A process, the one that it comes from, and what it has used, with its children that have ended.
#[derive(Debug, PartialEq)]
struct Relative {
    process: u32,
    parent: u32,
    seconds: f64,
}

impl Relative {
    /// Reads fields 1, 4, and 14 to 17 of proc(5).
    fn parse(stat: &str) -> Option<Self> {
        let (start, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<f64>().ok());
        Some(Self {
            process: start.split(' ').next()?.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            seconds: ticks.sum::<Option<f64>>()? / TICKS_PER_SECOND,
        })
    }
}

fn family_of(founder: u32, everybody: &[Relative]) -> impl Iterator<Item = &Relative> {
    let parent_of = |process: u32| everybody.iter().find(|it| it.process == process).map(|it| it.parent);
    everybody.iter().filter(move |relative| {
        std::iter::successors(Some(relative.process), |process| parent_of(*process))
            .any(|process| process == founder)
    })
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
    use super::{Relative, Used, family_of, parse};

    #[test]
    fn the_name_of_the_program_does_not_confuse_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 120 0 0 0 150 50 0 0 20 0 1 0 1 3 2 1";
        assert_eq!(parse(stat), Some(("a) b (c".to_owned(), Used { user: 1.5, kernel: 0.5 })));
        assert_eq!(parse("7 (short) S 1 2"), None);
    }

    #[test]
    fn a_family_is_whoever_comes_from_its_founder() {
        let stat = |process: u32, parent: u32| {
            let stat = format!(
                "{process} (post gres) S {parent} 7 7 0 -1 4194304 120 0 0 0 100 50 20 5 20 0 1 0 1 3 2 1"
            );
            Relative::parse(&stat).unwrap()
        };
        let everybody = [stat(9, 7), stat(7, 1), stat(8, 7), stat(10, 9), stat(11, 1), stat(1, 0)];
        let family: Vec<u32> = family_of(7, &everybody).map(|it| it.process).collect();
        assert_eq!(family, [9, 7, 8, 10]);
        assert_eq!(everybody[0].seconds.to_bits(), 1.75_f64.to_bits());
        assert_eq!(Relative::parse("7 (short) S 1 2"), None);
    }
}
