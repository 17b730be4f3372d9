//! Histories that were and were not.

use super::super::history::{For, Ground, Id, Login, Refusal, Session, Span, Told, groups};
use super::*;

const NOBODY: Told = Told::Refused(Refusal::NoSuchUser);

fn is(id: &str) -> Told {
    Told::Identity(Id::from(id))
}

fn token(user: u32) -> Question {
    Question::log_in(For::Token, Login::Developer(user))
}

/// A developer's user and one of a public provider, who are one person.
fn both(user: u32, public: u32) -> Question {
    let logins = vec![Login::Developer(user), Login::Public(public)];
    Question::LogIn { want: For::Token, logins, identity: None }
}

fn public(user: u32) -> Question {
    Question::log_in(For::Id, Login::Public(user))
}

fn with(question: Question, id: &str) -> Question {
    let Question::LogIn { want, logins, .. } = question else { panic!("{question:?}") };
    Question::LogIn { want, logins, identity: Some(id.into()) }
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
    assert_eq!(check(history).0, verdict, "{}", shown(history));
}

#[test]
fn one_after_the_other_is_as_the_rules_have_it() {
    let delete = Question::Delete(vec!["b".into()]);
    let take_over = |user, id: &str| with(token(user), id);
    let unlink = |user, id: &str| Question::Unlink { identity: id.into(), login: Login::Developer(user) };
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
    assert_only(&answers);
}

/// One after the other, and none of the answers could have been another one.
fn assert_only(answers: &[(Question, Told)]) {
    let times = (0..).step_by(2);
    let history: Vec<Entry> = times
        .zip(answers)
        .map(|(at, (asked, told))| entry(at, at + 1, asked.clone(), told.clone()))
        .collect();
    assert_is(true, &history);
    for index in 0..history.len() {
        for other in [Told::Done, is("a"), is("z"), Told::Refused(Refusal::Lapsed), NOBODY] {
            let mut wrong = history.clone();
            let told = &mut wrong[index].told.as_mut().unwrap().1;
            // Nobody knows which ID is a new one's.
            if *told != other
                && !matches!((&*told, &other), (Told::Identity(_), Told::Identity(id)) if **id == *"z")
            {
                *told = other;
                assert_is(false, &wrong);
            }
        }
    }
}

#[test]
fn public_logins_are_as_the_rules_have_it() {
    let unlink = |user, id: &str| Question::Unlink { identity: id.into(), login: Login::Public(user) };
    let credentials = |user, id: &str| {
        let logins = vec![Login::Public(user)];
        Question::LogIn { want: For::Credentials, logins, identity: Some(id.into()) }
    };
    let not_among = Told::Refused(Refusal::NotAmongItsLogins);
    assert_only(&[
        (public(1), is("a")),
        (token(1), is("b")),
        // One person: the older identity goes on.
        (both(1, 1), is("a")),
        (token(1), is("a")),
        (credentials(1, "b"), Told::Refused(Refusal::Disabled)),
        (public(2), is("c")),
        (both(1, 2), Told::Refused(Refusal::TwoUsersOfOneProvider)),
        (credentials(2, "a"), not_among.clone()),
        (unlink(2, "a"), not_among.clone()),
        (Question::Guest, is("d")),
        // A guest ends where the login has an identity, unless it is the developer's.
        (credentials(2, "d"), is("c")),
        (unlink(2, "d"), Told::Refused(Refusal::Disabled)),
        (Question::Guest, is("e")),
        (with(both(1, 1), "e"), Told::Refused(Refusal::OfAnotherIdentity)),
        (credentials(3, "e"), is("e")),
        (token(4), is("f")),
        (with(both(4, 4), "f"), is("f")),
        (merge(1, 4), Told::Refused(Refusal::TwoUsersOfOneProvider)),
        (unlink(4, "f"), Told::Done),
        (unlink(4, "f"), not_among),
        (merge(1, 4), is("f")),
        (public(1), is("f")),
        (public(4), is("g")),
    ]);
}

#[test]
fn who_was_logged_in_is_given_credentials_unless_something_ended_meanwhile() {
    let credentials = Question::LogIn {
        want: For::Credentials,
        logins: vec![Login::Public(1)],
        identity: Some("a".into()),
    };
    let history = |other: &Entry| {
        [
            entry(0, 1, public(1), is("a")),
            entry(2, 3, token(2), is("b")),
            other.clone(),
            entry(10, 20, credentials.clone(), Told::Refused(Refusal::Disabled)),
        ]
    };
    let unlink = |identity: &str, login| Question::Unlink { identity: identity.into(), login };
    let ends = [
        (revoke("a", 5, 18), Told::Done),
        (unlink("a", Login::Public(1)), Told::Done),
        (Question::Delete(vec!["a".into()]), Told::Done),
        (both(2, 1), is("a")),
    ];
    for (question, told) in ends {
        assert_is(true, &history(&entry(5, 15, question.clone(), told.clone())));
        assert_is(true, &history(&entry(15, 25, question.clone(), told.clone())));
        assert_is(true, &history(&lost(4, question.clone())));
        assert_is(false, &history(&lost(21, question.clone())));
        assert_is(false, &history(&entry(21, 25, question, told)));
    }
    for (question, told) in [
        (revoke("b", 5, 18), Told::Done),
        (unlink("b", Login::Developer(2)), Told::Done),
        (token(2), is("b")),
        (Question::LookUp(2), is("b")),
        (Question::Guest, is("c")),
    ] {
        assert_is(false, &history(&entry(5, 15, question, told)));
    }
    // What was revoked before has nothing to do with it.
    assert_is(false, &history(&entry(4, 9, revoke("a", 5, 9), Told::Done)));
}

#[test]
fn whoever_is_older_goes_on_as_far_as_anybody_can_tell() {
    let history = |from, survivor: &str| {
        [
            entry(0, 10, public(1), is("a")),
            entry(from, 30, token(1), is("b")),
            entry(40, 50, both(1, 1), is(survivor)),
        ]
    };
    assert_is(true, &history(5, "a"));
    assert_is(true, &history(5, "b"));
    assert_is(true, &history(20, "a"));
    assert_is(false, &history(20, "b"));
}

fn at(ms: i64) -> Span {
    Span { from: ms, until: ms }
}

fn revoke(id: &str, from: i64, until: i64) -> Question {
    Question::Revoke { identity: id.into(), until: Span { from, until } }
}

fn show(logins: &[Login], issued: Span) -> Question {
    Question::Use(Ground { identity: "a".into(), logins: logins.to_vec(), issued, session: None })
}

const USER: Login = Login::Developer(1);
const LAPSED: Told = Told::Refused(Refusal::Lapsed);

#[test]
fn what_was_issued_until_a_revocation_is_refused_once_it_is_acknowledged() {
    let begun = [entry(0, 10, token(1), is("a")), entry(20, 30, revoke("a", 120, 130), Told::Done)];
    let with = |issued, asked, told| {
        let more = [entry(asked, asked + 4, show(&[USER], issued), told)];
        [&begun[..], &more].concat()
    };
    for (issued, asked, counts, does_not) in [
        (at(105), 12, true, false),
        // The answer may be from before.
        (at(105), 22, true, true),
        (at(105), 31, false, true),
        // What was issued while it was revoked can be either.
        (at(125), 31, true, true),
        (Span { from: 105, until: 140 }, 31, true, true),
        (at(131), 31, true, false),
    ] {
        assert_is(counts, &with(issued, asked, Told::Done));
        assert_is(does_not, &with(issued, asked, LAPSED));
    }
    // One whose answer is lost may have come to that or not, for what was issued before.
    let lost = [entry(0, 10, token(1), is("a")), lost(20, revoke("a", 120, 150))];
    let shown_at = |asked, told| entry(asked, asked + 1, show(&[USER], at(105)), told);
    assert_is(true, &[&lost[..], &[shown_at(40, Told::Done), shown_at(50, LAPSED)]].concat());
    let later = |told| entry(60, 61, show(&[USER], at(151)), told);
    assert_is(true, &[&lost[..], &[later(Told::Done)]].concat());
    assert_is(false, &[&lost[..], &[later(LAPSED)]].concat());
}

#[test]
fn what_rests_on_a_login_or_an_identity_that_is_gone_is_refused() {
    let lapses = |question: Question, told: Told, logins: &[Login]| {
        let history = |asked, shown_is: Told| {
            [
                entry(0, 1, both(1, 1), is("a")),
                entry(2, 3, token(2), is("b")),
                entry(10, 20, question.clone(), told.clone()),
                entry(asked, asked + 1, show(logins, at(1)), shown_is),
            ]
        };
        assert_is(true, &history(5, Told::Done));
        assert_is(false, &history(5, LAPSED));
        assert_is(false, &history(21, Told::Done));
        assert_is(true, &history(21, LAPSED));
    };
    let unlink = |login| Question::Unlink { identity: "a".into(), login };
    lapses(unlink(USER), Told::Done, &[USER]);
    lapses(unlink(Login::Public(1)), Told::Done, &[USER, Login::Public(1)]);
    lapses(Question::Delete(vec!["a".into()]), Told::Done, &[USER]);
    lapses(merge(1, 2), is("b"), &[USER]);
}

#[test]
fn a_session_ends_with_a_revocation_and_moves_with_its_identity() {
    let session =
        Session { id: "s".into(), user: 1, identity: "a".into(), begun: Span { from: 100, until: 110 } };
    let refresh = || Question::Refresh(session.clone());
    let of_session = || {
        Question::Use(Ground {
            identity: "a".into(),
            logins: vec![USER],
            issued: at(140),
            session: Some(session.clone()),
        })
    };
    let sign_in = (Question::log_in(For::Session, USER), is("a"));
    let one = |more: &[(Question, Told)]| {
        let answers = [&[sign_in.clone(), (token(2), is("b"))], more].concat();
        let times = (0..).step_by(2).zip(answers);
        times.map(|(time, (asked, told))| entry(time, time + 1, asked, told)).collect::<Vec<Entry>>()
    };
    assert_is(true, &one(&[(refresh(), is("a")), (merge(1, 2), is("b")), (refresh(), is("b"))]));
    assert_is(false, &one(&[(refresh(), LAPSED)]));
    assert_is(false, &one(&[(merge(1, 2), is("b")), (refresh(), is("a"))]));
    let revoked = (revoke("a", 120, 130), Told::Done);
    for then in [vec![], vec![(merge(1, 2), is("b"))]] {
        let with = |told| one(&[std::slice::from_ref(&revoked), &then[..], &[(refresh(), told)]].concat());
        assert_is(true, &with(LAPSED));
        assert_is(false, &with(is(if then.is_empty() { "a" } else { "b" })));
    }
    // A token is issued after it, and the session had begun before.
    assert_is(true, &one(&[(of_session(), Told::Done)]));
    assert_is(false, &one(&[revoked.clone(), (of_session(), Told::Done)]));
    assert_is(true, &one(&[revoked, (of_session(), LAPSED)]));
    // What is over stays so.
    let unlink = (Question::Unlink { identity: "a".into(), login: USER }, Told::Done);
    let back = (with(both(1, 1), "a"), is("a"));
    let other = (both(2, 1), is("a"));
    let relinked = |told| {
        let linked = [(with(both(1, 1), "a"), is("a")), unlink.clone()];
        one(&[&linked[..], &[(refresh(), LAPSED), back.clone(), (refresh(), told)]].concat())
    };
    assert_is(true, &relinked(LAPSED));
    assert_is(false, &relinked(is("a")));
    assert_is(true, &one(&[(with(both(1, 1), "a"), is("a")), other, (refresh(), is("a"))]));
}

#[test]
fn a_login_with_two_identities_is_found() {
    let first = entry(0, 10, token(1), is("a"));
    assert_is(false, &[first.clone(), entry(5, 15, token(1), is("b"))]);
    assert_is(true, &[first, entry(5, 15, token(1), is("a"))]);
}

#[test]
fn what_is_old_may_be_told_while_it_changes_and_not_afterwards() {
    let merged =
        [entry(0, 1, token(1), is("a")), entry(2, 3, token(2), is("b")), entry(10, 20, merge(1, 2), is("b"))];
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

#[test]
fn what_would_change_nothing_at_first_may_be_done_later() {
    let unlink = Question::Unlink { identity: "a".into(), login: Login::Public(1) };
    let shown_at =
        |at, told| entry(at, at + 1, show(&[USER, Login::Public(1)], Span { from: 0, until: 0 }), told);
    let history = |told| {
        [
            entry(0, 1, both(1, 1), is("a")),
            entry(2, 10, unlink.clone(), Told::Done),
            entry(3, 12, both(1, 1), is("a")),
            shown_at(20, told),
        ]
    };
    assert_is(true, &history(Told::Done));
    assert_is(true, &history(LAPSED));
}
