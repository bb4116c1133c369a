//! `duo-mfa` as an operator runs it: files in, standard output and an exit status out.

#![allow(clippy::disallowed_methods, reason = "cookies are made for the present time")]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::string_slice, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod around;
mod audit;
mod by_path;
mod capabilities;
mod clusters;
mod contained;
mod control_planes;
mod cookie;
mod corpus;
mod doctor;
mod documents;
mod explain;
mod explain_all;
mod faults;
mod files;
mod formats;
#[path = "../e2e/guide.rs"]
mod guide;
mod init;
mod messages;
mod native;
mod one_host;
mod pipes;
mod quoted;
mod readme;
mod redirects;
mod replies;
mod run;
mod schema;
mod second_lock;
mod secrets;
mod settings;
mod shared_cluster;
mod shipped;
mod universal;
mod warning_text;
mod warnings;
