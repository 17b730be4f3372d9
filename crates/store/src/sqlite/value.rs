//! How values of the domain lie in columns. Whatever cannot be read back is a conversion error of
//! rusqlite's, which `sqlite.rs` reports as a corrupt record.

use std::borrow::Borrow;

use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::IdentityId;
use daypass_core::store::packed::{packed, unpacked};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::value::{Error as SerdeError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

/// An identifier or a unit variant, as the text that serde gives it.
pub(super) struct Text<T>(pub(super) T);

impl<T: DeserializeOwned> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text: StrDeserializer<'_, SerdeError> = value.as_str()?.into_deserializer();
        T::deserialize(text).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match serde_json::to_value(&self.0) {
            Ok(serde_json::Value::String(text)) => Ok(text.into()),
            Ok(_) => Err(conversion_failure("not a text".into())),
            Err(error) => Err(conversion_failure(error.into())),
        }
    }
}

/// The ID of an identity, as it stands in each of their rows: in few bytes.
pub(super) struct Packed<T>(pub(super) T);

impl FromSql for Packed<IdentityId> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = unpacked(value.as_blob()?).map_err(FromSqlError::other)?;
        IdentityId::parse(text).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Borrow<IdentityId>> ToSql for Packed<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(packed(self.0.borrow().as_str()).into())
    }
}

/// A structure that is only ever read and written whole.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0).map(Into::into).map_err(|error| conversion_failure(error.into()))
    }
}

fn conversion_failure(reason: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(reason)
}

/// An instant to the millisecond: every instant of the calendar fits into the column.
pub(super) struct Instant(pub(super) Timestamp);

impl Instant {
    /// `instant`, or the next whole millisecond if it lies between two.
    pub(super) fn not_before(instant: Timestamp) -> Self {
        let almost_one_more = SignedDuration::from_nanos(999_999);
        Self(instant.saturating_add(almost_one_more).unwrap_or(instant))
    }
}

impl FromSql for Instant {
    /// By seconds and the rest, because jiff takes no count of milliseconds for the calendar's last second.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let milliseconds = value.as_i64()?;
        let nanoseconds =
            i32::try_from(milliseconds.rem_euclid(1000) * 1_000_000).map_err(FromSqlError::other)?;
        Timestamp::new(milliseconds.div_euclid(1000), nanoseconds).map(Self).map_err(FromSqlError::other)
    }
}

impl ToSql for Instant {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millisecond().into())
    }
}

/// A count as SQLite writes it. More than it can hold is as good as all there are.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
