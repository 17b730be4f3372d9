//! The roles that were made, in their file. A change is written, and then taken up with the whole configuration; if that fails,
//! the file is as it was.

use daypass_server::installation::home::Home;
use daypass_server::installation::made_roles::{self, MadeRoles};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::error::IamError;

/// Whoever wants the configuration taken up anew, and hears what came of it.
pub type TakeUp = oneshot::Sender<Result<(), String>>;

/// The file, and the way to whoever takes it up. One change is made at a time.
pub struct Book {
    dir: std::path::PathBuf,
    take_up: mpsc::Sender<TakeUp>,
    one_at_a_time: Mutex<()>,
}

impl Book {
    /// That of a directory, and who hears of the wish to have it taken up.
    #[must_use]
    pub fn new(home: &Home) -> (Self, mpsc::Receiver<TakeUp>) {
        let (take_up, wishes) = mpsc::channel(1);
        (Self { dir: home.dir().to_owned(), take_up, one_at_a_time: Mutex::default() }, wishes)
    }

    pub(super) fn read(&self) -> Result<MadeRoles, IamError> {
        made_roles::read(&self.dir).map_err(|error| IamError::Failed(error.to_string()))
    }

    /// Changes the roles, all of it or nothing, and answers what the change says.
    pub(super) async fn change<T>(
        &self,
        change: impl FnOnce(&mut MadeRoles) -> Result<T, IamError>,
    ) -> Result<T, IamError> {
        let _alone = self.one_at_a_time.lock().await;
        let before = self.read()?;
        let mut roles = before.clone();
        let answer = change(&mut roles)?;
        self.write(&roles)?;
        if let Err(why) = self.taken_up().await {
            self.write(&before)?;
            return Err(IamError::Failed(why));
        }
        Ok(answer)
    }

    fn write(&self, roles: &MadeRoles) -> Result<(), IamError> {
        made_roles::write(&self.dir, roles).map_err(|error| IamError::Failed(format!("{error:#}")))
    }

    async fn taken_up(&self) -> Result<(), String> {
        let (tell, told) = oneshot::channel();
        let stopping = || "the server is stopping".to_owned();
        self.take_up.send(tell).await.map_err(|_| stopping())?;
        told.await.map_err(|_| stopping())?
    }
}
