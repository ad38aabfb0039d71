//! The administrators' socket: `admin` accepts, an `admin-N` reads for each program, and the owner answers.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use log::{error, warn};
use vox_common::sys::clients::Clients;
use vox_common::sys::lines::{Line, read_lines};
use vox_common::sys::thread;
use vox_common::sys::turn::post_in_turn;
use vox_common::sys::unix::{ControlError, ControlListener, listen_control};
use vox_common::wire::limits::MAX_ADMINS;

use super::door::deliver;
use super::mail::{Mail, Said};
use crate::core::AdminId;

/// The people who may administer.
const GROUP: &str = "vox-admin";

/// The programs of administrators.
pub(super) type Admins = Clients<MAX_ADMINS>;

/// Opens the socket. A registry that cannot have one (an ordinary user's, by hand) serves without, which it says.
///
/// # Errors
/// Another registry answers there: whoever starts a second one has to know.
pub(super) fn open(path: &Path) -> Result<Option<ControlListener>, String> {
    match listen_control(path, Some(GROUP)) {
        Ok(listener) => Ok(Some(listener)),
        Err(taken @ ControlError::Taken(_)) => Err(format!("{taken}, choose another control.socket")),
        Err(error) => {
            warn!("Nobody can administer this registry: {error}");
            Ok(None)
        }
    }
}

/// Starts the thread that accepts.
pub(super) fn start(listener: ControlListener, post: SyncSender<Mail>) -> io::Result<()> {
    let work = move || {
        if let Err(error) = listener.admit_each(|stream| deliver(&post, Mail::AdminCame(stream))) {
            error!("The control socket is lost: {error}");
        }
    };
    thread::spawn("admin", work).map(drop)
}

/// Gives a program a place and a reader, whose last word frees the place.
pub(super) fn admit(admins: &mut Admins, stream: UnixStream, post: &SyncSender<Mail>) {
    let post = post.clone();
    admins.admit(stream, "admin", move |place, stream| {
        let admin = AdminId(place);
        let said = |line: Line<'_>| {
            let said = Said::from(line);
            post_in_turn(&post, |turn| Mail::AdminSaid(admin, said, turn))
        };
        let _ = read_lines(stream, said);
        let _ = deliver(&post, Mail::AdminGone(admin));
    });
}

/// The answer to somebody who wanted something changed, once the disk has spoken.
pub(super) fn answer(done: &str, kept: Result<(), &str>) -> String {
    match kept {
        Ok(()) => done.to_owned(),
        Err(sentence) => format!("500 done, but not for longer than this registry runs: {sentence}\n"),
    }
}
