//! What operators do with an installation, whoever asks for it: the terminal today. Arguments and answers are plain
//! values, an error says what it means and leaves the words to whoever shows it, and whatever changes something records
//! it. It uses [`credentials`](crate::credentials) and what is below.

pub mod events;
pub mod identities;
pub mod people;
pub mod pools;
pub mod restoration;
pub mod revocation;
