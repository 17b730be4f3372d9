//! CPU time as the kernel accounts it, for the server and for ourselves from the same counter, so that a
//! ratio of the two does not depend on how it counts.

use crate::Outcome;

/// `USER_HZ`: what Linux shows to programs on every architecture we build for (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU that a process has used, all its threads together, those that ended included.
pub(crate) fn seconds_of(process: u32) -> Outcome<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse(&stat).ok_or_else(|| format!("{path} has another form than proc(5) says").into())
}

/// Reads `utime` and `stime`, fields 14 and 15. The second field, the program's name, may hold anything, so
/// counting starts after its closing parenthesis.
fn parse(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_name_of_the_program_does_not_confuse_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 120 0 0 0 150 50 0 0 20 0 1 0 1 3 2 1";
        assert_eq!(parse(stat).map(f64::to_bits), Some(2.0_f64.to_bits()));
        assert_eq!(parse("7 (short) S 1 2"), None);
    }
}
