//! What the log says of the registry itself, and of those who administer it.

use std::fmt;
use std::sync::Arc;

use vox_common::seal::identity::Identity;
use vox_common::sys::rights::Credentials;

/// What the registry is known by, for the log.
pub(super) struct Known<'a>(pub(super) &'a Option<Arc<Identity>>);

impl fmt::Display for Known<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = self.0.as_ref().map(|identity| identity.public().fingerprint());
        fingerprint.map_or(Ok(()), |fingerprint| write!(out, " fingerprint={fingerprint}"))
    }
}

/// On whose behalf something happens, for the log: nobody's, or an administrator's.
#[derive(Clone, Copy)]
pub(super) struct Author(pub(super) Option<Credentials>);

impl fmt::Display for Author {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |who| write!(out, " {who}"))
    }
}
