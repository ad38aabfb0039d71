//! The status page: a door, a bell, and a thread of its own.

mod bell;
mod client;
mod door;
mod server;
mod sight;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use log::{info, warn};
use vox_common::sys::config::reason;
use vox_common::sys::{net, thread};

pub(super) use bell::Bell;
use door::Door;
use server::Server;
use sight::Sight;

use super::mail::Mail;
use crate::config::Page;
use crate::page::hosts::{HostName, Hosts};

/// The other end of a page that is served, or of none.
#[derive(Debug, Clone)]
pub(super) struct Served(Option<(SyncSender<Hosts>, Arc<Bell>)>);

/// Serves the page, if one is wanted and its address can be had: nobody goes without a registry for want of a page.
pub(super) fn serve(page: &Page, bell: &Arc<Bell>, owner: &SyncSender<Mail>) -> Served {
    let Some(address) = page.listen else { return Served(None) };
    match start(address, page, bell, owner) {
        Ok(served) => served,
        Err(error) => {
            warn!("No status page, cannot listen on {address}: {}", reason(&error));
            Served(None)
        }
    }
}

fn start(address: SocketAddr, page: &Page, bell: &Arc<Bell>, owner: &SyncSender<Mail>) -> io::Result<Served> {
    let listener = net::listen_tcp(address)?;
    let address = listener.local_addr()?;
    let (rename, renamed) = sync_channel(1);
    let (door, sight) = (Door::new(listener)?, Sight::new(owner.clone()));
    let server = Server::new(door, hosts(&page.hosts), renamed, bell.clone(), sight);
    thread::spawn("page", move || server.run())?;
    info!("status page is at http://{address}/");
    Ok(Served(Some((rename, bell.clone()))))
}

impl Served {
    /// The configuration was read again: the page has these names from now on.
    pub(super) fn rename(&self, listed: &[HostName]) {
        if let Some((rename, bell)) = &self.0 {
            let _ = rename.send(hosts(listed));
            bell.ring();
        }
    }
}

fn hosts(listed: &[HostName]) -> Hosts {
    let machine = nix::unistd::gethostname().unwrap_or_default();
    Hosts::new(&machine.to_string_lossy(), listed)
}
