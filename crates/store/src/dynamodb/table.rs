//! The table: whether it is there, what is in it, and how it is made.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, ScalarAttributeType, TableDescription, TableStatus, Tag,
    TimeToLiveSpecification,
};
use daypass_core::store::items::engine::Key;

use super::items::{Attributes, PARTITION, SORT, TTL, attributes_of_key, number};
use super::trouble::{DynamoOpenError, Failure, Kind};
use super::{DynamoEngine, DynamoUrl};
use crate::opening::Open;

/// What this program knows, and what a program has to know to live with what it writes: a form that an older one can live with does not
/// raise it.
const VERSION: u64 = 1;
const VERSION_ATTRIBUTE: &str = "version";

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

impl DynamoEngine {
    /// Makes the table, if it is not there: on demand, protected against deletion, what is over is deleted, and everything of the
    /// last 35 days can be restored.
    ///
    /// # Errors
    /// [`DynamoOpenError`]
    pub async fn create(url: &DynamoUrl) -> Result<TableState, DynamoOpenError> {
        let engine = Self::of(url).await;
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

    /// Sees that what is in the table is what this program knows. A new one is a store of it from then on.
    pub(super) async fn check_version(&self, open: Open) -> Result<(), DynamoOpenError> {
        let found = self.version().await?;
        let found = match (found, open) {
            (None, Open::OrMake) => {
                self.write_version().await?;
                self.version().await?
            }
            (found, _) => found,
        };
        match found {
            None => Err(DynamoOpenError::Empty { place: self.place.clone() }),
            Some(found) if found == VERSION.to_string() => Ok(()),
            Some(found) => {
                Err(DynamoOpenError::OtherVersion { place: self.place.clone(), found, known: VERSION })
            }
        }
    }

    async fn version(&self) -> Result<Option<String>, DynamoOpenError> {
        let key = Some(attributes_of_key(&version_key()));
        let asked =
            self.client.get_item().table_name(&self.table).set_key(key).consistent_read(true).send().await;
        let found = asked.map_err(|error| match Failure::of(&self.place, &error) {
            Failure { kind: Kind::Missing, .. } => DynamoOpenError::NotThere { place: self.place.clone() },
            // A key of another form is refused.
            _ if error.code() == Some("ValidationException") => {
                DynamoOpenError::OtherForm { place: self.place.clone() }
            }
            failure => failure.into(),
        })?;
        Ok(found.item.and_then(|mut item| match item.remove(VERSION_ATTRIBUTE) {
            Some(AttributeValue::N(version)) => Some(version),
            _ => None,
        }))
    }

    async fn write_version(&self) -> Result<(), DynamoOpenError> {
        let mut item = attributes_of_key(&version_key());
        item.insert(VERSION_ATTRIBUTE.to_owned(), number(VERSION));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(p)");
        match put.send().await {
            // Somebody else was quicker.
            Err(error) if error.code() != Some("ConditionalCheckFailedException") => {
                Err(Failure::of(&self.place, &error).into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether this is no item, but what says that the table is a store.
pub(super) fn is_version(attributes: &Attributes) -> bool {
    attributes.contains_key(VERSION_ATTRIBUTE)
}

fn version_key() -> Key {
    Key { partition: b"daypass".to_vec(), sort: Vec::new() }
}
