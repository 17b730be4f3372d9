//! A whole store that is copied into another one: everything is brought, then both are read again and compared, and only then
//! may others open the new one.

mod contents;
mod lines;
#[cfg(test)]
mod tests;

pub use self::contents::{Contents, Kind, Sum};
use self::lines::{Followed, lines_of};
use crate::ground::clock::{Clock, Timestamp};
use crate::store::whole::{CopyError, Filling, Whole};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Everything is brought.
    Copying,
    /// Everything is read again, in both stores.
    Comparing,
}

/// Hears how many more things, or lines, are done with.
type Told<'a> = &'a mut (dyn FnMut(Step, u64) + Send);

/// Copies everything of a store into one that [was begun](Filling::begin) for it. What is over is left behind.
///
/// # Errors
/// [`CopyError`]. Then nobody opens the target, and the copy may be begun again.
pub async fn copy(
    source: &dyn Whole,
    target: &dyn Filling,
    clock: &dyn Clock,
    told: Told<'_>,
) -> Result<Contents, CopyError> {
    bring(source, target, clock.now(), told).await?;
    bring_lines(source, target, told).await?;
    // What was over by then went by itself, in either.
    let now = clock.now();
    let there = contents(source, now, told).await?;
    let here = contents(target, now, told).await?;
    let differences = there.differences(&here);
    if !differences.is_empty() {
        return Err(CopyError::Differs(differences.join(", ")));
    }
    target.finish().await?;
    Ok(here)
}

async fn bring(
    source: &dyn Whole,
    target: &dyn Filling,
    now: Timestamp,
    told: Told<'_>,
) -> Result<(), CopyError> {
    let mut pages = source.kept(now).await?;
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        let count = page.len() as u64;
        target.take(page).await?;
        told(Step::Copying, count);
    }
}

async fn bring_lines(source: &dyn Whole, target: &dyn Filling, told: Told<'_>) -> Result<(), CopyError> {
    let Some(first) = source.first_line().await? else { return Ok(()) };
    let mut followed = Followed::from(first);
    loop {
        let text = source.lines_after(followed.last()).await?;
        if text.is_empty() {
            return Ok(());
        }
        let before = followed.last();
        lines_of(&text).try_for_each(|line| followed.follow(line))?;
        target.take_lines(text).await?;
        told(Step::Copying, followed.last() - before);
    }
}

/// What is in a store that is not over.
async fn contents(store: &dyn Whole, now: Timestamp, told: Told<'_>) -> Result<Contents, CopyError> {
    let mut contents = Contents::default();
    let mut pages = store.kept(now).await?;
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            break;
        }
        page.iter().try_for_each(|kept| contents.add(kept))?;
        told(Step::Comparing, page.len() as u64);
    }
    let Some(first) = store.first_line().await? else { return Ok(contents) };
    let mut followed = Followed::from(first);
    loop {
        let text = store.lines_after(followed.last()).await?;
        if text.is_empty() {
            return Ok(contents);
        }
        let before = followed.last();
        for line in lines_of(&text) {
            followed.follow(line)?;
            contents.add_line(line);
        }
        told(Step::Comparing, followed.last() - before);
    }
}
