//! Guarded changes as DynamoDB has them: a condition beside each write.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, DeleteRequest, Put, PutRequest, TransactWriteItem, WriteRequest,
};
use daypass_core::store::items::engine::{Change, Effect, Guard, Stamp};

use super::items::{Attributes, PARTITION, STAMP, attributes_of, attributes_of_key, number};
use super::trouble::Told;

/// What has to be so.
struct Condition {
    expression: &'static str,
    name: &'static str,
    stamp: Option<Stamp>,
}

impl Condition {
    fn of(guard: Guard) -> Option<Self> {
        match guard {
            Guard::Absent => {
                Some(Self { expression: "attribute_not_exists(#n)", name: PARTITION, stamp: None })
            }
            Guard::Is(stamp) => Some(Self { expression: "#n = :n", name: STAMP, stamp: Some(stamp) }),
            Guard::Any => None,
        }
    }
}

/// Adds a condition to whatever has the setters for one.
macro_rules! under {
    ($request:expr, $guard:expr) => {{
        let mut request = $request;
        if let Some(Condition { expression, name, stamp }) = Condition::of($guard) {
            request = request.condition_expression(expression).expression_attribute_names("#n", name);
            if let Some(Stamp(stamp)) = stamp {
                request = request.expression_attribute_values(":n", number(stamp));
            }
        }
        request
    }};
}

/// A change to one item alone.
pub(super) enum Write {
    Put(OnePut),
    Delete(OneDelete),
}

pub(super) struct OnePut(Attributes, Guard);
pub(super) struct OneDelete(Attributes, Guard);

/// What becomes of an item. That nothing does is asked elsewhere.
pub(super) fn write(stamp: Stamp, change: &Change) -> Write {
    match &change.effect {
        Effect::Put { content, forgotten_at } => {
            Write::Put(OnePut(attributes_of(&change.key, stamp, content, *forgotten_at), change.guard))
        }
        Effect::Delete | Effect::Nothing => {
            Write::Delete(OneDelete(attributes_of_key(&change.key), change.guard))
        }
    }
}

impl OnePut {
    pub(super) async fn send_by(self, client: &Client, table: &str) -> Result<(), Told> {
        let put = client.put_item().table_name(table).set_item(Some(self.0));
        told(under!(put, self.1).send().await)
    }
}

impl OneDelete {
    pub(super) async fn send_by(self, client: &Client, table: &str) -> Result<(), Told> {
        let delete = client.delete_item().table_name(table).set_key(Some(self.0));
        told(under!(delete, self.1).send().await)
    }
}

fn told<T, E>(sent: Result<T, SdkError<E>>) -> Result<(), Told>
where
    E: std::error::Error + aws_sdk_dynamodb::error::ProvideErrorMetadata + Send + Sync + 'static,
{
    sent.map(drop).map_err(|error| Told::of(&error))
}

/// A change that rests on nothing, among others that are made each by itself: there a condition has no place.
pub(super) fn in_batch(stamp: Stamp, change: &Change) -> Result<WriteRequest, BuildError> {
    if change.guard != Guard::Any {
        return Err(BuildError::other("a change in a batch is guarded by nothing"));
    }
    let request = WriteRequest::builder();
    Ok(match &change.effect {
        Effect::Put { content, forgotten_at } => {
            let attributes = attributes_of(&change.key, stamp, content, *forgotten_at);
            request.put_request(PutRequest::builder().set_item(Some(attributes)).build()?)
        }
        Effect::Delete | Effect::Nothing => {
            let key = Some(attributes_of_key(&change.key));
            request.delete_request(DeleteRequest::builder().set_key(key).build()?)
        }
    }
    .build())
}

/// Changes to several items.
pub(super) fn transaction(
    stamp: Stamp,
    changes: &[&Change],
    table: &str,
) -> Result<Vec<TransactWriteItem>, BuildError> {
    changes.iter().map(|change| in_transaction(stamp, change, table)).collect()
}

fn in_transaction(stamp: Stamp, change: &Change, table: &str) -> Result<TransactWriteItem, BuildError> {
    let item = TransactWriteItem::builder();
    let key = || Some(attributes_of_key(&change.key));
    Ok(match &change.effect {
        Effect::Put { content, forgotten_at } => {
            let attributes = attributes_of(&change.key, stamp, content, *forgotten_at);
            let put = Put::builder().table_name(table).set_item(Some(attributes));
            item.put(under!(put, change.guard).build()?)
        }
        Effect::Delete => {
            let delete = Delete::builder().table_name(table).set_key(key());
            item.delete(under!(delete, change.guard).build()?)
        }
        Effect::Nothing => {
            let check = ConditionCheck::builder().table_name(table).set_key(key());
            item.condition_check(under!(check, change.guard).build()?)
        }
    }
    .build())
}
