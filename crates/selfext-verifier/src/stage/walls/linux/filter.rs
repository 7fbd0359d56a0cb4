//! The filter of system calls.
//!
//! It is written out here because it is short, and because the process above the stage, which it must not signal, is known only
//! after the fork: its number is then put in.

use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

/// What the filter is to refuse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Which sockets may be made. What could make one by another way is refused with every answer but the last.
    pub(super) sockets: Sockets,
    /// Signals to the process above, and to everybody at once.
    pub(super) guard_keeper: bool,
}

/// Which sockets a stage may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    /// None, not even of files: behind those may be somebody with more rights.
    None,
    /// Those that a network namespace and a file system of its own hold. Others, such as those to a virtual machine's host, pass by
    /// every namespace.
    OfNamespaces,
    /// The same kinds, in the network of the machine.
    Open,
}

/// The families of sockets that namespaces hold.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// A program, and where the keeper's number stands in it.
#[derive(Debug)]
pub(super) struct Filter {
    program: Vec<sock_filter>,
    keeper: Vec<(usize, bool)>,
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xC000_003E);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xC000_00B7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: Option<u32> = None;

/// From here on numbers belong to x32, another way to call the same kernel.
const X32: u32 = 0x4000_0000;

const NUMBER: u32 = 0;
const ARCH: u32 = 4;
/// The lower half of the first argument; both architectures are little-endian.
const FIRST: u32 = 16;

/// Calls that reach keys, tracing or the inside of the kernel, and that builds and tests do without.
const ALWAYS: &[libc::c_long] = &[
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
];

impl Filter {
    /// `None` on an architecture whose calls are not known here.
    pub(super) fn build(wanted: Wanted) -> Option<Self> {
        let architecture = ARCHITECTURE?;
        let mut filter = Self { program: Vec::new(), keeper: Vec::new() };
        filter.load(ARCH);
        // Calls of another architecture have other numbers.
        filter.unless(BPF_JEQ, architecture, 1, libc::ENOSYS);
        filter.load(NUMBER);
        filter.when(BPF_JGE, X32, libc::ENOSYS);
        for call in ALWAYS {
            filter.when(BPF_JEQ, number(*call), libc::ENOSYS);
        }
        if wanted.sockets == Sockets::None {
            filter.when(BPF_JEQ, number(libc::SYS_socket), libc::EACCES);
        } else {
            filter.only_families();
        }
        if wanted.sockets != Sockets::Open {
            filter.when(BPF_JEQ, number(libc::SYS_io_uring_setup), libc::ENOSYS);
        }
        if wanted.guard_keeper {
            filter.when(BPF_JEQ, number(libc::SYS_pidfd_send_signal), libc::ENOSYS);
            for (call, group) in [
                (libc::SYS_kill, true),
                (libc::SYS_tkill, false),
                (libc::SYS_tgkill, false),
                (libc::SYS_prlimit64, false),
                (libc::SYS_rt_sigqueueinfo, false),
                (libc::SYS_rt_tgsigqueueinfo, false),
            ] {
                filter.keep_off(call, group);
            }
        }
        filter.push(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0);
        Some(filter)
    }

    /// Puts the keeper's number in. Neither allocates nor frees.
    pub(super) fn name_keeper(&mut self, pid: libc::pid_t) {
        for (at, negated) in &self.keeper {
            let number = if *negated { pid.wrapping_neg() } else { pid };
            if let Some(line) = self.program.get_mut(*at) {
                line.k = number.cast_unsigned();
            }
        }
    }

    pub(super) fn lines(&mut self) -> &mut [sock_filter] {
        &mut self.program
    }

    /// Refuses a call whose first argument is the keeper, its group, or everybody.
    fn keep_off(&mut self, call: libc::c_long, group: bool) {
        let lines = if group { 8 } else { 4 };
        self.push(BPF_JMP | BPF_JEQ | BPF_K, number(call), 0, lines);
        self.load(FIRST);
        self.keeper.push((self.program.len(), false));
        self.when(BPF_JEQ, 0, libc::EPERM);
        if group {
            self.keeper.push((self.program.len(), true));
            self.when(BPF_JEQ, 0, libc::EPERM);
            self.when(BPF_JEQ, u32::MAX, libc::EPERM);
        }
        self.load(NUMBER);
    }

    /// Refuses sockets of families that nothing here holds.
    fn only_families(&mut self) {
        self.push(BPF_JMP | BPF_JEQ | BPF_K, number(libc::SYS_socket), 0, 7);
        self.load(FIRST);
        for (family, over) in FAMILIES.into_iter().zip([4, 3, 2, 1]) {
            self.push(BPF_JMP | BPF_JEQ | BPF_K, family.cast_unsigned(), over, 0);
        }
        self.push(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | libc::EACCES.cast_unsigned(), 0, 0);
        self.load(NUMBER);
    }

    fn load(&mut self, offset: u32) {
        self.push(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
    }

    fn when(&mut self, comparison: u32, with: u32, errno: i32) {
        self.unless_or_when(comparison, with, (0, 1), errno);
    }

    fn unless(&mut self, comparison: u32, with: u32, over: u8, errno: i32) {
        self.unless_or_when(comparison, with, (over, 0), errno);
    }

    fn unless_or_when(&mut self, comparison: u32, with: u32, (yes, no): (u8, u8), errno: i32) {
        self.push(BPF_JMP | comparison | BPF_K, with, yes, no);
        self.push(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | errno.cast_unsigned(), 0, 0);
    }

    fn push(&mut self, code: u32, k: u32, jt: u8, jf: u8) {
        self.program.push(sock_filter { code: u16::try_from(code).unwrap_or_default(), jt, jf, k });
    }
}

fn number(call: libc::c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}
