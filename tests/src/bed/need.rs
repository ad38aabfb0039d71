//! What a test needs of the machine, and what happens where it is not there.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Something that a test needs and that this machine lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Only root may do it.
    Root,
    /// A program that Debian has in this package.
    Package(&'static str),
    /// The kernel or the container we are in does not permit it.
    Forbidden(&'static str),
}

impl Display for Lack {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Package(name) => write!(f, "package:{name}"),
            Self::Forbidden(what) => write!(f, "forbidden:{what}"),
        }
    }
}

/// Root, or the lack of it.
pub fn root() -> Result<(), Lack> {
    if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(Lack::Root) }
}

/// A program that can be found, or the package that would bring it.
pub fn program(name: &str, package: &'static str) -> Result<(), Lack> {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = places.split(':').any(|place| Path::new(place).join(name).exists());
    if found { Ok(()) } else { Err(Lack::Package(package)) }
}

/// Goes on with what the test needs; `None`: the test may be skipped here, and that was noted.
///
/// # Panics
/// `tests/may-skip.txt` does not allow this test to go without this.
pub fn may<T>(test: &str, needs: Result<T, Lack>) -> Option<T> {
    match needs {
        Ok(there) => Some(there),
        Err(lack) => {
            skip_or_fail(test, &lack);
            None
        }
    }
}

/// Notes in `target/skipped.txt` that a test is skipped, if `tests/may-skip.txt` allows it.
pub fn skip_or_fail(test: &str, lack: &Lack) {
    let allowed = fs::read_to_string(top().join("tests/may-skip.txt")).unwrap_or_default();
    let Some(reason) = allowed.lines().find_map(|line| reason(line, test, &lack.to_string())) else {
        panic!("{test} needs {lack}, which is not here, and tests/may-skip.txt does not list it");
    };
    note(&format!("{test}: {lack}: {reason}\n"));
}

/// The top of the source tree.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace").to_owned()
}

/// The reason in a line of may-skip.txt, if the line speaks of this test and this lack.
fn reason<'a>(line: &'a str, test: &str, lack: &str) -> Option<&'a str> {
    let (pattern, rest) = line.split_once(char::is_whitespace)?;
    let (what, reason) = rest.trim_start().split_once(char::is_whitespace)?;
    let of_this_test = pattern.strip_suffix('*').map_or(pattern == test, |start| test.starts_with(start));
    (of_this_test && what == lack).then(|| reason.trim())
}

fn note(line: &str) {
    let path = top().join("target/skipped.txt");
    let opened = File::options().create(true).append(true).open(path);
    let _ = opened.and_then(|mut file| file.write_all(line.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn a_line_allows_one_lack_of_the_tests_it_names() {
        let line = "systemd::*   root     booting needs root";
        assert_eq!(reason(line, "systemd::boots", "root"), Some("booting needs root"));
        assert_eq!(reason(line, "network::hosts", "root"), None);
        assert_eq!(reason(line, "systemd::boots", "package:rsyslog"), None);
        assert_eq!(reason("# a comment", "systemd::boots", "root"), None);
    }
}
