//! What a card's errors mean to people.

use cpal::{Error, ErrorKind};

/// The reason, and what to do about it, in a few words.
pub(super) fn why(error: &Error) -> String {
    match error.kind() {
        ErrorKind::DeviceBusy => "it is in use".to_owned(),
        ErrorKind::DeviceNotAvailable => "it is not there".to_owned(),
        ErrorKind::PermissionDenied => "it may not be used: is this user in the group audio?".to_owned(),
        ErrorKind::Xrun => "it runs dry again and again".to_owned(),
        _ => error.to_string().trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_few_words() {
        assert_eq!(why(&ErrorKind::DeviceBusy.into()), "it is in use");
        assert!(!why(&ErrorKind::UnsupportedConfig.into()).ends_with('.'));
    }
}
