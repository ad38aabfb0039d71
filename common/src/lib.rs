//! What both vox daemons speak (`wire`, `seal`) and stand on (`sys`, `rate_limit`), and what their command lines are made of (`cli`).

pub mod cli;
pub mod rate_limit;
pub mod seal;
pub mod sys;
pub mod wire;
