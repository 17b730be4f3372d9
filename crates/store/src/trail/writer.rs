//! The one thread of a process that appends. To have a line on the disk takes far longer than to write it, so whatever was
//! decided meanwhile is written together, and the wait is shared. Nobody gets an answer before their line is on the disk.

use std::iter;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use daypass_core::audit::head_key::key_id_of;
use daypass_core::records::trail_head::TrailHead;
use daypass_core::store::AuditCare;
use tokio::sync::oneshot;

use super::appender::{Appender, End};
use super::trouble::TrailTrouble as Trouble;
use super::{index, retention};
use daypass_core::records::trail_line::{Note, members};

/// Decisions that wait; more are refused.
const MAX_WAITING: usize = 16_384;

/// About so many bytes are written at once: what may be torn is looked for in a window of the file's end.
pub(crate) const MAX_GROUP: usize = 512 << 10;

/// Where more decisions than these were under way at once, the next wait for one another, so long or until they are enough: to
/// write and to be woken costs the processor as much for one line as for many. Where few ask, nobody waits for anybody.
const MANY: usize = 4;
const ENOUGH: usize = 8;
const GATHERING: Duration = Duration::from_micros(500);

/// A head is signed after so many lines, or so long after the first that none vouches for.
const LINES_FOR_EACH_HEAD: u64 = 1_000;
const LONGEST_WITHOUT_HEAD: Duration = Duration::from_secs(10);

/// How often it is looked for what others wrote, commands above all, who sign nothing.
const LOOKING: Duration = Duration::from_mins(1);

/// How often it is looked for what is too old.
const CLEANING: Duration = Duration::from_hours(1);

/// Keeps the newest head elsewhere.
pub(crate) trait Anchor: Send {
    /// Has a head kept: in the place of the one before, and of `missed`, whose trail was not there.
    fn keep(&self, head: &TrailHead, missed: Option<&TrailHead>);

    /// The head that is kept.
    fn kept(&self) -> Option<TrailHead>;
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// When so many wait, the thread is to look.
    wanted: usize,
    care: Option<AuditCare>,
    /// Who wants dropped at once what need not be kept.
    droppers: Vec<Dropper>,
    over: bool,
    /// Whether the thread has ended, and nobody is answered any more.
    ended: bool,
    /// How it went last, and when.
    last: Option<(Instant, Result<(), Trouble>)>,
}

/// How much somebody wants kept, and that they wait for it.
struct Dropper {
    care: AuditCare,
    answer: oneshot::Sender<Result<(), Trouble>>,
}

/// Lines that belong together, and who waits for them.
struct Waiting {
    lines: Vec<Vec<u8>>,
    answer: oneshot::Sender<Result<(), Trouble>>,
}

impl Writer {
    pub(super) fn start(appender: Appender, anchor: Box<dyn Anchor>) -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let keeper = Keeper {
            queue: queue.clone(),
            appender,
            anchor,
            crowd: 0,
            care: None,
            begins: false,
            unsigned_since: None,
            waits_for: None,
            look_at: None,
            clean_at: None,
            told: None,
            indexing: None,
        };
        let thread = Builder::new().name("daypass-trail".into()).spawn(move || keeper.serve())?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Appends lines, all of them or none, and answers when they are on the disk.
    pub(super) async fn append(&self, lines: Vec<Vec<u8>>) -> Result<(), Trouble> {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.queue.state();
            if state.ended {
                return Err(Trouble::Ended);
            }
            if state.waiting.len() >= MAX_WAITING {
                return Err(Trouble::Behind);
            }
            state.waiting.push(Waiting { lines, answer });
            // Whoever is at work looks again before they rest.
            if state.waiting.len() == state.wanted {
                self.queue.wake.notify_one();
            }
        }
        answered.await.map_err(|_| Trouble::Ended)?
    }

    /// How it went last, if that was no longer ago.
    pub(super) fn outcome_within(&self, limit: Duration) -> Option<Result<(), Trouble>> {
        let last = self.queue.state().last.clone();
        last.filter(|(at, _)| at.elapsed() < limit).map(|(_, outcome)| outcome)
    }

    /// Drops what need not be kept.
    pub(super) async fn drop_surplus(&self, care: AuditCare) -> Result<(), Trouble> {
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.queue.state();
            if state.ended {
                return Err(Trouble::Ended);
            }
            state.droppers.push(Dropper { care, answer });
            self.queue.wake.notify_one();
        }
        answered.await.map_err(|_| Trouble::Ended)?
    }

    pub(super) fn attend(&self, care: AuditCare) {
        self.queue.state().care = Some(care);
        self.queue.wake.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.state().over = true;
        self.queue.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until enough decisions wait, or so long.
    fn gather<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        enough: usize,
        limit: Duration,
    ) -> MutexGuard<'a, State> {
        state.wanted = enough;
        let few = |state: &mut State| state.waiting.len() < enough && !state.over;
        self.wake.wait_timeout_while(state, limit, few).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What the thread works with.
struct Keeper {
    queue: Arc<Queue>,
    appender: Appender,
    anchor: Box<dyn Anchor>,
    /// How many decisions were under way at once when something was written last.
    crowd: usize,
    care: Option<AuditCare>,
    /// Whether that is new.
    begins: bool,
    /// When the first line was written that no head vouches for.
    unsigned_since: Option<Instant>,
    /// A head of another key that may yet be kept, before it is vouched for.
    waits_for: Option<Arc<str>>,
    /// When it is looked next for what others wrote, and for what is too old.
    look_at: Option<Instant>,
    clean_at: Option<Instant>,
    /// What the operator heard of last.
    told: Option<String>,
    indexing: Option<JoinHandle<()>>,
}

/// However the thread ends, whoever waits hears of it.
impl Drop for Keeper {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.ended = true;
        state.waiting.clear();
        state.droppers.clear();
    }
}

impl Keeper {
    fn serve(mut self) {
        loop {
            let (group, over) = self.next_group();
            if !group.is_empty() {
                self.keep(group);
            } else if over {
                break;
            }
            self.take_care();
        }
        self.sign();
        if let Some(indexing) = self.indexing.take() {
            let _ = indexing.join();
        }
    }

    /// Waits for decisions, or until something else is due.
    fn next_group(&mut self) -> (Vec<Waiting>, bool) {
        let due = self.due();
        let mut state = self.queue.state();
        state.wanted = 1;
        while state.waiting.is_empty() && !state.over && state.care.is_none() && state.droppers.is_empty() {
            state = match due.map(|due| due.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => break,
                Some(rest) => {
                    let (state, _) =
                        self.queue.wake.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner);
                    state
                }
                None => self.queue.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if self.crowd > MANY {
            state = self.queue.gather(state, self.crowd.min(ENOUGH), GATHERING);
        }
        let (care, group, over) = (state.care.take(), take_group(&mut state.waiting), state.over);
        drop(state);
        if let Some(care) = care {
            (self.care, self.begins) = (Some(care), true);
            let now = Instant::now();
            (self.look_at, self.clean_at) = (Some(now + LOOKING), Some(now));
        }
        (group, over)
    }

    /// When something is to be done though nobody asks.
    fn due(&self) -> Option<Instant> {
        self.care.as_ref()?;
        let signing = self.unsigned_since.map(|since| since + LONGEST_WITHOUT_HEAD);
        signing.into_iter().chain(self.look_at).chain(self.clean_at).min()
    }

    fn keep(&mut self, group: Vec<Waiting>) {
        let (mut lines, mut answers) = (Vec::new(), Vec::with_capacity(group.len()));
        for waiting in group {
            lines.extend(waiting.lines);
            answers.push(waiting.answer);
        }
        let count = lines.len();
        let kept = self.appender.append(|_| lines);
        if kept.is_ok() && count > 0 {
            self.unsigned_since.get_or_insert_with(Instant::now);
        }
        {
            let mut state = self.queue.state();
            state.last = Some((Instant::now(), kept.clone()));
            self.crowd = answers.len() + state.waiting.len();
        }
        for answer in answers {
            // Whoever asked may have gone away; the line stands all the same.
            drop(answer.send(kept.clone()));
        }
        if kept.is_ok() && self.appender.is_full() {
            self.begin_next_file();
        }
    }

    fn begin_next_file(&mut self) {
        self.sign();
        let begun = self.appender.begin_next_file();
        self.tell(begun);
        self.clean();
        self.make_indexes();
    }

    fn take_care(&mut self) {
        let droppers = mem::take(&mut self.queue.state().droppers);
        for Dropper { care, answer } in droppers {
            // Whoever asked may have gone away.
            drop(answer.send(self.drop_surplus(&care)));
        }
        let now = Instant::now();
        if self.takes_over()
            || self.appender.unsigned() >= LINES_FOR_EACH_HEAD
            || self.unsigned_since.is_some_and(|since| now >= since + LONGEST_WITHOUT_HEAD)
            || self.look_at.is_some_and(|at| now >= at)
        {
            self.sign();
        }
        if self.clean_at.is_some_and(|at| now >= at) {
            self.clean();
            self.make_indexes();
        }
    }

    /// Whether somebody else's head is the last when this process begins to sign: it vouches for that at once, because the key may be
    /// taken away.
    fn takes_over(&self) -> bool {
        let (care, head) = (self.care.as_ref().filter(|_| self.begins), self.appender.head());
        care.zip(head).is_some_and(|(care, head)| care.signer.read_of_before(&head).is_some())
    }

    /// Signs the last line, whoever wrote it, if this is the process that signs.
    fn sign(&mut self) {
        let Some(care) = self.care.clone() else { return };
        let takes_over = self.takes_over();
        self.begins = false;
        self.look_at = Some(Instant::now() + LOOKING);
        let (mut signed, anchor, waits_for) = (None, &self.anchor, &mut self.waits_for);
        // Before anybody is kept out. Where it cannot be read, the head is signed all the same.
        let again = retention::dropped_said_again(self.appender.folder(), &care, self.appender.head());
        let outcome = self.appender.append(|end| {
            let before = before(end, &care, &**anchor);
            if end.unsigned == 0 && !(takes_over && matches!(before, Before::Vouched(_))) {
                return Vec::new();
            }
            let notes = match before {
                Before::Vouched(keys) => {
                    let again = again.as_ref().ok().cloned().flatten();
                    iter::once(members(&Note::Keys(keys))).chain(again).collect()
                }
                // Whoever signed it may be about to have it kept.
                Before::Other(head) if waits_for.as_ref() != Some(&head) => {
                    *waits_for = Some(head);
                    return Vec::new();
                }
                Before::Us | Before::Other(_) => Vec::new(),
            };
            let end = notes.iter().fold(end.clone(), |end, note| end.behind(note));
            let head = head_at(&end, &care);
            let line = members(&Note::Head(care.signer.sign(&head)));
            signed = Some(head);
            notes.into_iter().chain([line]).collect()
        });
        if let (Ok(()), Some(head)) = (&outcome, &signed) {
            self.anchor.keep(head, self.appender.missed());
        }
        // What could not be signed now is tried again in a while.
        let is_left = outcome.is_err() || (signed.is_none() && self.appender.unsigned() > 0);
        self.unsigned_since = is_left.then(Instant::now);
        self.tell(outcome.and(again.map(drop)));
    }

    /// Drops what is too old.
    fn clean(&mut self) {
        let Some(care) = self.care.clone() else { return };
        self.clean_at = Some(Instant::now() + CLEANING);
        let dropped = self.drop_surplus(&care);
        self.tell(dropped);
    }

    fn drop_surplus(&mut self, care: &AuditCare) -> Result<(), Trouble> {
        for file in retention::drop_surplus(&mut self.appender, care)? {
            (care.tell)(&format!("the audit trail dropped {file}, as [audit] keep and keep_size say"));
            self.unsigned_since.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// Nobody waits for an index: what it would tell is looked for without it meanwhile.
    fn make_indexes(&mut self) {
        let folder = self.appender.folder().clone();
        if self.indexing.as_ref().is_none_or(JoinHandle::is_finished) {
            // One that cannot be made is made later, or never: it saves time alone.
            let make = move || drop(index::make_missing(&folder));
            self.indexing = Builder::new().name("daypass-index".into()).spawn(make).ok();
        }
    }

    /// The operator hears of a trouble once, until it is another.
    fn tell(&mut self, outcome: Result<(), Trouble>) {
        let trouble = outcome.err().map(|trouble| trouble.to_string());
        if let (Some(care), Some(trouble)) = (&self.care, &trouble)
            && self.told.as_ref() != Some(trouble)
        {
            (care.tell)(trouble);
        }
        self.told = trouble;
    }
}

/// Who signed last.
enum Before {
    /// The key of now, or nobody.
    Us,
    /// A key of before, for which the key of now vouches.
    Vouched(String),
    /// Some other key. Whoever has one that was rotated away can write a head of it, and not have it kept.
    Other(Arc<str>),
}

fn before(end: &End, care: &AuditCare, anchor: &dyn Anchor) -> Before {
    let Some(head) = end.head.clone().filter(|head| key_id_of(head).as_deref() != Some(care.signer.key_id()))
    else {
        return Before::Us;
    };
    let said = care.signer.read_of_before(&head);
    if said.is_some() && said == anchor.kept() {
        Before::Vouched(care.signer.vouch(&head_at(end, care), &head))
    } else {
        Before::Other(head)
    }
}

/// What a head says that is signed there now.
fn head_at(end: &End, care: &AuditCare) -> TrailHead {
    TrailHead { trail: end.trail.clone(), n: end.number, chain: end.chain.text(), time: care.clock.now() }
}

/// As many as are written at once.
fn take_group(waiting: &mut Vec<Waiting>) -> Vec<Waiting> {
    let mut bytes = 0;
    let fitting = waiting.iter().take_while(|waiting| {
        bytes += waiting.lines.iter().map(Vec::len).sum::<usize>();
        bytes < MAX_GROUP
    });
    let fitting = fitting.count();
    if fitting == waiting.len() { mem::take(waiting) } else { waiting.drain(..fitting.max(1)).collect() }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Nobody would wait for as long.
    const LONG: Duration = Duration::from_hours(1);

    /// A thread that gathers until three wait, and tells how many do.
    fn gathering(queue: &Arc<Queue>) -> JoinHandle<usize> {
        let queue = queue.clone();
        thread::spawn(move || queue.gather(queue.state(), 3, LONG).waiting.len())
    }

    #[tokio::test]
    async fn whoever_gathers_is_woken_by_the_last_that_they_wait_for() {
        let queue = Arc::<Queue>::default();
        let writer = Writer { queue: queue.clone(), thread: None };
        let gathering = gathering(&queue);
        while queue.state().wanted != 3 {
            thread::yield_now();
        }
        let asked: Vec<_> = (0..3).map(|_| writer.append(Vec::new())).map(Box::pin).collect();
        for mut asked in asked {
            assert!(futures::poll!(&mut asked).is_pending());
        }
        assert_eq!(gathering.join().unwrap(), 3);
    }

    #[test]
    fn nobody_is_waited_for_at_the_end() {
        let queue = Arc::<Queue>::default();
        let gathering = gathering(&queue);
        drop(Writer { queue, thread: None });
        assert_eq!(gathering.join().unwrap(), 0);
    }
}
