//! An item as the table has it.

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use daypass_core::ground::clock::Timestamp;
use daypass_core::store::items::engine::{EngineError, Item, Key, Stamp};

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The attributes of the key. Names count as bytes of each item.
pub(super) const PARTITION: &str = "p";
pub(super) const SORT: &str = "s";

/// What an item says, and who wrote it.
const CONTENT: &str = "c";
pub(super) const STAMP: &str = "n";

/// From when it is forgotten, in milliseconds, and in seconds, rounded up, as the table wants it to delete by.
const FORGOTTEN_AT: &str = "f";
pub(super) const TTL: &str = "t";

/// An attribute of a key is never empty, and a sort key of ours may be: each has this in front, which leaves their order.
const FRONT: u8 = b'.';

pub(super) fn sort_attribute(sort: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new([&[FRONT], sort].concat()))
}

pub(super) fn attributes_of_key(key: &Key) -> Attributes {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::B(Blob::new(key.partition.as_slice()))),
        (SORT.to_owned(), sort_attribute(&key.sort)),
    ])
}

pub(super) fn attributes_of(
    key: &Key,
    stamp: Stamp,
    content: &[u8],
    forgotten_at: Option<Timestamp>,
) -> Attributes {
    let mut attributes = attributes_of_key(key);
    attributes.insert(STAMP.to_owned(), number(stamp.0));
    if !content.is_empty() {
        attributes.insert(CONTENT.to_owned(), AttributeValue::B(Blob::new(content)));
    }
    if let Some(forgotten_at) = forgotten_at {
        attributes.insert(FORGOTTEN_AT.to_owned(), number(forgotten_at.as_millisecond()));
        // What is long past is deleted by nobody: TTL leaves alone what is older than five years.
        let second = forgotten_at.as_second().max(0) + 1;
        attributes.insert(TTL.to_owned(), number(second));
    }
    attributes
}

pub(super) fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(format!("{number}"))
}

/// An item with its key.
pub(super) fn item(attributes: &Attributes) -> Result<Item, EngineError> {
    let bytes = |name| match attributes.get(name) {
        Some(AttributeValue::B(bytes)) => Ok(bytes.as_ref()),
        _ => Err(unreadable(name)),
    };
    let sort = bytes(SORT)?.strip_prefix(&[FRONT]).ok_or_else(|| unreadable(SORT))?.to_vec();
    item_of(Key { partition: bytes(PARTITION)?.to_vec(), sort }, attributes)
}

/// An item whose key is known.
pub(super) fn item_of(key: Key, attributes: &Attributes) -> Result<Item, EngineError> {
    let content = match attributes.get(CONTENT) {
        Some(AttributeValue::B(content)) => content.as_ref().to_vec(),
        None => Vec::new(),
        Some(_) => return Err(unreadable(CONTENT)),
    };
    let stamp = Stamp(parsed(attributes, STAMP)?.ok_or_else(|| unreadable(STAMP))?);
    let forgotten_at = parsed(attributes, FORGOTTEN_AT)?
        .map(|at| Timestamp::from_millisecond(at).map_err(|_| unreadable(FORGOTTEN_AT)))
        .transpose()?;
    Ok(Item { key, stamp, content, forgotten_at })
}

fn parsed<T: std::str::FromStr>(attributes: &Attributes, name: &str) -> Result<Option<T>, EngineError> {
    match attributes.get(name) {
        Some(AttributeValue::N(number)) => number.parse().map(Some).map_err(|_| unreadable(name)),
        None => Ok(None),
        Some(_) => Err(unreadable(name)),
    }
}

fn unreadable(name: &str) -> EngineError {
    EngineError::Unavailable(
        format!("an item of the table has another attribute {name} than Daypass writes").into(),
    )
}
