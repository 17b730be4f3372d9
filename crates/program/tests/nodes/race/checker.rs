//! Whether a history could have been one thing after the other: the search of Wing and Gong ("Testing and Verifying Concurrent
//! Objects", 1993) with the memory of Lowe ("Testing for Linearizability", 2017).

use std::collections::HashMap;
use std::time::Duration;

use super::history::{Entry, Question};
use super::people::People;

/// So much is looked at before the search is given up. Far more than any history takes that is as it should be.
const PATIENCE: usize = 300_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    NotLinearizable,
    GivenUp,
}

/// And how much was looked at.
pub fn check(history: &[Entry]) -> (Verdict, usize) {
    let known =
        history.iter().filter_map(|entry| Some(Known { entry, told_at: entry.told.as_ref()?.0 })).collect();
    let is_unknown = |entry: &&Entry| entry.told.is_none() && entry.question.moves_somebody();
    let mut unknown: Vec<&Entry> = history.iter().filter(is_unknown).collect();
    unknown.sort_by_key(|entry| entry.asked);
    let mut search = Search { known, unknown, seen: HashMap::new(), looked: 0 };
    let (known, unknown) = (vec![false; search.known.len()], vec![false; search.unknown.len()]);
    let verdict = if search.goes_on(&known, &unknown, &People::before(history)) {
        Verdict::Linearizable
    } else if search.looked >= PATIENCE {
        Verdict::GivenUp
    } else {
        Verdict::NotLinearizable
    };
    (verdict, search.looked)
}

/// For each question, whether it is done.
type Done = Vec<bool>;

struct Known<'a> {
    entry: &'a Entry,
    told_at: Duration,
}

struct Search<'a> {
    known: Vec<Known<'a>>,
    /// In the order in which they were asked.
    unknown: Vec<&'a Entry>,
    /// What was done of the known, and everybody as they are then: from there it did not go on after these of the unknown, and
    /// so it does not after more of them.
    seen: HashMap<(Done, People), Vec<Done>>,
    looked: usize,
}

impl Search<'_> {
    /// Whether everything that was answered can be done, after some of it was.
    fn goes_on(&mut self, known: &[bool], unknown: &[bool], people: &People) -> bool {
        let pending = |done: &[bool]| (0..done.len()).filter(|index| !done[*index]).collect::<Vec<usize>>();
        // What was asked after an answer was done after it.
        let Some(answered) = pending(known).iter().map(|index| self.known[*index].told_at).min() else {
            return true;
        };
        if self.looked >= PATIENCE || self.is_seen(known, unknown, people) {
            return false;
        }
        self.looked += 1;
        let mut next = Vec::new();
        for index in pending(known) {
            let entry = self.known[index].entry;
            if entry.asked > answered {
                continue;
            }
            let after = people.after(entry);
            // What never changes anything may as well be done now as later.
            if matches!(entry.question, Question::LookUp(_) | Question::Use(_)) && after.contains(people) {
                return self.goes_on(&with(known, index), unknown, people);
            }
            next.extend(after.into_iter().map(|after| (index, after)));
        }
        for (index, after) in next {
            if self.goes_on(&with(known, index), unknown, &after) {
                return true;
            }
        }
        let mut tried = Vec::new();
        for index in pending(unknown) {
            let entry = self.unknown[index];
            // Of several that ask the same, the first may do for all.
            if entry.asked > answered || tried.contains(&&entry.question) {
                continue;
            }
            tried.push(&entry.question);
            for after in people.after(entry) {
                if after != *people && self.goes_on(known, &with(unknown, index), &after) {
                    return true;
                }
            }
        }
        false
    }

    fn is_seen(&mut self, known: &[bool], unknown: &[bool], people: &People) -> bool {
        let seen = self.seen.entry((known.to_vec(), people.clone())).or_default();
        let is_less = |other: &Done| other.iter().zip(unknown).all(|(other, done)| !other || *done);
        let is_seen = seen.iter().any(is_less);
        if !is_seen {
            seen.push(unknown.to_vec());
        }
        is_seen
    }
}

fn with(done: &[bool], index: usize) -> Done {
    let mut done = done.to_vec();
    done[index] = true;
    done
}

/// A history as a person reads it.
pub fn shown(history: &[Entry]) -> String {
    let mut history: Vec<&Entry> = history.iter().collect();
    history.sort_by_key(|entry| entry.asked);
    let ms = |at: Duration| at.as_secs_f64() * 1000.0;
    let line = |entry: &&Entry| {
        let asked = format!("{:>10.3} {:?}", ms(entry.asked), entry.question);
        match &entry.told {
            Some((at, told)) => format!("{asked} → {:.3} {told:?}\n", ms(*at)),
            None => format!("{asked} → ?\n"),
        }
    };
    history.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
