//! One descriptor for each connection: more than many systems allow unless one asks.

use log::warn;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use vox_common::wire::limits::MAX_CONNECTIONS;

use super::mail::MAILBOX;

/// Connections, those that wait in the mailbox to be told that there is no place, and what the registry holds besides:
/// programs of administrators, readers of the page, a log, a few files.
const WANTED: rlim_t = (MAX_CONNECTIONS + MAILBOX) as rlim_t + 128;

/// Raises the limit of open files as far as needed and allowed.
pub(super) fn raise() {
    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| match soft {
        soft if soft >= WANTED => Ok(soft),
        _ => setrlimit(Resource::RLIMIT_NOFILE, WANTED.min(hard), hard).map(|()| WANTED.min(hard)),
    });
    match allowed {
        Ok(allowed) if allowed >= WANTED => {}
        Ok(allowed) => warn!("Not all connections can be served, the limit of open files is {allowed}"),
        Err(error) => warn!("Cannot raise the limit of open files: {error}"),
    }
}
