//! The table: whether it is there, what is in it, and how it is made.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, ScalarAttributeType, TableDescription, TableStatus, Tag,
    TimeToLiveSpecification,
};
use daypass_core::store::items::engine::{EngineError, Key};

use super::items::{Attributes, PARTITION, SORT, TTL, attributes_of_key, number};
use super::trouble::{DynamoOpenError, Failure, Kind};
use super::{DynamoEngine, DynamoUrl};
use crate::opening::Open;

/// What this program knows, and what a program has to know to live with what it writes: a form that an older one can live with does not
/// raise it.
///
/// The first version is 2. A table of version 1 was written by a program of before the first release, in another form.
const VERSION: u64 = 2;
const VERSION_ATTRIBUTE: &str = "version";
/// The Region that writes it.
const WRITER: &str = "writer";

/// Between two looks at a table that is being made.
const LOOKING: Duration = Duration::from_millis(500);

/// What became of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// It was made.
    Made,
    /// It was there.
    WasThere,
}

/// Which Region writes a table from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenOver {
    /// That of the URL, as before.
    Before,
    /// That of the URL.
    Now {
        /// The one of before, if the table said which.
        from: Option<String>,
        /// The one of the URL.
        to: String,
    },
}

impl DynamoEngine {
    /// Makes the table, if it is not there: on demand, protected against deletion, what is over is deleted, and everything of the
    /// last 35 days can be restored.
    ///
    /// # Errors
    /// [`DynamoOpenError`]
    pub async fn create(url: &DynamoUrl) -> Result<TableState, DynamoOpenError> {
        let engine = Self::of(url).await?;
        let state = match engine.describe().await? {
            Some(_) => TableState::WasThere,
            None => engine.create_table().await?,
        };
        engine.wait_until_it_is_there().await?;
        engine.have_it_forget().await?;
        engine.have_it_restorable().await?;
        Ok(state)
    }

    async fn create_table(&self) -> Result<TableState, DynamoOpenError> {
        let attribute = |name| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::B).build().expect("it has both")
        };
        let part = |name, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("it has both")
        };
        let made = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .deletion_protection_enabled(true)
            .attribute_definitions(attribute(PARTITION))
            .attribute_definitions(attribute(SORT))
            .key_schema(part(PARTITION, KeyType::Hash))
            .key_schema(part(SORT, KeyType::Range))
            .tags(Tag::builder().key("application").value("daypass").build().expect("it has both"))
            .send()
            .await;
        match made {
            Ok(_) => Ok(TableState::Made),
            // Somebody else was quicker.
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(TableState::WasThere),
            Err(error) => Err(Failure::of(&self.place, &error).into()),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the table is made elsewhere, and takes its time")]
    async fn wait_until_it_is_there(&self) -> Result<(), DynamoOpenError> {
        loop {
            match self.describe().await? {
                Some(table) if table.table_status() == Some(&TableStatus::Active) => {
                    return self.check_form(&table);
                }
                _ => tokio::time::sleep(LOOKING).await,
            }
        }
    }

    async fn describe(&self) -> Result<Option<TableDescription>, DynamoOpenError> {
        match self.client.describe_table().table_name(&self.table).send().await {
            Ok(described) => Ok(described.table),
            Err(error) => match Failure::of(&self.place, &error) {
                Failure { kind: Kind::Missing, .. } => Ok(None),
                failure => Err(failure.into()),
            },
        }
    }

    fn check_form(&self, table: &TableDescription) -> Result<(), DynamoOpenError> {
        let key: Vec<&str> = table.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
        let is_binary =
            |attribute: &AttributeDefinition| attribute.attribute_type() == &ScalarAttributeType::B;
        if key == [PARTITION, SORT] && table.attribute_definitions().iter().all(is_binary) {
            return Ok(());
        }
        Err(DynamoOpenError::OtherForm { place: self.place.clone() })
    }

    async fn have_it_forget(&self) -> Result<(), DynamoOpenError> {
        let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL).build();
        let wanted = wanted.expect("it has both");
        let set =
            self.client.update_time_to_live().table_name(&self.table).time_to_live_specification(wanted);
        match set.send().await {
            // It says so already.
            Err(error) if error.code() != Some("ValidationException") => {
                Err(Failure::of(&self.place, &error).into())
            }
            _ => Ok(()),
        }
    }

    async fn have_it_restorable(&self) -> Result<(), DynamoOpenError> {
        let wanted = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
        let set = self
            .client
            .update_continuous_backups()
            .table_name(&self.table)
            .point_in_time_recovery_specification(wanted.expect("it has it"));
        match set.send().await {
            // An emulator has none.
            Err(error) if error.code() != Some("UnknownOperationException") => {
                Err(Failure::of(&self.place, &error).into())
            }
            _ => Ok(()),
        }
    }

    /// Sees that what is in the table is what this program knows, and written in this Region. A new one is both from then on.
    pub(super) async fn check(&self, open: Open) -> Result<(), DynamoOpenError> {
        let mut found = self.mark().await?;
        if open == Open::OrMake && found.as_ref().is_none_or(|mark| mark.writer.is_none()) {
            self.write_mark(found.as_ref()).await?;
            found = self.mark().await?;
        }
        let mark = found.ok_or_else(|| DynamoOpenError::Empty { place: self.place.clone() })?;
        // Whoever only looks may look at a table of a former Daypass.
        if open == Open::AsItIs && mark.writer.is_none() {
            return Err(DynamoOpenError::NoRegion { place: self.place.clone() });
        }
        self.writer.learn(mark.writer.as_deref());
        self.writer.check(&self.place)
    }

    /// Has this Region be the one that writes.
    pub(super) async fn have_it_written_here(&self) -> Result<TakenOver, DynamoOpenError> {
        let found = self.mark().await?.ok_or_else(|| DynamoOpenError::Empty { place: self.place.clone() })?;
        if found.writer.as_deref() == Some(self.writer.here()) {
            return Ok(TakenOver::Before);
        }
        self.write_mark(Some(&found)).await?;
        // Somebody else may have been quicker.
        self.check(Open::Existing).await?;
        Ok(TakenOver::Now { from: found.writer, to: self.writer.here().to_owned() })
    }

    /// Looks which Region writes by now.
    pub(super) async fn look_for_the_writer(&self) -> Result<Option<String>, EngineError> {
        let asked = self.ask_for_the_mark().await;
        let found = asked.map_err(|error| Failure::of(&self.place, &error).of_reading())?;
        let mark =
            self.mark_in(found)?.ok_or_else(|| DynamoOpenError::Empty { place: self.place.clone() })?;
        Ok(mark.writer)
    }

    async fn ask_for_the_mark(&self) -> Result<GetItemOutput, SdkError<GetItemError>> {
        let key = Some(attributes_of_key(&mark_key()));
        self.client.get_item().table_name(&self.table).set_key(key).consistent_read(true).send().await
    }

    /// What the table says of itself, of the version that this program knows.
    async fn mark(&self) -> Result<Option<Mark>, DynamoOpenError> {
        let asked = self.ask_for_the_mark().await;
        let found = asked.map_err(|error| match Failure::of(&self.place, &error) {
            Failure { kind: Kind::Missing, .. } => DynamoOpenError::NotThere { place: self.place.clone() },
            // A key of another form is refused.
            _ if error.code() == Some("ValidationException") => {
                DynamoOpenError::OtherForm { place: self.place.clone() }
            }
            failure => failure.into(),
        })?;
        self.mark_in(found)
    }

    fn mark_in(&self, found: GetItemOutput) -> Result<Option<Mark>, DynamoOpenError> {
        let Some(mut item) = found.item else { return Ok(None) };
        let writer = match item.remove(WRITER) {
            Some(AttributeValue::S(writer)) => Some(writer),
            _ => None,
        };
        match item.remove(VERSION_ATTRIBUTE) {
            Some(AttributeValue::N(version)) if version == VERSION.to_string() => Ok(Some(Mark { writer })),
            Some(AttributeValue::N(found)) if found == "1" => {
                Err(DynamoOpenError::Unreleased { place: self.place.clone() })
            }
            Some(AttributeValue::N(found)) => {
                Err(DynamoOpenError::OtherVersion { place: self.place.clone(), found, known: VERSION })
            }
            _ => Ok(None),
        }
    }

    /// Writes what is so from here on, unless the mark is no longer what was read.
    async fn write_mark(&self, read: Option<&Mark>) -> Result<(), DynamoOpenError> {
        let mut item = attributes_of_key(&mark_key());
        item.insert(VERSION_ATTRIBUTE.to_owned(), number(VERSION));
        item.insert(WRITER.to_owned(), AttributeValue::S(self.writer.here().to_owned()));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(p)"),
            Some(Mark { writer }) => {
                let put = put
                    .expression_attribute_names("#v", VERSION_ATTRIBUTE)
                    .expression_attribute_names("#w", WRITER)
                    .expression_attribute_values(":v", number(VERSION));
                match writer {
                    None => put.condition_expression("#v = :v AND attribute_not_exists(#w)"),
                    Some(writer) => put
                        .condition_expression("#v = :v AND #w = :w")
                        .expression_attribute_values(":w", AttributeValue::S(writer.clone())),
                }
            }
        };
        match put.send().await {
            // Somebody else was quicker.
            Err(error) if error.code() != Some("ConditionalCheckFailedException") => {
                Err(Failure::of(&self.place, &error).into())
            }
            _ => Ok(()),
        }
    }
}

/// What says that the table is a store.
struct Mark {
    /// The Region that writes it. A table of a former Daypass does not say.
    writer: Option<String>,
}

/// Whether this is no item, but what says that the table is a store.
pub(super) fn is_mark(attributes: &Attributes) -> bool {
    attributes.contains_key(VERSION_ATTRIBUTE)
}

fn mark_key() -> Key {
    Key { partition: b"daypass".to_vec(), sort: Vec::new() }
}
