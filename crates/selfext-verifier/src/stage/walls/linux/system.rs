//! The system calls of a process between fork and exec.
//!
//! This is the reviewed exception to the workspace's ban on unsafe code. Everything here may be called in the child of a process
//! with many threads: each function makes system calls alone, allocates nothing, frees nothing and takes no lock.
#![expect(unsafe_code, reason = "std and rustix have no safe way to do these things between fork and exec")]

use std::ffi::CStr;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::{io, ptr};

use libc::{c_char, c_int, c_long, c_ulong, c_void, pid_t};

/// An error number.
pub(super) type Errno = i32;

fn answered(answer: c_long) -> Result<c_long, Errno> {
    // SAFETY: the place of this thread's error number is always there.
    if answer == -1 { Err(unsafe { *libc::__errno_location() }) } else { Ok(answer) }
}

fn done(answer: c_int) -> Result<(), Errno> {
    answered(c_long::from(answer)).map(|_| ())
}

/// Has a closure called in the child of a command, right before its program is started.
///
/// The closure must do no more than this module's functions do.
pub(super) fn before_exec(command: &mut Command, closure: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the one caller, `raise`, keeps to what this module's documentation says.
    unsafe {
        command.pre_exec(closure);
    }
}

/// Makes a copy of this process; answers nothing in the copy. Handlers that libraries have for `fork` are not called: they may
/// take locks that another thread held.
pub(super) fn fork() -> Result<Option<pid_t>, Errno> {
    let none: *const c_void = ptr::null();
    // SAFETY: without CLONE_VM the copy has memory of its own; the rest of the arguments is not looked at.
    let answer = unsafe { libc::syscall(libc::SYS_clone, c_long::from(libc::SIGCHLD), none, none, none, none) };
    let pid = answered(answer)?;
    Ok(pid_t::try_from(pid).ok().filter(|pid| *pid != 0))
}

pub(super) fn exit(code: c_int) -> ! {
    // SAFETY: ends this process without running anything of it.
    unsafe { libc::_exit(code) }
}

pub(super) fn new_session() -> Result<(), Errno> {
    // SAFETY: it takes no argument.
    done(unsafe { libc::setsid() })
}

pub(super) fn own_pid() -> pid_t {
    // SAFETY: it takes no argument and cannot fail.
    unsafe { libc::getpid() }
}

pub(super) fn unshare(flags: c_int) -> Result<(), Errno> {
    // SAFETY: only flags are handed over.
    done(unsafe { libc::unshare(flags) })
}

/// `prctl` with numbers alone.
pub(super) fn control(option: c_int, value: c_ulong) -> Result<(), Errno> {
    let zero: c_ulong = 0;
    // SAFETY: the options in use take numbers, no addresses.
    done(unsafe { libc::prctl(option, value, zero, zero, zero) })
}

/// Gives up what programs with rights of their own would bring.
pub(super) fn control_new_privileges() -> Result<(), Errno> {
    control(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Writes all of it to a file that is there.
pub(super) fn write_file(path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
    // SAFETY: the path ends with NUL.
    let file = answered(c_long::from(unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) }))?;
    let file = c_int::try_from(file).unwrap_or(-1);
    let written = write(file, bytes);
    close(file);
    written
}

pub(super) fn write(file: RawFd, bytes: &[u8]) -> Result<(), Errno> {
    // SAFETY: the bytes are there for as long as the call takes.
    let answer = unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) };
    match usize::try_from(answer) {
        Ok(all) if all == bytes.len() => Ok(()),
        Ok(_) => Err(libc::EIO),
        Err(_) => answered(-1).map(|_| ()),
    }
}

/// Reads once; answers how many bytes.
pub(super) fn read_file(path: &CStr, bytes: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the path ends with NUL.
    let file = answered(c_long::from(unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) }))?;
    let file = c_int::try_from(file).unwrap_or(-1);
    // SAFETY: as many bytes may be written as there are.
    let answer = unsafe { libc::read(file, bytes.as_mut_ptr().cast(), bytes.len()) };
    close(file);
    usize::try_from(answer).or_else(|_| answered(-1).map(|_| 0))
}

pub(super) fn close(file: RawFd) {
    // SAFETY: only numbers are handed over; nobody uses the descriptor after.
    let _ = unsafe { libc::close(file) };
}

/// Closes descriptors from one number to another, or marks them to be closed when a program is started.
pub(super) fn close_range(from: u32, to: u32, flags: u32) {
    if from > to {
        return;
    }
    // SAFETY: only numbers are handed over; this process is about to become another program or a mere keeper.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, from, to, flags) };
    if answered(answer).is_ok() {
        return;
    }
    // Before Linux 5.9.
    for number in from..=to.min(65_535) {
        let Ok(number) = c_int::try_from(number) else { break };
        if flags == 0 {
            close(number);
        } else {
            // SAFETY: only numbers are handed over; what is not open is an error that means nothing.
            let _ = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// Keeps every signal that can be kept from this process, and lets its children tell how they ended.
pub(super) fn deaf() {
    // SAFETY: both structures are whole, as zeroes are, before they are handed over.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(libc::SIGCHLD, &raw const action, ptr::null_mut());
    }
}

pub(super) fn kill(pid: pid_t) {
    // SAFETY: only numbers are handed over.
    let _ = unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Waits for a child, any for -1; `None` if there is one but it has not ended and that is not waited for.
pub(super) fn wait(pid: pid_t, options: c_int) -> Result<Option<(pid_t, c_int)>, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: the status is written to a place of its own.
        match answered(c_long::from(unsafe { libc::waitpid(pid, &raw mut status, options) })) {
            Err(libc::EINTR) => {}
            Err(error) => return Err(error),
            Ok(0) => return Ok(None),
            Ok(pid) => return Ok(Some((pid_t::try_from(pid).unwrap_or(-1), status))),
        }
    }
}

/// The processor time of all children that were waited for, in microseconds.
pub(super) fn cpu_of_children() -> u64 {
    // SAFETY: zeroes are a whole structure, which the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let micros = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_usec).unwrap_or(0)
    };
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

/// A descriptor that becomes readable when a process ends.
pub(super) fn watch_process(pid: pid_t) -> Result<RawFd, Errno> {
    // SAFETY: only numbers are handed over.
    let answer = answered(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    Ok(RawFd::try_from(answer).unwrap_or(-1))
}

/// Waits until one of two descriptors has something to say, for at most some milliseconds (-1: for ever). Answers which.
pub(super) fn wait_for_either(one: RawFd, other: RawFd, milliseconds: c_int) -> (bool, bool) {
    let watched = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut both = [watched(one), watched(other)];
    // SAFETY: there are two structures.
    let _ = unsafe { libc::poll(both.as_mut_ptr(), 2, milliseconds) };
    (both[0].revents != 0, both[1].revents != 0)
}

pub(super) fn mount(
    source: Option<&CStr>,
    target: &CStr,
    kind: Option<&CStr>,
    flags: c_ulong,
    options: Option<&CStr>,
) -> Result<(), Errno> {
    let address = |text: Option<&CStr>| text.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: every text ends with NUL and is there for as long as the call takes.
    done(unsafe { libc::mount(address(source), target.as_ptr(), address(kind), flags, address(options).cast()) })
}

/// Adds attributes to a mount and all below it; takes none away.
pub(super) fn add_mount_attributes(target: &CStr, attributes: u64) -> Result<(), Errno> {
    let given = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_RECURSIVE;
    // SAFETY: the path ends with NUL, and the structure has the size that is named.
    answered(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            flags,
            &raw const given,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(|_| ())
}

/// Makes the folder that a path names the root, and lets go of the old one.
pub(super) fn become_root(root: &CStr) -> Result<(), Errno> {
    change_folder(root)?;
    let here = c".".as_ptr();
    // SAFETY: both paths end with NUL.
    answered(unsafe { libc::syscall(libc::SYS_pivot_root, here, here) })?;
    // SAFETY: the path ends with NUL. The old root lies over the new one now, and goes.
    done(unsafe { libc::umount2(here, libc::MNT_DETACH) })?;
    change_folder(c"/")
}

pub(super) fn change_folder(folder: &CStr) -> Result<(), Errno> {
    // SAFETY: the path ends with NUL.
    done(unsafe { libc::chdir(folder.as_ptr()) })
}

/// That it is there already is no error.
pub(super) fn make_folder(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path ends with NUL.
    unless_there(done(unsafe { libc::mkdir(path.as_ptr(), 0o755) }))
}

/// That it is there already is no error.
pub(super) fn make_file(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path ends with NUL. A regular file has no device number.
    unless_there(done(unsafe { libc::mknod(path.as_ptr(), libc::S_IFREG | 0o644, 0) }))
}

/// That it is there already is no error.
pub(super) fn make_link(target: &CStr, path: &CStr) -> Result<(), Errno> {
    // SAFETY: both paths end with NUL.
    unless_there(done(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) }))
}

fn unless_there(result: Result<(), Errno>) -> Result<(), Errno> {
    result.or_else(|error| if error == libc::EEXIST { Ok(()) } else { Err(error) })
}

/// Turns the loopback of this network on.
pub(super) fn loopback_up() -> Result<(), Errno> {
    // SAFETY: only numbers are handed over.
    let socket =
        answered(c_long::from(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }))?;
    let socket = c_int::try_from(socket).unwrap_or(-1);
    // SAFETY: zeroes are a whole structure, in which name and flags are then put.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, letter) in request.ifr_name.iter_mut().zip(*b"lo") {
        *place = c_char::from_ne_bytes([letter]);
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
    // SAFETY: the call reads a structure of this kind.
    let answer = done(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request) });
    close(socket);
    answer
}

/// Gives up all capabilities, for good: also those that root's programs would get when they start.
pub(super) fn give_up_capabilities() -> Result<(), Errno> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Sets {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    const NO_ROOT_AND_LOCKED: c_ulong = 0b1010_1111;
    const VERSION: u32 = 0x2008_0522;

    // What may not be done is done already: an ordinary user has none of them.
    for capability in 0..64 {
        let _ = control(libc::PR_CAPBSET_DROP, capability);
    }
    let _ = control(libc::PR_SET_SECUREBITS, NO_ROOT_AND_LOCKED);
    let header = Header { version: VERSION, pid: 0 };
    let none = [Sets { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: this version of the call reads one header and two sets.
    answered(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(|_| ())
}

pub(super) fn set_limit((resource, soft, hard): super::limits::Limit) -> Result<(), Errno> {
    let set = |soft, hard| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: the structure is there for as long as the call takes.
        done(unsafe { libc::setrlimit(resource, &raw const limit) })
    };
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills a structure of its own.
    done(unsafe { libc::getrlimit(resource, &raw mut now) })?;
    // What this process itself may not exceed stays.
    let hard = hard.min(now.rlim_max);
    set(soft.min(hard), hard)
}

/// Which version of Landlock this kernel has; 0 if none.
pub(super) fn landlock_version() -> i32 {
    const VERSION: c_int = 1;
    let none: *const c_void = ptr::null();
    // SAFETY: with this flag nothing is read from the address.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0, VERSION) };
    i32::try_from(answer).unwrap_or(0).max(0)
}

/// What Landlock calls `landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// Adds a place, by the path that it has now, to a set of Landlock rules.
pub(super) fn landlock_allow(ruleset: RawFd, path: &CStr, allowed: u64) -> Result<(), Errno> {
    const PATH_BENEATH: c_int = 1;
    // SAFETY: the path ends with NUL.
    let place = answered(c_long::from(unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) }))?;
    let parent = c_int::try_from(place).unwrap_or(-1);
    let rule = PathBeneath { allowed, parent };
    // SAFETY: the structure is the one that this kind of rule is read from.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset, PATH_BENEATH, &raw const rule, 0) };
    close(parent);
    answered(answer).map(|_| ())
}

pub(super) fn landlock_restrict(ruleset: RawFd) -> Result<(), Errno> {
    // SAFETY: only numbers are handed over.
    answered(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) }).map(|_| ())
}

pub(super) fn filter_calls(lines: &mut [libc::sock_filter]) -> Result<(), Errno> {
    let len = u16::try_from(lines.len()).unwrap_or(0);
    let program = libc::sock_fprog { len, filter: lines.as_mut_ptr() };
    // SAFETY: the program has as many lines as it says, and the kernel copies and checks them.
    done(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) })
}
