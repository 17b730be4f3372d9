//! `daypass pool` as a user runs it: the real program, against running servers and their databases.

mod copy;
mod daypass;
mod faults;
mod transfer;
