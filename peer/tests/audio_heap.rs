//! A debug build ends where the audio path allocates or frees: each of these tests runs itself again and looks on.
#![cfg(debug_assertions)]

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use vox_peer::rt;

const SIGABRT: i32 = 6;

/// Runs one of the tests below, which the ordinary run leaves out.
fn run(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("Linux knows the path of a program"));
    command.args(["--ignored", "--exact", "--nocapture", test]);
    command.output().expect("it starts")
}

fn ends_with(test: &str, words: &str) {
    let output = run(test);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{test}: {told}");
    assert!(told.contains(words) && told.contains(test), "{test}: {told}");
}

#[test]
fn who_allocates_frees_or_grows_there_is_ended_and_named() {
    ends_with("allocates", "the audio path allocated memory on the thread ");
    ends_with("frees", "the audio path freed memory on the thread ");
    ends_with("grows", "the audio path reallocated memory on the thread ");
}

#[test]
fn who_does_it_before_or_after_or_on_another_thread_goes_on() {
    let output = run("keeps_off");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "ends the program"]
fn allocates() {
    let _audio = rt::on_the_audio_path();
    drop(black_box(Box::new(1)));
}

#[test]
#[ignore = "ends the program"]
fn frees() {
    let made_before = black_box(vec![1]);
    let _audio = rt::on_the_audio_path();
    drop(made_before);
}

#[test]
#[ignore = "ends the program"]
fn grows() {
    let mut made_before = black_box(vec![1; 4]);
    let _audio = rt::on_the_audio_path();
    made_before.extend_from_slice(black_box(&[2; 64]));
}

#[test]
#[ignore = "what is allowed: run by a test above"]
fn keeps_off() {
    let mut sound = black_box(vec![0.0; 480]);
    let bystander = std::thread::spawn(|| (0..10_000).map(|n| black_box(vec![n; 16]).len()).sum::<usize>());
    {
        let _audio = rt::on_the_audio_path();
        {
            let _within = rt::on_the_audio_path();
            sound.fill(1.0);
        }
        sound.fill(2.0);
    }
    drop(sound);
    assert_eq!(bystander.join().expect("it may allocate"), 160_000);
}
