//! `vox-peer`: carries calls from peer to peer.

fn main() {}
