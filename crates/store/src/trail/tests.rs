//! What becomes of a trail that is torn, changed, shared, cut off or too large.

mod attacks;
mod damage;
mod heads;
mod questions;
mod retention;
mod sharing;
mod torn;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use daypass_core::audit::head_key::{HeadKey, HeadKeys, HeadPublicKey};
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use daypass_core::ground::clock::{ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, RequestId};
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::{Random, SeededRandom};
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::records::trail_head::{TrailDropped, TrailHead};
use daypass_core::records::trail_line::Line;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::{
    AuditCare, AuditEvents, AuditSink, EventPosition, HeadSigner, KeptEvent, Page, Retention,
};
use tempfile::TempDir;

use super::appender::Limits;
use super::findings::What;
use super::folder::TrailFile;
use super::*;

/// Files end after a few lines.
const SMALL: Limits = Limits { file: 2_000, patience: Duration::from_mins(1) };

/// The heads that were kept, the newest last.
struct Heads(Arc<Mutex<Vec<TrailHead>>>);

impl Anchor for Heads {
    fn keep(&self, head: &TrailHead, _: Option<&TrailHead>) {
        self.0.lock().unwrap().push(head.clone());
    }

    fn kept(&self) -> Option<TrailHead> {
        self.0.lock().unwrap().last().cloned()
    }
}

/// A folder for a trail, and what its heads were.
struct Place {
    directory: TempDir,
    heads: Arc<Mutex<Vec<TrailHead>>>,
    random: SeededRandom,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, heads: Arc::default(), random: SeededRandom::new(1) }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("trail")
    }

    fn open(&self) -> Trail {
        self.open_knowing(None).unwrap()
    }

    fn open_knowing(&self, signed: Option<&TrailHead>) -> Result<Trail, TrailTrouble> {
        Trail::start(self.appender(signed, SMALL)?, Box::new(Heads(self.heads.clone())))
    }

    fn appender(&self, signed: Option<&TrailHead>, limits: Limits) -> Result<Appender, TrailTrouble> {
        Appender::open(&self.path(), self.directory.path(), signed, limits)
    }

    /// With a server's care.
    fn attended(&self, keep: Retention, now: i64) -> Trail {
        self.attended_by(care(keep, now))
    }

    fn attended_by(&self, care: AuditCare) -> Trail {
        let trail = self.open();
        trail.attend(care);
        trail
    }

    fn event(&self, second: i64) -> AuditEvent {
        event(second, &self.random)
    }

    /// A trail with so many events under heads, in several files.
    async fn signed(&self, events: i64) {
        let trail = self.attended(Retention::default(), 0);
        for second in 0..events {
            trail.add(&[self.event(second)]).await.unwrap();
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        Folder::at(&self.path()).files().unwrap().into_iter().map(|file| file.path).collect()
    }

    fn verified(&self) -> Verified {
        let heads = self.heads.lock().unwrap();
        verify(&self.path(), &by(key()), heads.last(), &mut |_, _| {}).unwrap()
    }

    /// What is wrong, and with which line.
    fn faults(&self) -> Vec<(u64, What)> {
        self.verified().faults.into_iter().map(|fault| (fault.line, fault.what)).collect()
    }
}

fn by(key: HeadPublicKey) -> Keys {
    vec![key].into()
}

fn key() -> HeadPublicKey {
    HeadKey::of(&MasterKey::new([7; 32]).into()).public().clone()
}

fn care(keep: Retention, now: i64) -> AuditCare {
    AuditCare {
        signer: Arc::new(HeadKeys::of(&MasterKey::new([7; 32]).into())),
        keep,
        clock: Arc::new(ManualClock::at_second(now)),
        tell: Arc::new(|_| {}),
    }
}

fn event(second: i64, random: &dyn Random) -> AuditEvent {
    let time = Timestamp::from_second(second).unwrap();
    AuditEvent {
        developer_user_identifier: Some(format!("user {second}")),
        ..AuditEvent::plain(
            time,
            RequestId::generate(time, random),
            AuditAction::Token,
            AuditOutcome::Allowed,
        )
    }
}

async fn all(trail: &Trail) -> Vec<AuditEvent> {
    let kept = trail.after(Page { after: None, limit: usize::MAX }).await.unwrap();
    kept.into_iter().map(|kept| kept.event).collect()
}

/// Changes the lines of a file.
fn edit(file: &Path, edit: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    edit(&mut lines);
    lines.push(String::new());
    fs::write(file, lines.join("\n")).unwrap();
}
