//! The C library's heap, which large values lie in.
//!
//! It never holds anything itself. Left alone, the library gives threads heaps of their own, and
//! each keeps the holes that values leave in it: one thread stores what another frees, and more
//! is resident than `-m` says and the rest explains.

#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "the C library has no other way to be told")
)]

/// Has all threads share one heap. It does so for what is asked for afterwards: call it before
/// there are threads.
pub fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::libc::{M_ARENA_MAX, mallopt};
        // SAFETY: it sets a number of the library's own; no memory of ours is passed. Where it is
        // refused, memory is only used less well.
        unsafe { mallopt(M_ARENA_MAX, 1) };
    }
}
