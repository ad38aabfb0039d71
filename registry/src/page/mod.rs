//! PURE: the page in the browser, from the bytes of a request and an overview of the registry to the bytes of an
//! answer. No socket, no thread, no clock.

pub mod answer;
mod escape;
mod fault;
pub mod hosts;
mod html;
mod json;
mod metrics;
pub mod request;
mod resource;
mod snapshot;

pub use answer::{answer, frame, opening};
pub use fault::Fault;
pub use resource::Resource;
pub use snapshot::Snapshot;
