//! The processes above a stage's own, which outlive it by a moment and see to it that nothing else does.
//!
//! They run between fork and exec for all of their lives, and so do nothing but system calls.

use std::ffi::CStr;
use std::os::fd::RawFd;

use libc::pid_t;

use super::super::record;
use super::system;

/// How long the keeper looks away, in milliseconds, before it buries what has ended.
const ROUND: libc::c_int = 100;

/// What a keeper holds: everything else of its agent's it lets go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Ends when the agent lets go of its other end, or is gone.
    pub(super) lifeline: RawFd,
    /// Where the end of the stage is told.
    pub(super) told: RawFd,
}

/// Lets go of what this process has of the agent's, and keeps others from looking into its memory, which is a copy of it.
fn withdraw(held: Held) {
    system::deaf();
    let _ = system::control(libc::PR_SET_DUMPABLE, 0);
    let number = |fd: RawFd| u32::try_from(fd).unwrap_or(0);
    let (low, high) = (number(held.lifeline.min(held.told)), number(held.lifeline.max(held.told)));
    if low > 0 {
        system::close_range(0, low - 1, 0);
    }
    system::close_range(low + 1, high.saturating_sub(1), 0);
    system::close_range(high + 1, u32::MAX, 0);
}

/// Above the first process of a namespace: ends that one, and so all of them, when the lifeline goes.
pub(super) fn above_a_namespace(first: pid_t, held: Held) -> ! {
    withdraw(held);
    // The end is told from within; while this end is open, the reader would wait for more.
    if let Ok(watch) = system::watch_process(first) {
        let (cut, _) = system::wait_for_either(held.lifeline, watch, -1);
        if cut {
            system::kill(first);
        }
    }
    let _ = system::wait(first, 0);
    system::exit(0)
}

/// The first process of a namespace: buries what ends in it, and takes everything with it when the main process has ended.
pub(super) fn first_of_a_namespace(main: pid_t, held: Held) -> ! {
    withdraw(held);
    loop {
        match system::wait(-1, 0) {
            Ok(Some((pid, status))) if pid == main => {
                tell_end(held.told, status);
                system::exit(0);
            }
            Ok(_) => {}
            Err(_) => system::exit(1),
        }
    }
}

/// Without namespaces: everything that the main process leaves behind falls to this one, which ends it.
pub(super) fn without_namespaces(main: pid_t, held: Held) -> ! {
    withdraw(held);
    let watch = system::watch_process(main).unwrap_or(-1);
    let mut ended = None;
    while ended.is_none() {
        let (cut, _) = system::wait_for_either(held.lifeline, watch, ROUND);
        if cut {
            break;
        }
        while let Ok(Some((pid, status))) = system::wait(-1, libc::WNOHANG) {
            if pid == main {
                ended = Some(status);
            }
        }
    }
    if let Some(status) = ended {
        // What others used that were not waited for by their parents is not known yet.
        tell_end(held.told, status);
    }
    end_all_below();
    system::exit(0)
}

fn tell_end(told: RawFd, status: libc::c_int) {
    let _ = system::write(told, &record::write(record::ENDED, status, 0, system::cpu_of_children()));
}

/// Ends the children of this process again and again: those of the ones that ended fall to it meanwhile.
fn end_all_below() {
    let mut path = [0; 64];
    let path = children_file(&mut path);
    let mut text = [0; 4096];
    loop {
        let read = system::read_file(path, &mut text).unwrap_or(0);
        let mut pid: pid_t = 0;
        for byte in text.iter().take(read) {
            if byte.is_ascii_digit() {
                pid = pid.saturating_mul(10).saturating_add(pid_t::from(byte - b'0'));
            } else if pid > 0 {
                system::kill(pid);
                pid = 0;
            }
        }
        match system::wait(-1, 0) {
            Ok(_) => while let Ok(Some(_)) = system::wait(-1, libc::WNOHANG) {},
            // There is none any more.
            Err(_) => return,
        }
    }
}

/// `/proc/self/task/<this>/children`, put together without memory from anywhere.
fn children_file(buffer: &mut [u8; 64]) -> &CStr {
    let mut digits = [0; 10];
    let mut rest = system::own_pid().unsigned_abs();
    let mut count = 0;
    while rest > 0 && count < digits.len() {
        digits[count] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        count += 1;
    }
    let number = digits[..count].iter().rev();
    let bytes = b"/proc/self/task/".iter().chain(number).chain(b"/children\0");
    for (place, byte) in buffer.iter_mut().zip(bytes) {
        *place = *byte;
    }
    CStr::from_bytes_until_nul(buffer).unwrap_or(c"/proc/self/task")
}
