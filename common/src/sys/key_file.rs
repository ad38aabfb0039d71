//! The key file: the secret half of an identity, made at the first start and never again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::config::ConfigError;
use super::{private, random};
use crate::seal::identity::Identity;
use crate::wire::keys::KEY_BYTES;

/// Its name in the state directory.
pub const NAME: &str = "key";

/// A key, and the end of its line.
const FILE_BYTES: usize = KEY_BYTES + 2;

/// Why there is no identity.
#[derive(Debug)]
pub enum KeyError {
    /// Something is wrong with the file that is there: it is not readable, others than its owner may read or write it, or
    /// it holds no key.
    Wrong(ConfigError),
    /// There is none, and none can be made.
    NotMade(io::Error),
}

impl From<ConfigError> for KeyError {
    fn from(error: ConfigError) -> Self {
        Self::Wrong(error)
    }
}

/// The identity whose key is in this directory, which need not be writable; makes one where there is none.
///
/// # Errors
/// [`KeyError`]
pub fn load_or_make(directory: &Path) -> Result<Identity, KeyError> {
    let path = directory.join(NAME);
    if let Some(identity) = load(&path)? {
        return Ok(identity);
    }
    make(&path).map_err(KeyError::NotMade)?;
    // Whoever was quicker than us has made the one that counts.
    let made = load(&path)?;
    Ok(made.ok_or_else(|| ConfigError::new(format!("the key file {} is gone again", path.display())))?)
}

/// The identity in this key file. `None`: there is no such file.
///
/// # Errors
/// As for [`load_or_make`].
pub fn load(path: &Path) -> Result<Option<Identity>, ConfigError> {
    let Some(bytes) = private::read(path, "key", FILE_BYTES)? else { return Ok(None) };
    Identity::parse(bytes.trim_ascii()).map(Some).ok_or_else(|| {
        let (path, why) =
            (path.display(), "is no key: move it away, and a new one is made, which others must accept");
        ConfigError::new(format!("the key file {path} {why}"))
    })
}

/// Written aside and linked into place: never half, and never in place of one that is there.
fn make(path: &Path) -> io::Result<()> {
    let identity = Identity::new(*random::secret());
    let line = Zeroizing::new(format!("{}\n", *identity.written()));
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let linked = write(&aside, line.as_bytes()).and_then(|()| match fs::hard_link(&aside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let _ = fs::remove_file(&aside);
    linked?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("vox-key-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        place
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let place = place("made");
        let first = load_or_make(&place).unwrap();
        let again = load_or_make(&place).unwrap();
        assert_eq!(first.public(), again.public());
        assert_eq!(fs::metadata(place.join(NAME)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_key_file_is_told_and_nothing_is_overwritten() {
        let place = place("wrong");
        let path = place.join(NAME);
        let told = |bytes: &str, mode| {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let Err(KeyError::Wrong(error)) = load_or_make(&place) else { panic!("{bytes:?} is no key") };
            let error = error.to_string();
            assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
            error.replace(path.to_str().unwrap(), "FILE")
        };
        let wide = "the key file FILE has mode 0640, but must have mode 0600: try chmod 600";
        let none =
            "the key file FILE is no key: move it away, and a new one is made, which others must accept";
        let key = Identity::new([1; 32]).written();
        assert_eq!(told(&key, 0o640), wide);
        for bytes in ["", "short", &format!("{}{}", *key, *key)] {
            assert_eq!(told(bytes, 0o600), none);
        }
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_directory_without_room_for_a_key_is_told() {
        let made = load_or_make(Path::new("/nonexistent/state"));
        assert!(matches!(made, Err(KeyError::NotMade(error)) if error.kind() == io::ErrorKind::NotFound));
    }
}
