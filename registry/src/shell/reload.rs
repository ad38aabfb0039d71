//! SIGHUP: the configuration is read again, and what cannot change while it runs is named.

use log::{error, info, warn};
use vox_common::sys::syslog::LogHandle;

use super::mail::Mail;
use super::page::Served;
use super::{Bounds, settings};
use crate::cli::Source;
use crate::config::{Config, Page};

/// What `main` needs to read the configuration again.
pub(super) struct Reloader<'a> {
    pub(super) source: Source,
    /// In force now.
    pub(super) config: Config,
    pub(super) bounds: Bounds,
    pub(super) page: Served,
    pub(super) log: &'a LogHandle,
}

impl Reloader<'_> {
    /// Reads it; a broken file changes nothing.
    pub(super) fn reload(&mut self) -> Mail {
        match self.source.load() {
            Ok(config) => {
                info!("Read the configuration again");
                self.take_over(config);
                Mail::Reloaded(Some(settings(&self.config, self.bounds)))
            }
            Err(error) => {
                error!("Keeping the old configuration: {error}");
                Mail::Reloaded(None)
            }
        }
    }

    fn take_over(&mut self, new: Config) {
        for key in fixed(&self.config, &new) {
            warn!("{key} keeps its old value until the registry is restarted");
        }
        self.log.set_level(new.log.level);
        self.page.rename(&new.page.hosts);
        let old = self.config.clone();
        let Config { listen, control_socket, state_directory, .. } = old;
        let page = Page { listen: old.page.listen, ..new.page };
        self.config = Config { listen, page, control_socket, state_directory, ..new };
    }
}

/// Keys that have changed and cannot while the registry runs.
fn fixed(old: &Config, new: &Config) -> impl Iterator<Item = &'static str> {
    let changed = [
        ("listen", old.listen != new.listen),
        ("control.socket", old.control_socket != new.control_socket),
        ("page.listen", old.page.listen != new.page.listen),
        ("state.directory", old.state_directory != new.state_directory),
        ("log.target", old.log.target != new.log.target),
    ];
    changed.into_iter().filter_map(|(key, changed)| changed.then_some(key))
}
