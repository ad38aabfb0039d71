//! The allocator of a test that counts: glibc's own, and `count` of the test before each call.

use std::ffi::c_void;

use super::count;

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(old: *mut c_void);
}

/// Stands before glibc's, for Rust and C alike.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    count();
    // SAFETY: the same call, passed on.
    unsafe { __libc_malloc(size) }
}

/// Stands before glibc's.
#[unsafe(no_mangle)]
extern "C" fn calloc(number: usize, size: usize) -> *mut c_void {
    count();
    // SAFETY: the same call, passed on.
    unsafe { __libc_calloc(number, size) }
}

/// Stands before glibc's.
///
/// # Safety
/// `old` came from malloc, calloc or realloc.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    count();
    // SAFETY: the same call, passed on.
    unsafe { __libc_realloc(old, size) }
}

/// Stands before glibc's.
///
/// # Safety
/// `old` came from malloc, calloc or realloc.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut c_void) {
    count();
    // SAFETY: the same call, passed on.
    unsafe { __libc_free(old) }
}
