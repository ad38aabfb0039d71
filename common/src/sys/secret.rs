//! Secret files: what a registry and its stations share, and nobody else on the machine may read.

use std::path::Path;

use super::config::ConfigError;
use super::private;
use crate::wire::proof::{SECRET_BYTES, Secret};

/// A secret, and the white space that an editor may leave around it.
const FILE_BYTES: usize = 2 * SECRET_BYTES;

/// Reads a secret file.
///
/// # Errors
/// It cannot be read, is no file, others than its owner may read or write it, or it holds no secret.
pub fn read(path: &Path) -> Result<Secret, ConfigError> {
    let refused = |why: &str| ConfigError::new(format!("the secret file {} {why}", path.display()));
    let bytes = private::read(path, "secret", FILE_BYTES)?;
    let bytes = bytes.ok_or_else(|| refused("cannot be read: no such file or directory"))?;
    let secret = if bytes.len() <= FILE_BYTES { Secret::new(&bytes) } else { None };
    secret.ok_or_else(|| refused(&format!("must hold 1 to {SECRET_BYTES} bytes")))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("vox-secret-{name}-{}", std::process::id()))
    }

    /// What is told of a file with these bytes and this mode.
    fn told(name: &str, bytes: &[u8], mode: u32) -> Result<Secret, String> {
        let path = place(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let told = read(&path).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"));
        fs::remove_file(path).unwrap();
        told
    }

    #[test]
    fn a_secret_is_read_without_the_end_of_its_line() {
        let secret = Secret::new(b"open sesame");
        assert_eq!(told("good", b"open sesame\n", 0o600).ok(), secret);
        assert_eq!(told("read-only", b"open sesame", 0o400).ok(), secret);
        assert!(told("longest", &[b'x'; SECRET_BYTES], 0o600).is_ok());
    }

    #[test]
    fn what_others_may_read_or_write_is_no_secret() {
        for mode in [0o604, 0o620, 0o640, 0o644, 0o601] {
            let sentence =
                format!("the secret file FILE has mode {mode:04o}, but must have mode 0600: try chmod 600");
            assert_eq!(told(&format!("{mode:o}"), b"sesame", mode), Err(sentence));
        }
    }

    #[test]
    fn a_file_without_a_secret_is_told() {
        let sentence = Err("the secret file FILE must hold 1 to 256 bytes".to_owned());
        assert_eq!(told("empty", b"", 0o600), sentence);
        assert_eq!(told("blank", b" \n\n", 0o600), sentence);
        assert_eq!(told("long", &[b'x'; SECRET_BYTES + 1], 0o600), sentence);
        assert_eq!(told("half", &[b"sesame".as_slice(), &[b' '; 600], b"more"].concat(), 0o600), sentence);
        assert_eq!(told("huge", &[b'x'; 16_000], 0o600), sentence);
    }

    #[test]
    fn what_is_no_file_is_told_at_once() {
        let path = place("pipe");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        for (path, why) in [
            (Path::new("/nonexistent/secret"), "cannot be read: no such file or directory"),
            (Path::new("/tmp"), "must be a regular file"),
            (&path, "must be a regular file"),
        ] {
            let sentence = format!("the secret file {} {why}", path.display());
            assert_eq!(read(path).map_err(|error| error.to_string()), Err(sentence));
        }
        fs::remove_file(path).unwrap();
    }
}
