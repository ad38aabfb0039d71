//! Where the programs under test are.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// `vox-registry`, as it was last built from this tree.
pub fn registry() -> PathBuf {
    built().join("vox-registry")
}

/// `vox-peer`, as it was last built from this tree.
pub fn peer() -> PathBuf {
    built().join("vox-peer")
}

/// A program of this crate, such as `probe`.
pub fn own(name: &str) -> PathBuf {
    directory().join(name)
}

/// The directory of programs, after they were built once. `make` builds them itself and says so with `VOX_BUILT`.
fn built() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let directory = directory();
        if env::var_os("VOX_BUILT").is_some() && directory.join("vox-peer").exists() {
            return;
        }
        build(directory.ends_with("release"));
    });
    directory()
}

fn build(release: bool) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "-p", "vox-registry", "-p", "vox-peer"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if release {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo starts").success(), "the programs under test do not build");
}

/// `target/debug` or `target/release`: where this very program is, but for `deps`.
fn directory() -> PathBuf {
    let mut directory = env::current_exe().expect("Linux knows the path of a program");
    directory.pop();
    if directory.ends_with("deps") {
        directory.pop();
    }
    directory
}
