//! Bringing a store to the version that this program knows, apart from a start.

use crate::dynamodb::DynamoEngine;
use crate::opening::Open;
use crate::postgres::PostgresEngine;
use crate::sqlite;
use crate::url::{OpenError, StoreUrl, open};

/// What [`migrate`] would do, step by step. Nothing is done.
///
/// # Errors
/// [`OpenError`], also of a store that this program is too old for
pub async fn steps_due(url: &StoreUrl) -> Result<Vec<String>, OpenError> {
    Ok(match url {
        StoreUrl::Sqlite(file) => {
            sqlite::versions_due(file)?.map(|version| format!("version {version}")).collect()
        }
        StoreUrl::Postgres(url) => PostgresEngine::steps_due(url).await?,
        StoreUrl::Dynamo(url) => DynamoEngine::steps_due(url).await?,
        StoreUrl::Memory => return Err(OpenError::InMemory),
    })
}

/// Brings a store to the version that this program knows, and makes it if it is not there, but for a table of DynamoDB's. Says in how many
/// steps, each of which `tell` hears before. `progress` hears how many events of an older audit trail are taken over, and of how many.
///
/// # Errors
/// [`OpenError`]
pub async fn migrate(
    url: &StoreUrl,
    tell: &mut (dyn FnMut(&str) + Send),
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<usize, OpenError> {
    // Others may make them at the same time: whoever makes them tells.
    if let StoreUrl::Postgres(url) = url {
        return Ok(PostgresEngine::migrate(url, tell).await?);
    }
    let steps = steps_due(url).await?;
    for step in &steps {
        tell(step);
    }
    if !steps.is_empty() {
        drop(open(url, Open::OrMake, progress).await?);
    }
    Ok(steps.len())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    async fn told(url: &StoreUrl) -> Vec<String> {
        let mut told = Vec::new();
        let made = migrate(url, &mut |step| told.push(step.to_owned()), &mut |_, _| {}).await.unwrap();
        assert_eq!(made, told.len());
        told
    }

    async fn refused(url: &StoreUrl) -> String {
        open(url, Open::AsItIs, &mut |_, _| {}).await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_file_is_made_by_whoever_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("daypass.db");
        let url = StoreUrl::Sqlite(file.clone());
        let due = steps_due(&url).await.unwrap();
        assert_eq!(due[0], "version 1");
        let told_to_nobody = refused(&url).await;
        assert!(told_to_nobody.contains("`daypass migrate -c FILE`, which makes it"), "{told_to_nobody}");
        assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none());
        assert_eq!(told(&url).await, due);
        assert_eq!((steps_due(&url).await.unwrap(), told(&url).await), (vec![], vec![]));
        open(&url, Open::AsItIs, &mut |_, _| {}).await.unwrap();
    }

    #[tokio::test]
    async fn an_older_file_is_brought_to_this_version_by_whoever_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("daypass.db");
        let url = StoreUrl::Sqlite(file.clone());
        let known = told(&url).await.len();
        // What the last version changed of a file that nobody is in, it can change once more.
        let undo = format!("PRAGMA user_version = {}", known - 1);
        Connection::open(&file).unwrap().execute_batch(&undo).unwrap();
        let told_to_nobody = refused(&url).await;
        let expected = format!(
            "has version {}, and this Daypass needs version {known}: `daypass migrate -c FILE`",
            known - 1
        );
        assert!(told_to_nobody.contains(&expected), "{told_to_nobody}");
        let due = vec![format!("version {known}")];
        assert_eq!(steps_due(&url).await.unwrap(), due);
        let version = "SELECT user_version FROM pragma_user_version";
        let version = Connection::open(&file).unwrap().query_one(version, [], |row| row.get::<_, i64>(0));
        assert_eq!(usize::try_from(version.unwrap()).unwrap(), known - 1);
        assert_eq!(told(&url).await, due);
        open(&url, Open::AsItIs, &mut |_, _| {}).await.unwrap();
    }
}
