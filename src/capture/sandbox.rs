//! What the process can still do when it reads packets: hardly anything but that.
//!
//! In: what this run needs besides reading what is open, computing and writing what is open. Out: a process that can open nothing else
//! (Landlock), and make no system call that it has no use for (seccomp): they fail with EPERM, nothing is killed. It comes after
//! privileges were given up and before a second thread begins, for both are inherited from thread to thread.
//!
//! The manual has a table of which flag allows what; [`Needs`] is that table's other half.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use nix::libc;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule};

/// The newest version of Landlock that is made use of. An older kernel enforces what it knows.
const LANDLOCK: ABI = ABI::V6;

/// What a run needs from here on.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    read: Vec<PathBuf>,
    create: Vec<PathBuf>,
    /// Where folders can be created, too.
    folders: Vec<PathBuf>,
    names: bool,
    listens_on: Option<RawFd>,
}

impl Needs {
    /// What every run needs: the time zone, which may be looked up again.
    pub fn new() -> Self {
        let mut needs = Self::default();
        for path in ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"] {
            needs.read(path);
        }
        if let Some(zone) = std::env::var_os("TZ") {
            let zone = zone.into_encoded_bytes();
            let path = zone.strip_prefix(b":").unwrap_or(&zone);
            if let (Ok(path), [b'/', ..]) = (std::str::from_utf8(path), path) {
                needs.read(path);
            }
        }
        if let Some(folder) = std::env::var_os("TZDIR") {
            needs.read(PathBuf::from(folder));
        }
        needs
    }

    /// A file, or all files below a folder, can be read. It need not be there.
    pub fn read(&mut self, path: impl Into<PathBuf>) {
        self.read.push(path.into());
    }

    /// Files can be created and written below a folder.
    pub fn create_in(&mut self, folder: impl Into<PathBuf>) {
        self.create.push(folder.into());
    }

    /// Files and folders can be created and written below a folder.
    pub fn create_folders_in(&mut self, folder: impl Into<PathBuf>) {
        self.folders.push(folder.into());
    }

    /// Names of interfaces and their counters (`/sys/class/net`, where libpcap reads what an interface has dropped).
    pub fn interfaces(&mut self) {
        const CLASS: &str = "/sys/class/net";
        self.read(CLASS);
        // Where virtual ones will appear, and where those are that there are: the class has links only.
        self.read("/sys/devices/virtual/net");
        let links = std::fs::read_dir(CLASS).into_iter().flatten().flatten();
        self.read
            .extend(links.filter_map(|link| link.path().canonicalize().ok()));
    }

    /// Packets come from this socket, which stays open. It was opened with rights that are gone, and would send any frame: nothing is
    /// written to it.
    pub fn listen_on(&mut self, socket: BorrowedFd<'_>) {
        self.listens_on = Some(socket.as_raw_fd());
    }

    /// `--resolve`: names of hosts and ports are asked for, by the modules that the system is set up with.
    pub fn names(&mut self) {
        self.names = true;
        for path in ["/etc", "/run", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/var/run"] {
            self.read(path);
        }
    }
}

/// Gives up for good what `needs` does not name. Returns a line for each part that this kernel does not know.
pub fn enter(needs: &Needs) -> Vec<String> {
    let mut missing = Vec::new();
    match landlock(needs) {
        Ok(RulesetStatus::FullyEnforced) => {}
        Ok(RulesetStatus::PartiallyEnforced) => {
            missing
                .push("sandbox: this kernel knows Landlock, but not all of it; what it knows is in force".to_owned());
        }
        Ok(RulesetStatus::NotEnforced) => {
            missing.push(
                "sandbox: this kernel has no Landlock; files can be opened as the user's rights allow".to_owned(),
            );
        }
        Err(error) => missing.push(format!("sandbox: no Landlock: {error}")),
    }
    if let Err(error) = seccomp(needs) {
        missing.push(format!("sandbox: no seccomp: {error}"));
    }
    missing
}

fn landlock(needs: &Needs) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(LANDLOCK))?;
    if !needs.names {
        ruleset = ruleset.handle_access(AccessNet::from_all(LANDLOCK))?;
    }
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let create = AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::Truncate;
    let status = ruleset
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(beneath(&needs.read, read))?
        .add_rules(beneath(&needs.create, create))?
        .add_rules(beneath(&needs.folders, create | AccessFs::ReadDir | AccessFs::MakeDir))?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// A rule for each path that is there.
fn beneath(
    paths: &[PathBuf],
    access: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<PathBeneath<PathFd>, RulesetError>> {
    paths.iter().filter_map(move |path| {
        // What can be done with a folder only makes no sense for a file.
        let access = if is_folder(path) {
            access
        } else {
            access & AccessFs::from_file(LANDLOCK)
        };
        Some(Ok(PathBeneath::new(PathFd::new(path).ok()?, access)))
    })
}

fn is_folder(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_dir())
}

/// Why the filter for system calls is not in force.
#[derive(Debug, thiserror::Error)]
enum SeccompError {
    #[error(transparent)]
    Filter(#[from] BackendError),
    #[error(transparent)]
    Apply(#[from] seccompiler::Error),
}

fn seccomp(needs: &Needs) -> Result<(), SeccompError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    if needs.names {
        rules.extend(NAMES.iter().map(|call| (*call, Vec::new())));
    }
    if !needs.folders.is_empty() {
        rules.insert(libc::SYS_mkdirat, Vec::new());
    }
    let rule = |conditions: Vec<SeccompCondition>| SeccompRule::new(conditions);
    let at = SeccompCondition::new;
    let mut sendto = Vec::new();
    if let Some(socket) = needs.listens_on {
        let other = at(0, Dword, Ne, u64::from(socket.unsigned_abs()))?;
        for (_, allowed) in rules.iter_mut().filter(|(call, _)| SENDING.contains(call)) {
            allowed.push(rule(vec![other.clone()])?);
        }
        sendto.push(other);
    }
    // Terminals: their size, not what would type for the user (TIOCSTI, TIOCLINUX). Interfaces: whether one is up.
    let requests = [
        libc::TIOCGWINSZ,
        libc::TCGETS,
        libc::FIONBIO,
        libc::FIOCLEX,
        libc::FIONREAD,
        libc::SIOCGIFFLAGS as libc::Ioctl,
    ];
    for request in requests {
        let entry = rules.entry(libc::SYS_ioctl).or_default();
        entry.push(rule(vec![at(1, Dword, Eq, request)?])?);
    }
    if !needs.names {
        // Memory is not executed that was not when we began. (Modules for names are loaded.)
        let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            rules.insert(call, vec![rule(vec![at(2, Dword, MaskedEq(executable), 0)?])?]);
        }
        // To whoever is at the other end already: the bell that a signal rings.
        sendto.push(at(4, Qword, Eq, 0)?);
    }
    if !sendto.is_empty() {
        rules.insert(libc::SYS_sendto, vec![rule(sendto)?]);
    }
    // Of ourselves only: a thread that gives up ends the program.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![rule(vec![at(0, Dword, Eq, own)?])?]);
    // Limits are read, not set; threads get names.
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![at(2, Qword, Eq, 0)?])?]);
    let name = u64::from(libc::PR_SET_NAME.unsigned_abs());
    rules.insert(libc::SYS_prctl, vec![rule(vec![at(0, Dword, Eq, name)?])?]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    Ok(seccompiler::apply_filter(&program)?)
}

/// Reading and writing what is open, memory, threads, time.
const ALWAYS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getsockopt,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pselect6,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    // Older forms of some of these, which the C library still uses.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getrlimit,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// What sends on a descriptor, or makes another one of it. One that is closed would give its number to the next file.
const SENDING: &[i64] = &[
    libc::SYS_close,
    libc::SYS_dup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What the C library's resolver and its modules do besides.
const NAMES: &[i64] = &[
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_recvmmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_socket,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::ErrorKind::PermissionDenied;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;
    use std::process::Command;
    use std::thread;

    /// Runs in a thread of its own, which stays confined.
    fn confined(needs: Needs, body: impl FnOnce() + Send + 'static) {
        let run = move || {
            let missing = enter(&needs);
            // What follows would say nothing on a kernel that knows neither.
            assert!(missing.is_empty(), "{missing:?}");
            body();
        };
        thread::spawn(run).join().unwrap();
    }

    #[test]
    fn nothing_can_be_opened_that_is_not_named() {
        let folder = tempfile::tempdir().unwrap();
        let (named, other) = (folder.path().join("named"), folder.path().join("other"));
        for path in [&named, &other] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), "text").unwrap();
        }
        let mut needs = Needs::new();
        needs.read(&named);
        confined(needs, move || {
            assert_eq!(fs::read(named.join("file")).unwrap(), b"text");
            assert_eq!(fs::read(other.join("file")).unwrap_err().kind(), PermissionDenied);
            assert_eq!(fs::write(named.join("file"), "").unwrap_err().kind(), PermissionDenied);
            assert_eq!(File::create(named.join("new")).unwrap_err().kind(), PermissionDenied);
            assert_eq!(
                fs::remove_file(named.join("file")).unwrap_err().kind(),
                PermissionDenied
            );
            assert_eq!(fs::read("/etc/passwd").unwrap_err().kind(), PermissionDenied);
            assert_eq!(fs::read("/proc/self/mem").unwrap_err().kind(), PermissionDenied);
        });
    }

    #[test]
    fn rotation_creates_and_empties_files_in_its_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let (named, other) = (folder.path().join("named"), folder.path().join("other"));
        for path in [&named, &other] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("old"), "text").unwrap();
        }
        let mut needs = Needs::new();
        needs.create_in(&named);
        confined(needs, move || {
            let outputs = crate::capture::Outputs::default();
            outputs.create(&named.join("old")).unwrap();
            outputs.create(&named.join("new")).unwrap();
            assert_eq!(outputs.create(&other.join("old")).unwrap_err().kind(), PermissionDenied);
            assert_eq!(fs::read(named.join("new")).unwrap_err().kind(), PermissionDenied);
        });
    }

    #[test]
    fn no_program_is_run_and_nobody_is_called() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        confined(Needs::new(), move || {
            assert_eq!(Command::new("/bin/true").status().unwrap_err().kind(), PermissionDenied);
            assert_eq!(TcpStream::connect(address).unwrap_err().kind(), PermissionDenied);
            assert_eq!(UdpSocket::bind("127.0.0.1:0").unwrap_err().kind(), PermissionDenied);
            assert_eq!(
                UnixStream::connect("/run/nothing").unwrap_err().kind(),
                PermissionDenied
            );
            let init = nix::unistd::Pid::from_raw(1);
            assert_eq!(nix::sys::signal::kill(init, None), Err(nix::errno::Errno::EPERM));
            // Threads can be started still, and inherit all of it.
            let child = thread::spawn(|| fs::read("/etc/passwd").unwrap_err().kind());
            assert_eq!(child.join().unwrap(), PermissionDenied);
        });
    }

    #[test]
    fn nothing_is_sent_on_the_socket_that_packets_come_from() {
        for names in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (other, _) = listener.accept().unwrap();
            let mut needs = Needs::new();
            needs.listen_on(socket.as_fd());
            if names {
                needs.names();
            }
            confined(needs, move || {
                (&other).write_all(b"x").unwrap();
                assert_eq!((&socket).read(&mut [0; 2]).unwrap(), 1);
                // It is sendto(2) that writes to a TcpStream.
                assert_eq!((&socket).write(b"x").unwrap_err().kind(), PermissionDenied);
                assert_eq!(nix::unistd::write(&socket, b"x"), Err(nix::errno::Errno::EPERM));
                let parts = [std::io::IoSlice::new(b"x")];
                assert_eq!((&socket).write_vectored(&parts).unwrap_err().kind(), PermissionDenied);
                assert_eq!(socket.try_clone().unwrap_err().kind(), PermissionDenied);
                assert_eq!(nix::unistd::dup(&socket).unwrap_err(), nix::errno::Errno::EPERM);
                // Its number goes to no other file.
                let number = socket.as_raw_fd();
                drop(socket);
                assert_ne!(other.try_clone().unwrap().as_raw_fd(), number);
            });
        }
    }

    #[test]
    fn names_of_hosts_can_be_asked_for_when_they_are_needed() {
        let mut needs = Needs::new();
        needs.names();
        confined(needs, || {
            let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
            assert_eq!(dns_lookup::lookup_addr(&loopback).unwrap(), "localhost");
            assert_eq!(Command::new("/bin/true").status().unwrap_err().kind(), PermissionDenied);
        });
    }

    #[test]
    fn the_time_zone_is_found() {
        confined(Needs::new(), || {
            assert!(jiff::tz::TimeZone::get("Asia/Shanghai").is_ok());
        });
    }
}
