//! What it costs to know many people and to have recorded much: one installation that grows, beside one that stays small.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::requests::send_all;
use crate::server::program;
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::token::{BUSY, by_turns};
use crate::town::{Town, USERS, bytes};
use crate::{Outcome, progress, resident};

/// How much more a token may cost than in the small installation.
const COST_TARGET: f64 = 1.1;
const BYTES_EACH_EVENT: f64 = 400.0;
const BYTES_EACH_IDENTITY: f64 = 300.0;
/// A file grows by pages and by blocks: what fewer add says nothing of one.
const ENOUGH: usize = 5_000;
/// How often a question is asked, and the server started.
const QUESTIONS: u32 = 5;
const STARTS: u32 = 3;

/// The installation that grows.
struct Growing {
    town: Town,
    events: usize,
}

/// What it took on disk for each that was added. Nothing where few were.
struct Added {
    bytes_each_identity: Option<f64>,
    bytes_each_event: Option<f64>,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let small = Town::of(USERS)?;
    small.make_events(USERS)?;
    let mut growing = Growing { town: Town::of(USERS)?, events: 0 };
    let mut table = empty_table(size);
    for count in counts(size.crowd) {
        let (grown, added) = growing.grow_to(count)?;
        let cells;
        (growing, cells) = grown.measure(&small, size, &added)?;
        table.row(title(count), cells);
    }
    small.server.stop()?;
    growing.town.server.stop()?;
    Ok(vec![table])
}

fn empty_table(size: &Size) -> Table {
    let columns = [
        Column::less("token ÷ small", "", 2),
        Column::less("start", "ms", 0),
        Column::less("memory", "MiB", 1),
        Column::less("audit list", "ms", 0),
        Column::less("audit who", "ms", 0),
        Column::less("each identity", "bytes", 0),
        Column::less("each event", "bytes", 0),
    ];
    Table::new("growth", "Identities and events, as many of each", columns)
        .note(format!(
            "`token ÷ small` is the CPU of one of ours for a developer user, {BUSY} connections, ÷ that in an installation of \
             {USERS} identities, by turns. Measuring leaves up to {} events more, in both.",
            size.rounds * requests(size)
        ))
        .note("Start is that of `up`, memory its resident memory when it has given the tokens; the questions are commands, from their start to their end.")
}

/// A thousand, and ten times as many each time.
fn counts(most: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(USERS), |count| count.checked_mul(10)).take_while(move |count| *count <= most)
}

fn title(count: usize) -> String {
    // Each is a power of ten.
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    format!("10{} of each", DIGITS[count.ilog10() as usize % DIGITS.len()])
}

/// Fewer than of other measures, as each of them leaves an event.
fn requests(size: &Size) -> u32 {
    size.requests_per_round / 4
}

impl Growing {
    fn grow_to(self, count: usize) -> Outcome<(Self, Added)> {
        let people = count.saturating_sub(self.town.people());
        progress::say(&format!("{people} identities more"));
        let (town, for_people) = self.town.grow(people)?;
        let events = count.saturating_sub(self.events);
        progress::say(&format!("{events} events more"));
        // The log of `up` has a line for each request as well, and is none of the store.
        let trail = town.home().join("daypass.db-audit");
        let before = bytes(&trail)?;
        town.make_events(events)?;
        let town = town.restarted()?;
        let for_events = bytes(&trail)?.saturating_sub(before);
        let added = Added {
            bytes_each_identity: each(for_people, people),
            bytes_each_event: each(for_events, events),
        };
        Ok((Self { town, events: self.events + events }, added))
    }

    /// Starts it a few times, and asks for tokens.
    fn measure(mut self, small: &Town, size: &Size, added: &Added) -> Outcome<(Self, [Option<Cell>; 7])> {
        progress::say(&format!("asking {} people and {} events", self.town.people(), self.events));
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            self.town = self.town.restarted()?;
            starts.push(self.town.server.started_in.as_secs_f64() * 1e3);
        }
        let pairs = by_turns(&self.town, small, size.rounds, requests(size))?;
        self.events += (size.rounds * requests(size)) as usize;
        let cells = self.cells(&pairs, starts, added)?;
        Ok((self, cells))
    }

    fn cells(&self, pairs: &[(f64, f64)], starts: Vec<f64>, added: &Added) -> Outcome<[Option<Cell>; 7]> {
        let ratio = Cell::of(pairs.iter().map(|(grown, small)| grown / small)).at_most(COST_TARGET);
        let memory = resident::now(self.town.server.process_id())?;
        Ok([
            Some(ratio),
            Some(Cell::of(starts)),
            Some(Cell::of([memory])),
            Some(self.ask(&["list"])?),
            Some(self.ask(&["who", &self.somebody()?])?),
            added.bytes_each_identity.map(|each| Cell::of([each]).at_most(BYTES_EACH_IDENTITY)),
            added.bytes_each_event.map(|each| Cell::of([each]).at_most(BYTES_EACH_EVENT)),
        ])
    }

    /// The identity of one who has had tokens.
    fn somebody(&self) -> Outcome<String> {
        let answers = send_all(&self.town.developer.url, &self.town.requests(1)?, 1)?;
        let answer: Value = serde_json::from_slice(answers.first().ok_or("nobody lives there")?)?;
        Ok(answer["IdentityId"].as_str().ok_or("an answer has no IdentityId")?.to_owned())
    }

    /// Milliseconds of `daypass audit …`.
    fn ask(&self, question: &[&str]) -> Outcome<Cell> {
        let ask = |_| {
            let mut command = Command::new(program()?);
            command.arg("audit").args(question).arg("--dir").arg(self.town.home());
            let started = Instant::now();
            let answered = command.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
            let took = started.elapsed().as_secs_f64() * 1e3;
            let said = !answered.stdout.is_empty() && answered.status.success();
            if said {
                Ok(took)
            } else {
                Err(format!("`daypass audit {}` does not answer", question.join(" ")).into())
            }
        };
        Ok(Cell::of((0..QUESTIONS).map(ask).collect::<Outcome<Vec<f64>>>()?))
    }
}

fn each(bytes: u64, count: usize) -> Option<f64> {
    let bytes = as_float(usize::try_from(bytes).ok()?);
    (count >= ENOUGH).then(|| bytes / as_float(count))
}

#[cfg(test)]
mod tests {
    use super::{counts, each, title};

    #[test]
    fn a_crowd_grows_tenfold() {
        assert_eq!(counts(100_000).collect::<Vec<_>>(), [1_000, 10_000, 100_000]);
        assert_eq!(title(10_000), "10⁴ of each");
    }

    #[test]
    fn a_few_say_nothing_of_one() {
        assert_eq!(each(9_000_000, 9_000), Some(1_000.0));
        assert_eq!(each(9_000_000, 10), None);
    }
}
