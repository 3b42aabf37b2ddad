//! Root is needed to open an interface and for nothing else: it is given up before the first packet is read.
//!
//! Packets come from strangers. Whatever is wrong in what reads them should not be wrong as root.

use caps::CapSet;
use nix::sys::prctl;
use nix::unistd::{self, Gid, Uid, User};

use super::Error;

/// The user and group that own nothing, where the user database has no `nobody` (Linux' overflow id).
const NOBODY: u32 = 65_534;

/// Who the process becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `nobody`, or the number when the user has no name.
    pub name: String,
    uid: Uid,
    gid: Gid,
    /// Known to the user database, which then has the supplementary groups.
    known: bool,
}

impl Identity {
    /// Whom root is given up to: `wanted` (`-Z`), else who called sudo, else `nobody`. `None`: nothing is to change, because
    /// the process is not root's, or because `-Z root` says so.
    pub fn choose(wanted: Option<&str>) -> Result<Option<Self>, Error> {
        if !unistd::geteuid().is_root() {
            return Ok(None);
        }
        // Whoever calls a set-user-ID program chooses its flags: as root it would read and write any file for them.
        if !unistd::getuid().is_root() {
            return Err(Error::Other(
                "the program is set-user-ID root, which it is not made for; give it the right to capture instead: \
                 chmod u-s, and setcap cap_net_raw,cap_net_admin=eip"
                    .to_owned(),
            ));
        }
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        if let Some(name) = wanted {
            return match by_name(name)? {
                Some(identity) if identity.uid.is_root() => Ok(None),
                Some(identity) => Ok(Some(identity)),
                None => Err(Error::Other(format!(
                    "-Z {name}: there is no such user; name one that exists, or root to stay root"
                ))),
            };
        }
        if let Some(uid) = number("SUDO_UID").filter(|uid| *uid != 0) {
            let uid = Uid::from_raw(uid);
            return Ok(Some(match User::from_uid(uid) {
                Ok(Some(user)) => user.into(),
                _ => Self {
                    name: uid.to_string(),
                    uid,
                    gid: number("SUDO_GID")
                        .filter(|gid| *gid != 0)
                        .map_or(Gid::from_raw(NOBODY), Gid::from_raw),
                    known: false,
                },
            }));
        }
        Ok(Some(by_name("nobody")?.unwrap_or_else(|| Self {
            name: NOBODY.to_string(),
            uid: Uid::from_raw(NOBODY),
            gid: Gid::from_raw(NOBODY),
            known: false,
        })))
    }
}

impl From<User> for Identity {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            known: true,
        }
    }
}

/// Becomes `identity` for good, and gives up every capability, however it was got (from root, or from the program's file).
/// Nothing that is executed from here on can get anything back (`no_new_privs`).
pub fn drop(identity: Option<&Identity>) -> Result<(), Error> {
    let failed = |what: &str, reason: &str| {
        Error::Other(format!(
            "root cannot be given up: {what}: {reason}; -Z names another user, -Z root stays root"
        ))
    };
    if let Some(identity) = identity {
        // While we may: what is not in the bounding set cannot come back. Not every container lets us.
        let _ = caps::clear(None, CapSet::Bounding);
        let groups = match std::ffi::CString::new(identity.name.as_str()) {
            Ok(name) if identity.known => unistd::initgroups(&name, identity.gid),
            _ => unistd::setgroups(&[]),
        };
        groups.map_err(|error| failed("groups", error.desc()))?;
        unistd::setresgid(identity.gid, identity.gid, identity.gid).map_err(|error| failed("group", error.desc()))?;
        unistd::setresuid(identity.uid, identity.uid, identity.uid).map_err(|error| failed("user", error.desc()))?;
        if unistd::setuid(Uid::from_raw(0)).is_ok() {
            return Err(failed("user", "the change did not last"));
        }
    } else if unistd::geteuid().is_root() {
        return Ok(());
    }
    prctl::set_no_new_privs().map_err(|error| failed("no_new_privs", error.desc()))?;
    // An old kernel without ambient capabilities has none to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(|error| failed("capabilities", &error.to_string()))?;
    }
    Ok(())
}

fn by_name(name: &str) -> Result<Option<Identity>, Error> {
    User::from_name(name)
        .map(|user| user.map(Identity::from))
        .map_err(|error| Error::Other(format!("-Z {name}: the users cannot be read: {}", error.desc())))
}
