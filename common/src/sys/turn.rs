//! One letter at a time: a thread that reads a socket waits until its last letter was dealt with.

use std::ops::ControlFlow;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Lies in a letter. When it is dropped with it, whoever posted the letter may post another.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held to be dropped")] SyncSender<()>);

/// Posts what a reader of a socket has read, and waits until the owner has dealt with it: whoever floods us fills its own
/// socket, not the mailbox. `Break`: the owner has ended.
pub fn post_in_turn<M>(mailbox: &SyncSender<M>, letter: impl FnOnce(Turn) -> M) -> ControlFlow<()> {
    let (turn, dealt_with) = sync_channel(0);
    if mailbox.send(letter(Turn(turn))).is_err() {
        return ControlFlow::Break(());
    }
    let _ = dealt_with.recv();
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_one_letter_in_the_mailbox_at_a_time() {
        let (mailbox, letters) = sync_channel(16);
        let own = mailbox.clone();
        let flood = std::thread::spawn(move || while post_in_turn(&mailbox, Some).is_continue() {});
        for _ in 0..1_000 {
            let letter = letters.recv().unwrap();
            assert!(letter.is_some() && letters.try_recv().is_err());
            assert!(own.try_send(None).is_ok());
            assert!(letters.recv().unwrap().is_none());
            drop(letter);
        }
        drop(letters);
        flood.join().unwrap();
    }
}
