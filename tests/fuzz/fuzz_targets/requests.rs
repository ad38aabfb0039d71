#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vox_tests::fuzz::try_target("requests", bytes));
