//! The server from outside: over TCP, as a process, and as connections without sockets.
//!
//! Nothing here knows the law: what a reply should be is read off the page, or the transcript.

#[macro_use]
mod common;
mod administration;
mod auth;
mod binary;
mod classic;
mod clock;
mod config;
mod expiry;
mod exporter;
mod limits;
mod listeners;
mod meta;
mod metrics;
mod operator;
mod options;
#[cfg(target_os = "linux")]
mod process_limits;
mod restarts;
mod segmentation;
mod service;
mod snapshots;
mod store;
mod tls;
mod udp;
mod unix;
mod watch;
