//! The status page's requests: whatever a browser sends is read, waited for, or refused, and no more bytes make a request
//! of one that was refused.

use vox_registry::page::hosts::Hosts;
use vox_registry::page::request::Request;

/// What a client of the page sends.
pub fn holds(bytes: &[u8]) {
    let hosts = Hosts::new("box", &[]);
    let verdict = |bytes: &[u8]| Request::read(bytes, &hosts).map(|read| read.is_some());
    let whole = verdict(bytes);
    let half = verdict(&bytes[..bytes.len() / 2]);
    assert!(half.is_ok() || whole.is_err(), "refused at half, taken whole");
}
