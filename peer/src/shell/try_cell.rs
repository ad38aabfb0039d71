//! A thing that several threads may use, one at a time, none of which ever waits for it.

use std::sync::Mutex;

/// Holds a `T` for whoever comes first. Taking it is one compare-and-exchange; whoever does not get it goes on
/// without, so no thread can be held up by one of lower priority.
#[derive(Debug, Default)]
pub(crate) struct TryCell<T>(Mutex<T>);

impl<T> TryCell<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self(Mutex::new(inner))
    }

    /// Lets `work` have it. `None`: another thread has it just now.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_lock().ok().map(|mut inner| work(&mut inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_second_goes_on_without() {
        let cell = TryCell::new(1);
        let inside = cell.with(|first| {
            *first += 1;
            cell.with(|_| ())
        });
        assert_eq!(inside, Some(None));
        assert_eq!(cell.with(|value| *value), Some(2));
    }
}
