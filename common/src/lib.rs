//! What both vox daemons speak (`wire`) and stand on (`sys`).

pub mod sys;
pub mod wire;
