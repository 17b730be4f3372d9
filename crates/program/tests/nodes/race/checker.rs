//! Whether a history could have been one thing after the other: the search of Wing and Gong ("Testing and Verifying Concurrent
//! Objects", 1993) with the memory of Lowe ("Testing for Linearizability", 2017).

use std::collections::HashMap;
use std::time::Duration;

use super::history::{Entry, Told};
use super::people::People;

/// So much is looked at before the search is given up. Far more than any history takes that is as it should be.
const PATIENCE: usize = 300_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    NotLinearizable,
    GivenUp,
}

pub fn check(history: &[Entry]) -> Verdict {
    let known =
        history.iter().filter_map(|entry| Some(Known { entry, told: entry.told.as_ref()? })).collect();
    let mut unknown: Vec<&Entry> = history.iter().filter(|entry| entry.told.is_none()).collect();
    unknown.sort_by_key(|entry| entry.asked);
    let mut search = Search { known, unknown, seen: HashMap::new(), looked: 0 };
    let (known, unknown) = (vec![false; search.known.len()], vec![false; search.unknown.len()]);
    if search.goes_on(&known, &unknown, &People::default()) {
        Verdict::Linearizable
    } else if search.looked >= PATIENCE {
        Verdict::GivenUp
    } else {
        Verdict::NotLinearizable
    }
}

/// For each question, whether it is done.
type Done = Vec<bool>;

struct Known<'a> {
    entry: &'a Entry,
    told: &'a (Duration, Told),
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
        let Some(answered) = pending(known).iter().map(|index| self.known[*index].told.0).min() else {
            return true;
        };
        if self.looked >= PATIENCE || self.is_seen(known, unknown, people) {
            return false;
        }
        self.looked += 1;
        for index in pending(known) {
            let Known { entry, told } = &self.known[index];
            if entry.asked <= answered
                && let Some(after) = people.after(&entry.question, Some(&told.1))
                && self.goes_on(&with(known, index), unknown, &after)
            {
                return true;
            }
        }
        let mut tried = Vec::new();
        for index in pending(unknown) {
            let question = &self.unknown[index].question;
            // Of several that ask the same, the first may do for all.
            if self.unknown[index].asked > answered || tried.contains(&question) {
                continue;
            }
            tried.push(question);
            let after = people.after(question, None).filter(|after| after != people);
            if let Some(after) = after
                && self.goes_on(known, &with(unknown, index), &after)
            {
                return true;
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
mod tests {
    use super::super::history::{Id, Question, Refusal, Told, groups};
    use super::*;

    const NOBODY: Told = Told::Refused(Refusal::NoSuchUser);

    fn is(id: &str) -> Told {
        Told::Identity(Id::from(id))
    }

    fn token(user: u32) -> Question {
        Question::Token { user, identity: None }
    }

    fn merge(source: u32, destination: u32) -> Question {
        Question::Merge { source, destination }
    }

    fn entry(from: u64, until: u64, question: Question, told: Told) -> Entry {
        let [asked, until] = [from, until].map(Duration::from_millis);
        Entry { asked, question, told: Some((until, told)) }
    }

    fn lost(from: u64, question: Question) -> Entry {
        Entry { asked: Duration::from_millis(from), question, told: None }
    }

    fn assert_is(expected: bool, history: &[Entry]) {
        let verdict = if expected { Verdict::Linearizable } else { Verdict::NotLinearizable };
        assert_eq!(check(history), verdict, "{}", shown(history));
    }

    #[test]
    fn one_after_the_other_is_as_the_rules_have_it() {
        let delete = Question::Delete(vec!["b".into()]);
        let take_over = |user, id: &str| Question::Token { user, identity: Some(id.into()) };
        let unlink = |user, id: &str| Question::Unlink { identity: id.into(), user };
        let answers = [
            (token(1), is("a")),
            (token(1), is("a")),
            (token(2), is("b")),
            (take_over(2, "a"), Told::Refused(Refusal::OfAnotherIdentity)),
            (take_over(3, "a"), Told::Refused(Refusal::NotAmongItsLogins)),
            (merge(1, 2), is("b")),
            (take_over(1, "a"), Told::Refused(Refusal::Disabled)),
            (Question::LookUp(1), is("b")),
            (unlink(1, "b"), Told::Done),
            (unlink(1, "b"), NOBODY),
            (Question::Guest, is("c")),
            (take_over(1, "c"), is("c")),
            (unlink(1, "b"), Told::Refused(Refusal::OfAnotherIdentity)),
            (delete, Told::Done),
            (Question::LookUp(2), NOBODY),
            (unlink(2, "b"), Told::Refused(Refusal::NoSuchIdentity)),
            (merge(1, 2), NOBODY),
            (token(2), is("d")),
        ];
        let times = (0..).step_by(2);
        let history: Vec<Entry> = times
            .zip(&answers)
            .map(|(at, (asked, told))| entry(at, at + 1, asked.clone(), told.clone()))
            .collect();
        assert_is(true, &history);
        // None of the answers could have been another one.
        for index in 0..history.len() {
            let mut wrong = history.clone();
            let told = &mut wrong[index].told.as_mut().unwrap().1;
            *told = if *told == Told::Done { is("a") } else { Told::Done };
            assert_is(false, &wrong);
        }
    }

    #[test]
    fn a_login_with_two_identities_is_found() {
        let first = entry(0, 10, token(1), is("a"));
        assert_is(false, &[first.clone(), entry(5, 15, token(1), is("b"))]);
        assert_is(true, &[first, entry(5, 15, token(1), is("a"))]);
    }

    #[test]
    fn what_is_old_may_be_told_while_it_changes_and_not_afterwards() {
        let merged = [
            entry(0, 1, token(1), is("a")),
            entry(2, 3, token(2), is("b")),
            entry(10, 20, merge(1, 2), is("b")),
        ];
        let looking = |from, until, id: &str| entry(from, until, Question::LookUp(1), is(id));
        let with = |more: &[Entry]| [&merged[..], more].concat();
        assert_is(true, &with(&[looking(11, 12, "a"), looking(13, 19, "b")]));
        assert_is(false, &with(&[looking(11, 12, "b"), looking(13, 19, "a")]));
        assert_is(false, &with(&[looking(21, 22, "a")]));
    }

    #[test]
    fn what_nobody_knows_happens_once_at_any_time_or_never() {
        let begun = [entry(0, 1, token(1), is("a")), entry(2, 3, token(2), is("b")), lost(4, merge(1, 2))];
        let looking = |at, id: &str| entry(at, at + 1, Question::LookUp(1), is(id));
        let with = |more: &[Entry]| [&begun[..], more].concat();
        assert_is(true, &with(&[looking(5, "a"), looking(7, "a")]));
        assert_is(true, &with(&[looking(5, "a"), looking(7, "b")]));
        assert_is(false, &with(&[looking(5, "b"), looking(7, "a")]));
        // A first login whose answer was lost.
        let lost = lost(0, token(3));
        let looking = |at, told| entry(at, at + 1, Question::LookUp(3), told);
        assert_is(true, &[lost.clone(), looking(1, NOBODY), looking(3, is("c")), looking(5, is("c"))]);
        assert_is(false, &[lost.clone(), looking(1, is("c")), looking(3, is("d"))]);
        assert_is(false, &[lost, looking(1, is("c")), looking(3, NOBODY)]);
    }

    #[test]
    fn an_acknowledged_login_that_is_gone_is_found() {
        assert_is(false, &[entry(0, 1, token(1), is("a")), entry(2, 3, Question::LookUp(1), NOBODY)]);
        let deleted = entry(4, 5, Question::Delete(vec!["a".into()]), Told::Done);
        let back = entry(6, 7, token(1), is("a"));
        assert_is(false, &[entry(0, 1, token(1), is("a")), deleted, back]);
    }

    #[test]
    fn who_has_nothing_to_do_with_each_other_is_in_another_group() {
        let history = vec![
            entry(0, 1, token(1), is("a")),
            entry(0, 1, token(2), is("b")),
            entry(0, 1, token(3), is("c")),
            entry(2, 3, Question::Guest, is("d")),
            entry(2, 3, merge(1, 3), is("c")),
        ];
        let sizes: Vec<usize> = groups(history).iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 1, 1]);
    }
}
