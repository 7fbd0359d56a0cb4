//! What is remembered of repositories, in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::RepositoryName;
use selfext_domain::ports::{LedgerError, Repositories};

use super::SqliteDatabase;
use super::database::to_its_end;
use super::errors::cut_off;
use super::transaction::Writing;

/// What is remembered of repositories, in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteRepositories {
    database: Arc<SqliteDatabase>,
}

impl SqliteRepositories {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Repositories for SqliteRepositories {
    async fn remember(&self, forge: &str, repository: &RepositoryName, number: u64) -> Result<u64, LedgerError> {
        let (database, forge) = (Arc::clone(&self.database), forge.to_owned());
        let name = repository.as_str().to_ascii_lowercase();
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            if let Some(number) = writing.repository(&forge, &name).await? {
                return Ok(number);
            }
            writing.remember_repository(&forge, &name, number).await?;
            writing.commit().await?;
            Ok(number)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }
}
