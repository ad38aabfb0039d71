//! `vox-registry`: knows who is there.

fn main() {}
