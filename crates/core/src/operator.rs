//! What operators do with a whole installation, whoever asks for it: the terminal today. It uses
//! [`credentials`](crate::credentials) and what is below.

pub mod restoration;
