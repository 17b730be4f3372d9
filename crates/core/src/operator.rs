//! What operators do with an installation, whoever asks for it: the terminal today. Arguments and answers are plain
//! values, an error says what it means and leaves the words to whoever shows it, and whatever changes something records
//! it. It uses [`credentials`](crate::credentials) and what is below.

pub mod copying;
pub mod events;
pub mod identities;
pub mod master_keys;
pub mod people;
pub mod pools;
pub mod restoration;
pub mod revocation;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditSubject;
    use crate::ground::ids::IdentityPoolId;
    use crate::store::SharedStore;
    use crate::store::memory::MemoryStore;

    fn assert_is_send(_: &impl Send) {}

    /// A server answers on any of its threads, of a store of which it knows no more than that it is one.
    #[test]
    fn whatever_is_asked_can_be_asked_by_a_server() {
        let store: SharedStore = std::sync::Arc::new(MemoryStore::new());
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let about = AuditSubject::DeveloperUser("ada".into());
        assert_is_send(&people::find(&*store, &about, 1));
        assert_is_send(&events::list(&*store, &about, 1, None));
        assert_is_send(&pools::list(&*store, 1, None));
        assert_is_send(&pools::show(&*store, &pool_id));
        assert_is_send(&identities::list(&*store, &pool_id, 1, None));
    }
}
