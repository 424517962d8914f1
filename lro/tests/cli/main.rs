//! `lro` as a person or a script uses it: the program itself, against a server on loopback.

mod calls;
mod codes;
mod connection;
mod default_signals;
mod dry_run;
mod extended;
mod guides;
mod help;
mod kit;
mod looks;
mod names;
mod network;
mod options;
#[cfg(unix)]
mod readme;
mod secrets;
mod secure;
mod serve;
#[cfg(target_os = "linux")]
mod signals;
mod start;
#[cfg(unix)]
mod terminal;
mod tested;
#[cfg(unix)]
mod tmux;
mod trouble;
mod typing;
#[cfg(target_os = "linux")]
mod unwritten;
mod wait;
